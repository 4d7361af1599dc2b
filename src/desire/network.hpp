// The network between a topology file and its graph: everything counted, named and placed, nothing yet told to a kernel.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/intent.hpp"
#include "resources/route/route.hpp"
#include "resources/rule/routing_rule.hpp"
#include "topo/names.hpp"
#include "topo/topology.hpp"

namespace topo::network {

inline constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
inline constexpr std::array<Family, 2> families{Family::v4, Family::v6};

/// What `replicas` and `[*]` may unfold to, so that a short file cannot fill the memory.
inline constexpr std::size_t most_namespaces = 100000;
inline constexpr std::size_t most_cables = 100000;
/// BR_MAX_PORTS - 1, net/bridge/br_private.h.
inline constexpr std::size_t most_members = 1023;

/// The mistakes found so far. Of several at one position the first stands: the others follow from it, or are the same one in the next replica.
class Mistakes {
 public:
  void refuse(const Position& at, std::string message, std::string hint = {}, std::size_t length = 1);
  [[nodiscard]] std::vector<Diagnostic> take() { return std::move(found_); }

 private:
  std::set<Position> said_;
  std::vector<Diagnostic> found_;
};

/// One side of one cable.
struct EndRef {
  std::size_t cable = nowhere;
  std::size_t side = 0;
  auto operator<=>(const EndRef&) const = default;
};

/// One end of a cable.
struct End {
  std::size_t netns = nowhere;   ///< index into Network::spaces; nowhere: the gateway
  std::size_t bridge = nowhere;  ///< the bridge whose port it is, in the gateway alone
  std::string name;
  Position at;
  Position name_at;
  std::vector<Located<Cidr>> addresses;
  Mac mac;
  Position mac_at;
  bool hairpin = false;
  bool route_localnet = false;  ///< of the host's end of a link

  [[nodiscard]] bool is_host() const { return netns == nowhere && bridge == nowhere; }
};

/// A veth pair to be. Of an attachment, side 0 is the bridge's port and side 1 the namespace's interface.
struct Cable {
  std::array<End, 2> ends;
  std::uint32_t mtu = 1500;
  Position at;
  Position mtu_at;
  const AttachmentSpec* attachment = nullptr;
  const LinkSpec* link = nullptr;
  std::size_t domain = 0;  ///< the Ethernet that it is part of: equal for all cables that a frame can pass between
  std::size_t turn = 0;    ///< which combination of its link's `[*]` it is, from 0
  bool carved = false;     ///< its link has `[*]`
};

struct Switch {
  const BridgeSpec* spec = nullptr;
  Mac mac;
  std::uint32_t mtu = 1500;
  std::vector<Located<Cidr>> gateway;  ///< the gateway's addresses on it
  std::size_t ports = 0;
  std::size_t domain = 0;
  std::size_t segment = nowhere;
  bool route_localnet = false;
  bool doubtful = false;  ///< something of it was refused: what would follow from that is not told
};

/// A namespace; one of many where the file says `replicas`.
struct Space {
  std::string name;
  const NamespaceSpec* spec = nullptr;
  std::size_t replica = 0;  ///< from 0
  std::vector<EndRef> interfaces{};
  std::size_t automatic_names = 0;
  std::vector<Located<Cidr>> loopback{};
  std::vector<std::size_t> members{};  ///< indices into Intent::members
  std::vector<Located<Route>> routes{};
  std::vector<Located<RoutingRule>> rules{};
  bool reaches_internet = false;  ///< an allow to `internet` names it
  bool doubtful = false;          ///< something of it, or of what it is attached to, was refused
};

/// What a name stands for.
struct Name {
  enum class Kind : std::uint8_t { bridge, space, replicas, zone } kind = Kind::bridge;
  std::size_t index = 0;
  std::size_t count = 1;  ///< replicas: how many from `index` on
};

struct Network {
  const Topology& topology;
  Mistakes mistakes{};
  std::vector<Switch> switches{};
  std::vector<Space> spaces{};
  std::vector<Cable> cables{};
  std::unordered_map<std::string, Name> names{};
  policy::Intent intent{};                       ///< the gateway's
  std::vector<std::size_t> segment_domain{};     ///< the Ethernet of each segment; nowhere: it is no bridge
  std::vector<bool> segment_reaches_internet{};  ///< an allow to `internet` names the segment

  /// The namespace of the bridges; empty: the one topo runs in.
  [[nodiscard]] std::string gateway_ns() const {
    return topology.own_gateway && !switches.empty() ? gateway_name(topology.name.value) : std::string();
  }
  [[nodiscard]] End& end(const EndRef& ref) { return cables[ref.cable].ends[ref.side]; }
  [[nodiscard]] const End& end(const EndRef& ref) const { return cables[ref.cable].ends[ref.side]; }
  [[nodiscard]] const End& peer(const EndRef& ref) const { return cables[ref.cable].ends[1 - ref.side]; }
  [[nodiscard]] const Name* find(const std::string& name) const;
  /// The interface of `space` with that name, if it has one.
  [[nodiscard]] std::optional<EndRef> interface(const Space& space, const std::string& name) const;
};

/// The namespaces that a name stands for: first and how many.
struct Span {
  std::size_t first = 0, count = 0;
};
/// By `NAME` or `NAME[*]`. Nullopt for a name of none: load has said so.
[[nodiscard]] std::optional<Span> spaces_named(const Network& network, const std::string& text);

// The stages, in their order.
/// Bridges, namespaces, cables, and all names. False where there would be more than can be held, which load has said.
[[nodiscard]] bool expand(Network& network);
void allocate(Network& network);          ///< every address
void check_meetings(Network& network);    ///< what may not be twice where networks meet
void place_members(Network& network);     ///< segments and members
void resolve_policy(Network& network);    ///< zones and flows
void resolve_routes(Network& network);    ///< default routes, routes
void resolve_rules(Network& network);     ///< which table decides
void resolve_answers(Network& network);   ///< whose replies to strangers come by the gateway
void resolve_ports(Network& network);     ///< port maps
void check_settings(Network& network);    ///< nat and sysctls of namespaces
void check_gateway(Network& network);     ///< what a gateway of its own cannot do
void check_inside(Network& network);      ///< what programs in namespaces have
void write_statements(Network& network);  ///< the policy in the language's words

/// True where a gateway has an address of that family on it.
[[nodiscard]] bool has_gateway(const policy::Segment& segment, Family family);
/// True where the namespace has an address of that family, on `lo` or an interface.
[[nodiscard]] bool has_family(const Network& network, const Space& space, Family family);
/// "it has eth0, eth1", for a name of an interface that is not there.
[[nodiscard]] std::string interfaces_hint(const Network& network, const Space& space);
/// True for fe80::/10, which every interface has one of.
[[nodiscard]] bool is_v6_link_local(const IpAddress& address);
[[nodiscard]] std::string in_quotes(std::string_view name);
[[nodiscard]] std::string_view family_name(Family family);  ///< "IPv4"

}  // namespace topo::network
