// The live state as a topology file.
#pragma once

#include <string>

#include "graph/graph.hpp"

namespace topo::report {

/// A file that, applied, changes nothing in the network: what topo derives from names is left out, what it chose (addresses, gateways) is written
/// down. Replicas that had to be written singly change the words of the policy that names them.
/// Statements of the policy are taken from the firewall's own record of them.
[[nodiscard]] std::string topology_file(const Graph& live);

}  // namespace topo::report
