// By which backend a topology's firewalls are, which the machine decides as well as the user.
#pragma once

#include <optional>

#include "firewall/backend.hpp"
#include "graph/graph.hpp"
#include "topo/firewall.hpp"

namespace topo {

/// `desired` with its firewalls compiled for one backend, the same for all: the chosen one; by FirewallChoice::automatic the one that `live` has,
/// else the one that suits the gateway, whose rules `gateway` reads. `applied`: the one that `live` has in any case. nullopt: as it is.
/// Exit::unsupported where there is none and a firewall is needed.
[[nodiscard]] Result<std::optional<Graph>> settle_firewalls(const Graph& desired, const Graph& live, FirewallChoice choice, bool applied,
                                                            const firewall::Tables& gateway);

}  // namespace topo
