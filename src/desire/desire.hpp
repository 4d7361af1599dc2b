// Topology to the graph that there shall be.
#pragma once

#include <vector>

#include "graph/graph.hpp"
#include "policy/intent.hpp"
#include "topo/topology.hpp"

namespace topo {

struct Desired {
  Graph graph;
  policy::Intent intent;                ///< the gateway's policy, for reports and connection clean-up
  std::vector<Diagnostic> diagnostics;  ///< mistakes that only the whole shows; not empty: the graph must not be used
};

/// Expands replicas, gives names, MACs and addresses, resolves zones and next hops, and checks all that a file cannot say.
/// Pure and deterministic: equal topologies give equal graphs. Safe on a Topology that load found mistakes in: what names nothing is
/// skipped where load has already said so.
[[nodiscard]] Desired desire(const Topology& topology);

/// The diagnostics of `desire` alone, for less than half its work.
[[nodiscard]] std::vector<Diagnostic> check(const Topology& topology);

}  // namespace topo
