// Processes that go on by themselves.
#pragma once

#include <vector>

namespace topo::kernel {

/// Closes every descriptor but the standard ones and `kept`, whoever owns it: for a child that ends by _exit(2) and so never closes one twice. False,
/// and errno set, where the kernel cannot (before Linux 5.9).
[[nodiscard]] bool close_all_but(std::vector<int> kept);

/// Leaves behind what a process has of its ancestors: session and terminal, descriptors but `kept`, the standard ones now being /dev/null, folder,
/// umask, signals, and the environment but for XTABLES_LOCKFILE. To be called in a child; in its parent it does not return, but ends that.
/// False, and errno set, where the kernel does not let it.
[[nodiscard]] bool detach(const std::vector<int>& kept);

}  // namespace topo::kernel
