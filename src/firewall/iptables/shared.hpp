// The shared chain as a table of iptables holds it.
#pragma once

#include "firewall/forwarding.hpp"
#include "firewall/iptables/ownership.hpp"

namespace topo::firewall::iptables {

/// The meaning of what shared_in found.
[[nodiscard]] SharedChain read_shared(const Owned& shared, Family family);
[[nodiscard]] Result<std::vector<Entry>> shared_entries(const SharedChain& chain, Family family);
/// The jump to it from FORWARD.
[[nodiscard]] Result<Entry> shared_jump(Family family);

}  // namespace topo::firewall::iptables
