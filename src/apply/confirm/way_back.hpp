// From a change that nobody confirmed to what was there before.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "apply/state.hpp"
#include "apply/transaction.hpp"
#include "kernel/file_descriptor.hpp"

namespace topo {

/// What is gone back to.
struct Earlier {
  Graph graph;                     ///< bears the topology's name; nothing in it: there was nothing
  std::optional<Applied> applied;  ///< as it was recorded
  std::vector<int> kept{};  ///< descriptors that the Kernels need, to start commands again
};

/// One try to go back, in a process of its own: whatever becomes of that, the one that holds the earlier state lives.
class WayBack {
 public:
  /// Begins it. An error: nothing was begun.
  [[nodiscard]] static Result<WayBack> begin(const Earlier& earlier, const Kernels& kernels, const std::string& folder,
                                             std::chrono::milliseconds lock_timeout);
  /// Readable (poll(2)) where there is something to hear.
  [[nodiscard]] int fd() const { return result_.get(); }
  /// What came of it; nullopt: it is still going on. Never waits.
  [[nodiscard]] std::optional<Result<void>> outcome();

 private:
  WayBack(pid_t process, kernel::FileDescriptor result) : process_(process), result_(std::move(result)) {}
  pid_t process_;
  kernel::FileDescriptor result_;
  std::string said_;
};

}  // namespace topo
