// Locks on files, of all programs: flock(2).
#pragma once

#include <string>

#include "kernel/file_descriptor.hpp"

namespace topo::kernel {

/// " (process 4711)": who holds a flock on the open file, from /proc/locks; empty where it cannot be known.
[[nodiscard]] std::string flock_holder(const FileDescriptor& file);

}  // namespace topo::kernel
