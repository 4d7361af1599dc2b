// A child process in this one's place: signals and stops go through, its exit code comes back.
#pragma once

#include <csignal>
#include <functional>

#include "topo/error.hpp"

namespace topo::cli {

/// From when it is made to the end of this process, signals to it are for the child of `run` and no longer for itself. They wait where there is none.
class Relay {
 public:
  Relay();

  /// Calls `body` in a child, which ends there and then (no destructor of what is static is run), where signals are as they were before this object
  /// was, and gives the exit code that it returns; 128+n where signal n ends the child. Signals that come meanwhile are passed on, but for those that
  /// the terminal sends: the child is in this process's group and has them already. Where there is a terminal, this process stops when the child
  /// does.
  [[nodiscard]] Result<int> run(const std::function<int()>& body);

 private:
  sigset_t waited_{}, before_{};
  struct sigaction child_before_ {};
};

}  // namespace topo::cli
