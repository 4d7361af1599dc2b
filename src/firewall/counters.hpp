// What the rules of a topology have counted.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "firewall/backend.hpp"
#include "policy/verdict.hpp"

namespace topo::firewall {

/// Each rule of the topology's own chains of filters, in their order, and the packets it has met; 0 where it does not count.
using Counters = std::map<policy::ChainPlace, std::vector<std::pair<policy::CompiledRule, std::uint64_t>>>;

/// Reads them anew; changes nothing. Empty: it has no chain there.
[[nodiscard]] Result<Counters> count_packets(const Place& place, const std::string& topology);

}  // namespace topo::firewall
