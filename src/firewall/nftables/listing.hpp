// What libnftables lists, as rulesets.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "resources/firewall/nftables.hpp"
#include "topo/error.hpp"

namespace topo::firewall::nftables {

/// The tables of a listing of one family, by name, without the elements of their sets. What the terms of topo::nftables cannot say exactly is
/// Rule::opaque, or in Table::strange.
[[nodiscard]] Result<std::map<std::string, topo::nftables::Table>> tables_in(const std::string& listing);

/// Of a listing with counts: each rule of table `name`, by chain, and the packets that it has counted; 0 where it does not count.
[[nodiscard]] Result<std::map<std::string, std::vector<std::pair<topo::nftables::Rule, std::uint64_t>>>> counts_in(const std::string& listing,
                                                                                                                   const std::string& name);

}  // namespace topo::firewall::nftables
