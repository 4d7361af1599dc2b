// What a compiled ruleset does to a first packet. Used to find connections that are no longer allowed.
#pragma once

#include <cstdint>
#include <string>

#include "resources/firewall/rule.hpp"

namespace topo::policy {

/// The first packet of a connection as the filter table sees it: after DNAT, before SNAT.
struct Packet {
  std::string in, out;               ///< interfaces; empty: the host itself
  std::uint32_t in_group = 0, out_group = 0;
  std::string physical_in, physical_out;
  bool bridged = false;
  IpAddress source, destination;
  std::uint8_t protocol = 6;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t icmp_type = 8;
  bool dnat = false;
  bool source_local = false, destination_local = false;
};

/// True unless a rule of `rules` on the packet's way (INPUT, OUTPUT or FORWARD, by which of `in` and `out` are set) drops or rejects it.
[[nodiscard]] bool passes(const netfilter::Ruleset& rules, const Packet& packet);

}  // namespace topo::policy
