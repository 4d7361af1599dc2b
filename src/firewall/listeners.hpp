// Sockets on which programs wait for packets: sock_diag(7).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "firewall/backend.hpp"
#include "topo/ip.hpp"

namespace topo::firewall {

struct Listener {
  std::uint8_t protocol = 6;
  IpAddress address;  ///< unspecified: every address of its family
  std::uint16_t port = 0;
  bool both_families = false;  ///< an IPv6 socket on every address that takes IPv4 as well

  /// "0.0.0.0:80", "[::]:80"
  [[nodiscard]] std::string to_string() const;
};

/// The listening TCP sockets of `place` and its bound UDP sockets without a peer.
[[nodiscard]] Result<std::vector<Listener>> listeners(const Place& place);

}  // namespace topo::firewall
