// The backend of nf_tables, through libnftables.
#pragma once

#include "firewall/backend.hpp"
#include "firewall/forwarding.hpp"

namespace topo::firewall::nftables {

/// What the kernel has of nf_tables; asks without making or loading anything.
enum class Presence : std::uint8_t { none, not_loaded, there };
[[nodiscard]] Presence presence(const Place& place);

/// The tables of `topology` in a namespace; empty where there are none.
[[nodiscard]] Result<topo::nftables::Ruleset> observe(const Tables& tables, const std::string& topology);

/// The shared chain of one family; empty where there is none.
[[nodiscard]] Result<SharedChain> shared(const Tables& tables, Family family);

/// Whether the shared table is to the letter what its meaning asks for: nobody has put anything into it, or taken it out of force.
[[nodiscard]] Result<bool> is_shared_in_force(const Tables& tables);

/// Brings the tables to `after` (nullptr: nothing of ours left), with the forwarding that it needs, in one transaction.
[[nodiscard]] Result<void> replace(const Place& place, const std::string& topology, const Firewall* after, const Waiting& waiting);

/// Makes the shared chain of one family `wanted`.
[[nodiscard]] Result<void> write_shared(const Place& place, Family family, const SharedChain& wanted);

}  // namespace topo::firewall::nftables
