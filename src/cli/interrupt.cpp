#include "cli/interrupt.hpp"

#include <array>
#include <csignal>

namespace topo::cli {
namespace {

volatile std::sig_atomic_t count = 0;

void on_signal(int /*signal*/) { count = count + 1; }

}  // namespace

void count_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;  // no half-done system call is to be taken for a failed one
  sigemptyset(&action.sa_mask);
  for (const int signal : std::array{SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    // nohup's wish is respected.
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
  ::signal(SIGPIPE, SIG_IGN);
}

int interrupts() { return count; }

}  // namespace topo::cli
