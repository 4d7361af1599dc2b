// One rule of what libnftables lists.
#pragma once

#include <cstdint>

#include "firewall/nftables/json.hpp"
#include "resources/firewall/nftables.hpp"

namespace topo::firewall::nftables {

/// What the terms of topo::nftables cannot say exactly is Rule::opaque.
[[nodiscard]] topo::nftables::Rule rule_in(const Json& json);

/// The packets that the rule has counted; 0 where it does not count, or the listing is one without counts.
[[nodiscard]] std::uint64_t packets_of(const Json& json);

}  // namespace topo::firewall::nftables
