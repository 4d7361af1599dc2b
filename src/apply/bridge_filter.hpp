// br_netfilter, for topologies that are going to be applied on a private host.
#pragma once

#include "graph/graph.hpp"
#include "topo/error.hpp"

namespace topo {

/// Whether a firewall of `graph` matches bridge ports.
[[nodiscard]] bool filters_in_bridges(const Graph& graph);

/// firewall::provide_bridge_filter for the network that the calling thread is in.
[[nodiscard]] Result<void> provide_bridge_filter(bool may_load);

}  // namespace topo
