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
#include <ctime>
#include <optional>

#include "kernel/file_descriptor.hpp"

namespace topo::cli {
namespace {

constexpr int signal_base = 128;  // of exit codes, as shells have it
constexpr std::array asking_to_end{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// Those that the kernel sends to all of a terminal's foreground group. (A hangup may be told to the session's leader alone.)
bool is_terminals(const siginfo_t& signal) {
  constexpr std::array sent{SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH};
  return signal.si_code == SI_KERNEL && std::find(sent.begin(), sent.end(), signal.si_signo) != sent.end();
}

/// Without one there is nobody to continue what has stopped.
bool has_terminal() { return static_cast<bool>(kernel::FileDescriptor(::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY))); }

/// What was heard of a child since it was asked last.
struct News {
  std::optional<int> code;  ///< it has ended, with this exit code
  std::optional<bool> stopped;
};

News news_of(pid_t child) {
  News news;
  int status = 0;
  while (!news.code && ::waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED) == child) {
    if (WIFEXITED(status)) news.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) news.code = signal_base + WTERMSIG(status);
    news.stopped = WIFSTOPPED(status);
  }
  return news;
}

}  // namespace

Relay::Relay() {
  sigfillset(&waited_);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) sigdelset(&waited_, fault);
  ::sigprocmask(SIG_BLOCK, &waited_, &before_);
  sigemptyset(&asks_to_end_);
  for (const int signal : asking_to_end) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&asks_to_end_, signal);
  }
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
  // What the terminal sent before there was a child did not reach it.
  sigset_t early{};
  ::sigpending(&early);
  for (const int signal : asking_to_end) {
    if (sigismember(&early, signal) == 1) pass_on(child, signal);
  }
  if (sigismember(&early, SIGTSTP) == 1) pass_on(child, SIGTSTP);
  for (bool is_stopped = false;;) {
    siginfo_t signal{};
    if (::sigwaitinfo(&waited_, &signal) < 0) continue;
    if (sigismember(&asks_to_end_, signal.si_signo) == 1) interrupted_ = true;
    const News news = news_of(child);
    if (news.code) return *news.code;
    is_stopped = news.stopped.value_or(is_stopped);
    if (news.stopped == true && has_terminal()) ::raise(SIGSTOP);
    // A shell continues the whole group; once more, and late, would be once too often where the child has been stopped again.
    const bool is_echo = signal.si_signo == SIGCONT && !is_stopped;
    if (signal.si_signo != SIGCHLD && !is_terminals(signal) && !is_echo) ::kill(child, signal.si_signo);
  }
}

void Relay::pass_on(pid_t child, int signal) {
  sigset_t one{};
  sigemptyset(&one);
  sigaddset(&one, signal);
  const timespec now{};
  (void)::sigtimedwait(&one, nullptr, &now);
  interrupted_ = interrupted_ || sigismember(&asks_to_end_, signal) == 1;
  ::kill(child, signal);
}

}  // namespace topo::cli
