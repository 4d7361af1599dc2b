// What a file would have to say for a live state to be what it asks for: the way back from desire.
#pragma once

#include "graph/graph.hpp"
#include "topo/topology.hpp"

namespace topo::report {

/// All values without positions. Ports and flows have their `text` alone, zones' members are all text.
[[nodiscard]] Topology topology_of(const Graph& live);

}  // namespace topo::report
