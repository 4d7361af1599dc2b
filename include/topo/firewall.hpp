// What a topology is filtered and translated with.
#pragma once

#include <cstdint>

namespace topo {

/// As `--firewall` of topo(1) has it.
enum class FirewallChoice : std::uint8_t {
  automatic,  ///< what the topology has, else what suits the host
  iptables,   ///< the legacy tables
  nftables,
  none,  ///< nothing: only topologies that need no firewall
};

}  // namespace topo
