// One netfilter rule in the terms of iptables(8), independent of how a backend encodes it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "topo/ip.hpp"

namespace topo::netfilter {

enum class Table : std::uint8_t { filter, nat, raw };

/// As iptables names it: "filter".
[[nodiscard]] std::string to_string(Table table);

/// A value that may be negated ("! -s ...").
template <class T>
struct Maybe {
  T value{};
  bool negated = false;
  bool operator==(const Maybe&) const = default;
};

/// A range of ports or of one port.
struct Ports {
  std::uint16_t first = 0, last = 65535;
  bool operator==(const Ports&) const = default;
};

/// -m devgroup: interfaces by link group (linux/netfilter/xt_devgroup.h).
struct DeviceGroup {
  std::uint32_t value = 0, mask = 0xffffffff;
  bool operator==(const DeviceGroup&) const = default;
};

/// Bits of -m conntrack --ctstate.
enum ConnectionState : std::uint8_t { ct_invalid = 1, ct_established = 2, ct_related = 4, ct_new = 8, ct_untracked = 16, ct_snat = 32, ct_dnat = 64 };

/// -m addrtype; the types that topo uses (linux/netfilter/xt_addrtype.h).
enum class AddressType : std::uint8_t { local, broadcast, multicast };

struct Target {
  enum class Kind : std::uint8_t { accept, drop, return_, jump, go_to, reject, dnat, snat, masquerade, zone } kind = Kind::accept;
  std::string chain;                 ///< jump, go_to
  enum class Reject : std::uint8_t { admin_prohibited, tcp_reset } reject = Reject::admin_prohibited;
  std::optional<IpAddress> address;  ///< dnat, snat
  std::optional<Ports> ports;        ///< dnat: the target's ports
  std::optional<std::uint16_t> base; ///< dnat of a range: the first outside port, so that each maps to its own (NF_NAT_RANGE_PROTO_OFFSET)
  std::uint16_t zone = 0;            ///< zone: the conntrack zone (linux/netfilter/xt_CT.h)
  bool operator==(const Target&) const = default;
};

/// A rule. What is unset matches everything.
struct Rule {
  std::optional<Maybe<std::string>> in, out;    ///< -i, -o
  std::optional<Maybe<Cidr>> source, destination;
  std::optional<std::uint8_t> protocol;         ///< 6 tcp, 17 udp, 1 icmp, 58 icmpv6
  std::optional<Ports> source_ports, destination_ports;  ///< tcp and udp
  std::optional<std::uint8_t> icmp_type;        ///< icmp and icmpv6, any code
  std::optional<Maybe<DeviceGroup>> in_group, out_group;
  std::uint8_t states = 0;                      ///< -m conntrack --ctstate; 0: no match
  bool states_negated = false;
  bool reply = false;                           ///< -m conntrack --ctdir REPLY, beside states
  std::optional<AddressType> source_type, destination_type;  ///< -m addrtype
  std::optional<std::string> physical_in, physical_out;      ///< -m physdev
  bool bridged = false;                         ///< -m physdev --physdev-is-bridged
  std::string comment;                          ///< -m comment, at most 255 bytes
  Target target;
  std::string opaque;                           ///< a live rule that the terms above cannot say: the backend's bytes, and nothing else is set
  bool operator==(const Rule&) const = default;
};

/// The rule as iptables-save prints it, without "-A CHAIN ".
[[nodiscard]] std::string to_string(const Rule& rule, Family family);

/// A chain's place.
struct ChainId {
  Family family = Family::v4;
  Table table = Table::filter;
  std::string name;
  auto operator<=>(const ChainId&) const = default;
};

/// The chains one topology owns in one namespace, and its jumps in the built-in chains.
struct Ruleset {
  std::map<ChainId, std::vector<Rule>> chains;
  /// Built-in chain -> the jumps of this topology in it (one each, put in front of what is there when it is made).
  std::map<ChainId, std::vector<Rule>> jumps;
  bool operator==(const Ruleset&) const = default;
  [[nodiscard]] bool empty() const { return chains.empty() && jumps.empty(); }
};

/// What iptables-restore reads, for people and for tests.
[[nodiscard]] std::string to_restore_text(const Ruleset& rules, Family family);

}  // namespace topo::netfilter
