// What a policy means where the bridges are in a namespace of their own (`gateway: own`): one meaning, enforced in two places.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/intent.hpp"

namespace topo::policy {

/// What the host has of it: of each bridge that `uplinks` (by segment; empty: none) has an uplink for, the host's end, with the bridge's name, is a segment
/// as the end of a link to the host is. What concerns the internet and the host, NAT and port maps is decided there, and between segments what comes
/// to the host: by port maps, and from and to links to the host.
[[nodiscard]] Intent at_host(const Intent& intent, const std::vector<std::string>& uplinks);

/// Of each member, whether the host cannot tell it from others: a router, or one without an address, on a bridge with others.
[[nodiscard]] std::vector<bool> unknown_at_host(const Intent& intent, const std::vector<std::string>& uplinks);

/// The one of these members of whom the host would have to decide what `flow` says; nullopt: there is none. That such a member may open by a port map what
/// is allowed it, the host does not know either: that is denied.
[[nodiscard]] std::optional<std::size_t> undecided_at_host(const Intent& intent, const Flow& flow, const std::vector<bool>& unknown, bool denies);

/// What the gateway namespace has of it: everything between members of bridges. On each uplink the host is a router, which may send whatever it forwards to
/// members, and members may send to it: the host has decided, or will.
[[nodiscard]] Intent at_gateway(const Intent& intent, const std::vector<std::string>& uplinks);

}  // namespace topo::policy
