// The backend of the legacy tables, through libiptc.
#pragma once

#include "firewall/backend.hpp"
#include "firewall/forwarding.hpp"

namespace topo::firewall::iptables {

/// Whether the kernel has legacy tables at this moment; asks without making or loading any.
[[nodiscard]] Result<bool> are_there(const Place& place);

/// What of `tables` is the topology's.
[[nodiscard]] Result<netfilter::Ruleset> observe(const Tables& tables, const std::string& topology);

/// The shared chain of one family; empty where there is none.
[[nodiscard]] Result<SharedChain> shared(const Tables& tables, Family family);

/// Whether a jump leads to the shared chain, where that guards something.
[[nodiscard]] Result<bool> is_shared_in_force(const Tables& tables, Family family);

/// Brings the tables to `after` (nullptr: nothing of ours left), with the forwarding that it needs.
[[nodiscard]] Result<void> replace(const Place& place, const std::string& topology, const Firewall* after, const Waiting& waiting);

/// Makes the shared chain of one family `wanted`.
[[nodiscard]] Result<void> write_shared(const Place& place, Family family, const SharedChain& wanted, const Waiting& waiting);

}  // namespace topo::firewall::iptables
