// The kernel half of neighbours that are set; and what the kernel has learnt of who is where: neighbour tables (ARP, neighbour discovery) and the
// bridges' forwarding tables. That is no resource, but a change of resources can make it false.
#pragma once

#include "resources/kernel.hpp"
#include "resources/neighbour/neighbour.hpp"

namespace topo {

template <>
struct KernelHalf<Neighbour> {
  [[nodiscard]] static Result<void> create(const Neighbour& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Neighbour& before, const Neighbour& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Neighbour& live, Execution& execution);
  /// Of the topology's namespaces that have bridges.
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
};

/// Once the plan is performed, forgets what is no longer so: the link-layer address of an IP address that another interface has now, or none; and,
/// where bridges are joined by cables, behind which port a station is. The kernel would go on believing it for up to a minute.
void forget_neighbours(Execution& execution);

}  // namespace topo
