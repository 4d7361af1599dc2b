// Capabilities (capabilities(7)): what a command needs, and no more than that.
#pragma once

#include <string>

#include "topo/error.hpp"

namespace topo::cli {

/// Exit::unsupported where the program is set-user-ID or set-group-ID: whoever may run it would change the network with its owner's rights.
[[nodiscard]] Result<void> refuse_borrowed_rights();

/// Exit::unsupported where the process may not work on networks (CAP_NET_ADMIN) and namespaces (CAP_SYS_ADMIN). `purpose` is "read the
/// network", "enter a namespace".
[[nodiscard]] Result<void> need_privilege(const std::string& purpose);

/// Gives up, for good, every capability that topo's work on the kernel does not need, and the way to new ones by executing a program. Kept are NET_ADMIN,
/// SYS_ADMIN and NET_RAW, and where a kernel module may be missing SYS_MODULE, for modprobe alone. The bounding set is left as it is where the process
/// may not change it (no CAP_SETPCAP). `listens`: it keeps NET_BIND_SERVICE too, to listen on any port in a topology's namespaces.
void drop_privileges(bool listens = false);

}  // namespace topo::cli
