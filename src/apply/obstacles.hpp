// What stands in the way of a desired graph.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apply/kernel.hpp"
#include "resources/kernel.hpp"

namespace topo {

/// Names of namespaces and interfaces, and subnets, that `reading.desired` wants and somebody else has. `strangers` are the names in the folder of
/// namespaces that are not the topology's, and whose they are.
[[nodiscard]] std::vector<Obstacle> obstacles(const Reading& reading, const std::map<std::string, std::string>& strangers, const Graph& live);

}  // namespace topo
