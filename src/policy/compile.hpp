// Intent to the rules of a backend.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "policy/intent.hpp"
#include "resources/firewall/firewall.hpp"

namespace topo::policy {

/// Sets Segment::filtered: true where something inside the bridge is not simply allowed, or where a member can only be known by its port
/// (a router, or one without an address, whose packets cross the gateway).
void needs_bridge_filter(Intent& intent);

/// What of `intent` only a firewall can do, in a user's words: "nat of frontend"; nullopt where nothing is.
[[nodiscard]] std::optional<std::string> need_of_firewall(const Intent& intent);

/// The rules that mean `intent` in namespace `ns`, in the terms of `backend`; deterministic. Segment::filtered must be set.
[[nodiscard]] Firewall compile(const Intent& intent, const std::string& ns, Backend backend = Backend::iptables);
[[nodiscard]] Firewall compile(std::shared_ptr<const Intent> intent, const std::string& ns, Backend backend);

}  // namespace topo::policy
