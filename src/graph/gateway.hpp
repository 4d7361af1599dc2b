// A topology whose bridges are in a namespace of its own (`gateway: own`), seen as if they were on the host.
#pragma once

#include <optional>
#include <string>

#include "graph/graph.hpp"

namespace topo {

/// The namespace that the topology's bridges are in; nullopt: the one topo runs in, or there are none.
[[nodiscard]] std::optional<std::string> own_gateway_in(const Graph& graph);

/// `graph` with its bridges on the host, as the same file with `gateway: host` has them: who meets whom and what is allowed is the same. The gateway's
/// namespace, its uplinks and its routing are not in it; where the host has no firewall, the gateway's is its. nullopt: there is no such namespace.
[[nodiscard]] std::optional<Graph> with_bridges_on_host(const Graph& graph);

}  // namespace topo
