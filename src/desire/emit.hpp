// The network as resources.
#pragma once

#include "desire/network.hpp"
#include "graph/graph.hpp"

namespace topo::network {

/// Everything but the firewalls. `Intent::segments` say which bridges are filtered.
[[nodiscard]] Graph graph_of(const Network& network);

}  // namespace topo::network
