// The parts of the outside that a policy tells apart.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "policy/relations.hpp"
#include "topo/ip.hpp"

namespace topo::reach {

/// A part of the outside: the addresses there that the same statements name.
struct Region {
  std::vector<Cidr> networks;                        ///< of CIDR zones; empty: whatever is in none of the others
  std::array<std::optional<IpAddress>, 2> examples;  ///< IPv4, IPv6: an address in it; nullopt: it has none
  [[nodiscard]] const std::optional<IpAddress>& example(Family family) const { return examples[family == Family::v4 ? 0 : 1]; }
};

/// Networks outside, in lists of which each has a name.
using Zones = std::vector<std::vector<Cidr>>;

/// All of the outside, by what statements name and by `zones`; the last is whatever none of them holds.
[[nodiscard]] std::vector<Region> regions_of(const policy::Relations& relations, const Zones& zones);

}  // namespace topo::reach
