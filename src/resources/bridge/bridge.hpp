// An Ethernet bridge in a gateway namespace (linux/if_bridge.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/relation.hpp"
#include "topo/mac.hpp"

namespace topo {

struct Bridge {
  std::string ns;  ///< the namespace it lives in; empty: the one topo runs in
  std::string name;
  Mac mac;
  std::uint32_t mtu = 1500;
  bool stp = false;
  std::uint32_t ageing_time_s = 300;
  bool filtered = false;       ///< bridged packets pass ip(6)tables: IFLA_BR_NF_CALL_IPTABLES and _IP6TABLES, this bridge's alone
  bool gateway_v4 = false;     ///< the gateway has an IPv4 address here: forwards; else it answers no ARP (arp_ignore 8)
  bool gateway_v6 = false;     ///< the gateway has an IPv6 address here: forwards (force_forwarding), accept_ra 0; else disable_ipv6
  bool route_localnet = false; ///< a port map's target is here: packets from 127.0.0.0/8 may leave to it
  /// Live only: what someone changed that no other field tells ("down", "mark lost"); empty: as made. A difference of its own, "state".
  std::string amiss;
  bool operator==(const Bridge&) const = default;

  static constexpr std::string_view kind = "bridge";
  static constexpr int rank = 20;
  [[nodiscard]] std::string key() const { return ns + ":" + name; }
  [[nodiscard]] std::vector<std::string> needs() const;
  [[nodiscard]] std::vector<std::string> provides() const { return {interface_need(ns, name)}; }
  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string summary() const;
};
[[nodiscard]] Differences differences(const Bridge& before, const Bridge& after);

}  // namespace topo
