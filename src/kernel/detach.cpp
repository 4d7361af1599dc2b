#include "kernel/detach.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <string>

namespace topo::kernel {
namespace {

bool leave_terminal() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return false;
  for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard) {
    if (::dup2(null, standard) < 0) return false;
  }
  return true;
}

/// Signals that the ancestors wanted ignored or blocked must not be here: without SIGCHLD no child can be waited for.
void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU}) ::signal(signal, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void leave_environment() {
  constexpr const char* lock_file = "XTABLES_LOCKFILE";
  const char* asked = ::getenv(lock_file);
  const std::string kept = asked != nullptr ? asked : "";
  ::clearenv();
  if (!kept.empty()) ::setenv(lock_file, kept.c_str(), 1);
}

}  // namespace

bool close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (first < number && ::close_range(first, number - 1, 0) != 0) return false;
    first = number + 1;
  }
  return ::close_range(first, std::numeric_limits<unsigned>::max(), 0) == 0;
}

bool detach(const std::vector<int>& kept) {
  if (::setsid() < 0) return false;
  // No leader of a session: it can get no terminal. And no child of a process that would have to wait for it.
  const pid_t child = ::fork();
  if (child != 0) ::_exit(child < 0 ? 1 : 0);
  reset_signals();
  leave_environment();
  ::umask(022);
  return ::chdir("/") == 0 && leave_terminal() && close_all_but(kept);
}

}  // namespace topo::kernel
