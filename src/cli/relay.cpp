#include "cli/relay.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernel/file_descriptor.hpp"

namespace topo::cli {
namespace {

constexpr int signal_base = 128;  // of exit codes, as shells have it

/// Those that the kernel sends to all of a terminal's foreground group. (A hangup may be told to the session's leader alone.)
bool is_terminals(const siginfo_t& signal) {
  constexpr std::array sent{SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH};
  return signal.si_code == SI_KERNEL && std::find(sent.begin(), sent.end(), signal.si_signo) != sent.end();
}

/// Without one there is nobody to continue what has stopped.
bool has_terminal() { return static_cast<bool>(kernel::FileDescriptor(::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY))); }

}  // namespace

Relay::Relay() {
  sigfillset(&waited_);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) sigdelset(&waited_, fault);
  ::sigprocmask(SIG_BLOCK, &waited_, &before_);
  // Were it ignored, as whoever started this may have left it, children would not wait to be asked for their exit codes.
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &usual, &child_before_);
}

Result<int> Relay::run(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return Error{Exit::rolled_back, "cannot start a process", {}, std::strerror(errno), {}, {}};
  if (child == 0) {
    ::sigaction(SIGCHLD, &child_before_, nullptr);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    const int code = body();
    std::fflush(nullptr);
    std::_Exit(code);
  }
  for (;;) {
    siginfo_t signal{};
    if (::sigwaitinfo(&waited_, &signal) < 0) continue;
    if (signal.si_signo != SIGCHLD) {
      if (!is_terminals(signal)) ::kill(child, signal.si_signo);
      continue;
    }
    int status = 0;
    if (::waitpid(child, &status, WNOHANG | WUNTRACED) != child) continue;
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    if (WIFSIGNALED(status)) return signal_base + WTERMSIG(status);
    // The SIGCONT that ends this is passed on like any other signal.
    if (has_terminal()) ::raise(SIGSTOP);
  }
}

}  // namespace topo::cli
