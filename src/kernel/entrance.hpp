// How a process enters a namespace for good, as `ip netns exec` does.
#pragma once

#include <string>
#include <vector>

#include "topo/error.hpp"

namespace topo::kernel {

/// Puts the calling process, which must have no other thread, into the namespace of that name, with a /sys that shows it and the files of
/// /etc/netns/NAME over those of /etc. What of these cannot be mounted is no error (ip-netns(8)): it is told by the result, a sentence each. Exit::invalid
/// where there is no such namespace.
[[nodiscard]] Result<std::vector<std::string>> enter_named(const std::string& ns);

/// Gives the calling process, which has mounts of its own, an empty /etc/netns of its own. Where the machine has no such folder, and `needed` says that
/// one will be, it gets an /etc of its own, in which all that the machine has in its own stays mounted.
[[nodiscard]] Result<void> provide_etc(bool needed);

}  // namespace topo::kernel
