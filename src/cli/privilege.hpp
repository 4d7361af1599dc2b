// Capabilities (capabilities(7)): what a command needs, and no more than that.
#pragma once

#include <string>

#include "topo/error.hpp"

namespace topo::cli {

/// Exit::unsupported where the process may not work on networks (CAP_NET_ADMIN) and namespaces (CAP_SYS_ADMIN). `purpose` is "read the
/// network", "enter a namespace".
[[nodiscard]] Result<void> need_privilege(const std::string& purpose);

/// Gives up, for good, every capability that topo's work on the kernel does not need, and the way to new ones by executing a program.
void drop_privileges();

}  // namespace topo::cli
