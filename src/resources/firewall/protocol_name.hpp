// What iptables and nft both call a protocol.
#pragma once

#include <cstdint>
#include <string>

namespace topo {

/// "tcp", of an IP protocol's number (IANA); the number where they have no word for it that topo writes.
[[nodiscard]] inline std::string protocol_name(std::uint32_t protocol) {
  switch (protocol) {
    case 1:
      return "icmp";
    case 6:
      return "tcp";
    case 17:
      return "udp";
    case 58:
      return "ipv6-icmp";
    default:
      return std::to_string(protocol);
  }
}

}  // namespace topo
