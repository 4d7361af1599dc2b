#include "cli/interrupt.hpp"

#include <array>
#include <csignal>
#include <ctime>

namespace topo::cli {
namespace {

constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};
/// What comes within this after one that was counted is the same interrupt: timeout(1), for one, sends its signal to its child and then to the group of both.
constexpr long echo_ms = 300;

volatile std::sig_atomic_t count = 0;
timespec last{};  // the handler's alone, which no other call of it interrupts

void on_signal(int /*signal*/) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const long passed_ms = (now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000;
  if (count > 0 && passed_ms < echo_ms) return;
  last = now;
  count = count + 1;
}

}  // namespace

void count_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;  // no half-done system call is to be taken for a failed one
  sigemptyset(&action.sa_mask);
  for (const int signal : signals) sigaddset(&action.sa_mask, signal);
  for (const int signal : signals) {
    struct sigaction before {};
    // nohup's wish is respected.
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
  ::signal(SIGPIPE, SIG_IGN);
}

int interrupts() { return count; }

}  // namespace topo::cli
