// Intent to iptables rules.
#pragma once

#include "policy/intent.hpp"
#include "resources/firewall/firewall.hpp"

namespace topo::policy {

/// Sets Segment::filtered: true where something inside the bridge is not simply allowed, or where a member can only be known by its port
/// (a router, or one without an address, whose packets cross the gateway).
void needs_bridge_filter(Intent& intent);

/// The rules that mean `intent` in namespace `ns`; deterministic. Segment::filtered must be set.
[[nodiscard]] Firewall compile(const Intent& intent, const std::string& ns);

}  // namespace topo::policy
