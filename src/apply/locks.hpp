// What keeps two topos from changing one kernel at once (flock(2)).
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "kernel/file_descriptor.hpp"
#include "topo/error.hpp"
#include "topo/names.hpp"

namespace topo {

/// Opens `folder` (made with mode 0700 where it is not there) for openat; refuses what is a symbolic link or another user's.
[[nodiscard]] Result<kernel::FileDescriptor> open_folder(const std::string& folder);

/// The lock of one topology and the one of the host's shared parts, held while this lives; the kernel drops them with the process.
class Locks {
 public:
  Locks() = default;
  /// Waits until `timeout` is over (Exit::locked, naming the holder) or `stop` says so (Exit::interrupted).
  [[nodiscard]] static Result<Locks> take(const std::string& folder, const std::string& topology, std::chrono::milliseconds timeout,
                                          const std::function<bool()>& stop);

 private:
  kernel::FileDescriptor topology_;
  kernel::FileDescriptor host_;
};

}  // namespace topo
