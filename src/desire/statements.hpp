// The policy in the language's own words, one statement each, as the kernel keeps them.
#pragma once

#include <string>
#include <vector>

#include "topo/topology.hpp"

namespace topo::network {

/// A rule without its key, one statement for each range of its ports: "web -> db:5432".
[[nodiscard]] std::vector<std::string> statements_of(const FlowSpec& flow);

/// ":53/udp,80" or nothing.
[[nodiscard]] std::string ports_text(const std::vector<PortRange>& ports);

}  // namespace topo::network
