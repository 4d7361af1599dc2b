// What rtnetlink tells of one namespace, as plain values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "topo/ip.hpp"
#include "topo/mac.hpp"

namespace topo::kernel {

/// linux/if_bridge.h, IFLA_BR_*.
struct BridgeRecord {
  bool stp = false;
  bool topology_change = false;      ///< the spanning tree is being changed
  std::uint32_t ageing_time_cs = 0;  ///< hundredths of a second
  bool nf_call_iptables = false;
  bool nf_call_ip6tables = false;
};

/// IFLA_BRPORT_*.
struct PortRecord {
  std::uint8_t state = 0;  ///< BR_STATE_FORWARDING is 3
  bool hairpin = false;
};

struct LinkRecord {
  int index = 0;
  std::string name;
  std::string kind;  ///< IFLA_INFO_KIND, empty for lo and hardware
  std::string alias;
  std::vector<std::string> alternative_names;
  std::uint32_t group = 0;
  Mac mac;
  std::uint32_t mtu = 0;
  std::uint32_t flags = 0;  ///< IFF_*
  int master = 0;           ///< index, 0: none
  int peer = 0;             ///< IFLA_LINK: the peer's index, in its own namespace
  std::optional<BridgeRecord> bridge;
  std::optional<PortRecord> port;
  std::vector<std::uint32_t> ipv4;  ///< by IPV4_DEVCONF_x - 1 (linux/ip.h); empty: no IPv4 here
  std::vector<std::uint32_t> ipv6;  ///< by DEVCONF_x (linux/ipv6.h); empty: no IPv6 here

  /// A setting of the vectors above; 0 where the kernel does not have it.
  [[nodiscard]] std::uint32_t ipv4_setting(int number) const;
  [[nodiscard]] std::uint32_t ipv6_setting(int number) const;
  [[nodiscard]] bool is_up() const;
  [[nodiscard]] bool is_running() const;
};

struct AddressRecord {
  int link = 0;
  Cidr address;
  std::uint8_t protocol = 0;  ///< IFA_PROTO
  bool permanent = true;
  bool secondary = false;  ///< IPv4: another of its subnet stands before it
};

struct NextHopRecord {
  std::optional<IpAddress> via;
  int link = 0;
  std::uint16_t weight = 1;
};

struct RouteRecord {
  Cidr destination;
  std::uint32_t table = 0;
  std::uint32_t metric = 0;
  std::uint8_t type = 0;      ///< RTN_*
  std::uint8_t protocol = 0;  ///< RTPROT_*
  std::vector<NextHopRecord> next_hops;
  std::optional<IpAddress> source;
};

struct RuleRecord {
  Family family = Family::v4;
  std::uint32_t priority = 0;
  std::uint8_t protocol = 0;
  std::uint8_t action = 0;  ///< FR_ACT_*
  std::optional<Cidr> from, to;
  std::string iif;
  std::uint32_t table = 0;
  bool more = false;  ///< it says something that the fields above do not
};

/// An entry of the ARP or the neighbour discovery table.
struct NeighbourRecord {
  int link = 0;
  IpAddress address;
  std::uint16_t state = 0;  ///< NUD_*
  Mac mac;                  ///< zero: none
};

/// Settings of a whole namespace (net/*/conf/all), as RTM_GETNETCONF tells them.
struct NamespaceSettings {
  std::optional<bool> forwarding_v4, forwarding_v6;  ///< nullopt: the kernel has no such family
  std::uint32_t rp_filter = 0;
};

/// Everything of one namespace at about one time.
struct Snapshot {
  std::vector<LinkRecord> links;  ///< sorted by index
  std::vector<AddressRecord> addresses;
  std::vector<RouteRecord> routes;
  std::vector<RuleRecord> rules;
  NamespaceSettings settings;
  bool has_iptables = false;  ///< a legacy table of either family exists

  [[nodiscard]] const LinkRecord* link(int index) const;
  /// By its name or one of its alternative names.
  [[nodiscard]] const LinkRecord* link(const std::string& name) const;
  /// Must be called when `links` is complete.
  void index_links();

 private:
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace topo::kernel
