// A child process in this one's place: signals and stops go through, its exit code comes back.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>

#include "topo/error.hpp"

namespace topo::cli {

/// From when it is made to the end of this process, signals to it are for the child of `run` and no longer for itself. They wait where there is none.
class Relay {
 public:
  Relay();

  /// Whether one has come that asks whoever it is for to end, and that was not ignored when this object was made.
  [[nodiscard]] bool interrupted() const { return interrupted_; }

  /// Calls `body` in a child, which ends there and then (no destructor of what is static is run), where signals are as they were before this object
  /// was, and gives the exit code that it returns; 128+n where signal n ends the child. Signals that came before and that come meanwhile are passed on,
  /// but for those that the terminal sends while there is a child: that is in this process's group and has them already. Where there is a terminal, this process stops when the child
  /// does.
  [[nodiscard]] Result<int> run(const std::function<int()>& body);

 private:
  void pass_on(pid_t child, int signal);

  sigset_t waited_{}, before_{}, asks_to_end_{};
  bool interrupted_ = false;
  struct sigaction child_before_ {};
};

}  // namespace topo::cli
