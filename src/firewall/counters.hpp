// What the rules of a topology have counted.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "firewall/backend.hpp"

namespace topo::firewall {

/// Each rule of the topology's own chains in the table filter, in their order, and the packets it has met.
using Counters = std::map<netfilter::ChainId, std::vector<std::pair<netfilter::Rule, std::uint64_t>>>;

/// Reads them anew; changes nothing. Empty: it has no chain there.
[[nodiscard]] Result<Counters> count_packets(const Place& place, const std::string& topology);

}  // namespace topo::firewall
