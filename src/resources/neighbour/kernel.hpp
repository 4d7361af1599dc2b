// What the kernel has learnt of who is where: neighbour tables (ARP, neighbour discovery) and the bridges' forwarding tables. No resource, but a
// change of resources can make it false.
#pragma once

#include "resources/kernel.hpp"

namespace topo {

/// Once the plan is performed, forgets what is no longer so: the link-layer address of an IP address that another interface has now, or none; and,
/// where bridges are joined by cables, behind which port a station is. The kernel would go on believing it for up to a minute.
void forget_neighbours(Execution& execution);

}  // namespace topo
