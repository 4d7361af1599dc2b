// What a topology file says: names, not yet numbers. Produced by load, consumed by desire.
// `doubtful` is what something was refused of: what only follows from that is no further mistake.
// Everything is as written: `defaults`, `vars` and `include` are already merged in, `replicas` and `[*]` are not yet expanded.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "topo/diagnostic.hpp"
#include "topo/etc_files.hpp"
#include "topo/ip.hpp"
#include "topo/mac.hpp"

namespace topo {

/// Source address translation of what leaves.
struct Nat {
  enum class Kind : std::uint8_t { none, masquerade, snat } kind = Kind::none;
  IpAddress to;  ///< snat only
  Position at;   ///< of the address, or of the word
  bool operator==(const Nat& other) const { return kind == other.kind && to == other.to; }
  /// Whether what leaves by it gets another source address.
  [[nodiscard]] bool masks(Family family) const { return kind == Kind::masquerade || (kind == Kind::snat && to.family() == family); }
};

/// An address of an interface as a file gives it; the prefix may come from the bridge's subnet.
struct InterfaceAddress {
  IpAddress address;
  std::optional<std::uint8_t> prefix;
};

struct BridgeSpec {
  std::string name;
  Position at;
  std::vector<Located<Cidr>> subnets;
  std::vector<Located<IpAddress>> addresses;  ///< the gateway's own, where given
  bool plain = false;                         ///< `address: none`: a switch in which the gateway has no part
  Nat nat;
  bool isolated = false;
  std::optional<Located<std::uint32_t>> mtu;
  std::optional<Located<Mac>> mac;
  bool stp = false;
  std::optional<Located<std::uint32_t>> ageing_time_s;
  bool doubtful = false;
};

struct AttachmentSpec {
  Position at;
  Located<std::string> bridge;
  std::vector<Located<InterfaceAddress>> addresses;
  bool no_address = false;  ///< `address: none`
  std::optional<Located<std::string>> name;
  std::optional<Located<Mac>> mac;
  std::optional<Located<std::uint32_t>> mtu;
};

struct GatewaySpec {
  enum class Kind : std::uint8_t { automatic, none, addresses } kind = Kind::automatic;
  std::vector<Located<IpAddress>> addresses;  ///< at most one a family
  Position at;
};

struct RouteSpec {
  enum class Type : std::uint8_t { unicast, unreachable, blackhole, prohibit };
  Position at;
  std::optional<Cidr> destination;  ///< nullopt is `default`, of every family that applies
  Type type = Type::unicast;
  std::optional<Located<std::variant<IpAddress, std::string>>> via;  ///< an address, or the name of a namespace that shares a link or bridge
  std::optional<Located<std::string>> dev;
  std::optional<std::uint32_t> metric;
  std::optional<Located<IpAddress>> src;
  std::optional<std::uint32_t> table;
  std::optional<std::uint32_t> weight;  ///< 1..256
};

struct RoutingRuleSpec {
  Position at;
  std::optional<Cidr> from;
  std::optional<Cidr> to;
  std::optional<Located<std::string>> iif;
  std::uint32_t table = 0;
  std::optional<std::uint32_t> priority;
};

/// `etc: ./DIR`.
struct EtcSpec {
  std::string folder;  ///< as an absolute path
  Position at;
  EtcFiles files;
};

/// `hosts: true`, or a map.
struct HostsSpec {
  Position at;
  bool all = false;  ///< every namespace of the topology
  std::vector<std::pair<std::string, std::vector<IpAddress>>> names;
};

/// `ready: { tcp: PORT, within: SECONDS }`.
struct Readiness {
  std::uint16_t tcp = 0;      ///< somebody listens there
  std::uint32_t within_s = 10;
  bool operator==(const Readiness&) const = default;
};

/// What a command that is one text is given to.
inline constexpr const char* command_shell = "/bin/sh";

struct CommandSpec {
  std::string name;
  Position at;
  std::vector<std::string> words;
  std::vector<Located<std::string>> after;  ///< NAME of the same namespace, or NS/NAME
  std::optional<Readiness> ready;
};

struct NamespaceSpec {
  std::string name;
  Position at;
  std::vector<AttachmentSpec> attach;
  GatewaySpec gateway;
  std::vector<RouteSpec> routes;
  std::vector<RoutingRuleSpec> rules;
  bool router = false;
  std::vector<std::pair<Located<std::string>, Nat>> nat;      ///< by outgoing interface
  std::vector<Located<InterfaceAddress>> loopback_addresses;  ///< `devices: {lo: ...}`
  std::vector<std::pair<Located<std::string>, std::string>> sysctls;
  std::vector<Located<IpAddress>> dns;
  std::optional<HostsSpec> hosts;
  std::optional<EtcSpec> etc;
  std::vector<CommandSpec> run;
  std::optional<Located<std::uint32_t>> replicas;
  bool doubtful = false;
};

struct LinkEndSpec {
  Position at;
  std::string node;                              ///< a namespace, `NAME[*]`, a bridge, or `host`
  std::optional<Located<std::string>> interface; ///< the name given after the colon
  std::vector<Located<Cidr>> addresses;
  std::optional<Located<Mac>> mac;
};

struct LinkSpec {
  Position at;
  std::array<LinkEndSpec, 2> ends;
  std::vector<Located<Cidr>> subnets;  ///< instead of addresses; at most one a family
  bool no_address = false;
  std::optional<Located<std::uint32_t>> mtu;
  bool doubtful = false;
};

enum class Protocol : std::uint8_t { any, tcp, udp, icmp };

struct PortMapSpec {
  Position at;         ///< of the key
  Position target_at;  ///< of the value
  std::optional<IpAddress> address;
  std::uint16_t first = 0, last = 0;
  Protocol protocol = Protocol::tcp;
  std::string target;  ///< a namespace's final name
  std::uint16_t target_first = 0, target_last = 0;
  std::string text;    ///< "8080/tcp -> web:80", for reports
};

struct ZoneSpec {
  std::string name;
  Position at;
  std::vector<Located<std::variant<std::string, Cidr>>> members;  ///< bridge, namespace, `NAME[*]`, or a CIDR outside
};

/// Which packets a flow is about. `any` has no ports; icmp neither.
struct PortRange {
  Protocol protocol = Protocol::any;
  std::uint16_t first = 0, last = 65535;
  bool operator==(const PortRange&) const = default;
};

struct FlowSpec {
  Position at;
  Located<std::string> from, to;  ///< zone, bridge, namespace, `NAME[*]`, `internet`, `host`, `any`
  bool both_ways = false;
  std::vector<PortRange> ports;   ///< empty: everything
  std::string text;               ///< as written, in the short form: "backend -> data:3306"
};

struct PolicySpec {
  Position at;
  bool default_allow = false;
  Position default_at{};  ///< of the value; nowhere: it is left out
  bool reject = false;
  std::vector<FlowSpec> allow;
  std::vector<FlowSpec> deny;
};

/// Flows that the policy, routes and port maps must come to; they add nothing to these.
struct ExpectSpec {
  std::vector<FlowSpec> allow;  ///< all of it can be opened
  std::vector<FlowSpec> deny;   ///< nothing of it can
};

/// One topology as its file (with all it includes) says it. Vectors are in the order written.
struct Topology {
  Located<std::string> name;
  bool own_gateway = false;  ///< `gateway: own`: bridges, the routing between them and the policy there in a namespace of their own
  std::vector<BridgeSpec> bridges;
  std::vector<NamespaceSpec> namespaces;
  std::vector<LinkSpec> links;
  std::vector<PortMapSpec> ports;
  std::vector<ZoneSpec> zones;
  PolicySpec policy;
  ExpectSpec expect;
  Sources sources;
  bool doubtful = false;  ///< a whole section is missing or refused, or the defaults are
};

}  // namespace topo
