// Network namespaces as the kernel has them: setns(2), network_namespaces(7).
#pragma once

#include <string>

#include "kernel/file_descriptor.hpp"
#include "topo/error.hpp"

namespace topo::kernel {

/// The network namespace the calling thread is in, as a descriptor.
[[nodiscard]] Result<FileDescriptor> own_namespace();

/// Puts the calling thread into another network namespace while it lives. The way back cannot be refused to a caller that may enter
/// at all; should the kernel refuse it nevertheless the process is ended, since all that follows would hit the wrong namespace.
class Inside {
 public:
  /// Enters the namespace of `netns_fd`; `home_fd` is where to return to. With equal descriptors nothing is done.
  [[nodiscard]] static Result<Inside> enter(int netns_fd, int home_fd);
  Inside(Inside&& other) noexcept : home_fd_(std::exchange(other.home_fd_, -1)) {}
  Inside& operator=(Inside&&) = delete;
  ~Inside();

 private:
  explicit Inside(int home_fd) : home_fd_(home_fd) {}
  int home_fd_;
};

}  // namespace topo::kernel
