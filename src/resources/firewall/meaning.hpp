// What the rules of a firewall say, whichever backend's they are.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "resources/firewall/firewall.hpp"

namespace topo {

/// A rule that gives packets another address, in the terms of iptables: of NAT with a target, without the jumps that lead there.
struct AddressTranslation {
  Family family = Family::v4;
  netfilter::Rule rule;
};
[[nodiscard]] std::vector<AddressTranslation> address_translations(const Firewall& firewall);

/// The conntrack zones of plain switches, and their interfaces.
[[nodiscard]] std::map<std::uint16_t, std::string> switch_zones(const Firewall& firewall);

/// The policy in the language's own words (Intent::statements), as far as it is there.
[[nodiscard]] std::vector<std::string> spoken_policy(const Firewall& firewall);

/// The comments of rules and elements: which flow or port map they are of.
[[nodiscard]] std::set<std::string> comments_in(const Firewall& firewall);

/// Whether packets of the family may meet a rule.
[[nodiscard]] bool concerns(const Firewall& firewall, Family family);

/// Whether something of the topology's may reach the gateway itself by that family.
[[nodiscard]] bool reaches_host(const Firewall& firewall, Family family);

/// Whether sender or receiver are told by the bridge's port that a packet takes.
[[nodiscard]] bool matches_bridge_ports(const Firewall& firewall);

}  // namespace topo
