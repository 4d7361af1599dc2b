// The network of a topology as packets find it: who is on which Ethernet, and who sends what where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "desire/prefix_table.hpp"
#include "graph/graph.hpp"
#include "policy/intent.hpp"

namespace topo::reach {

inline constexpr std::size_t none = static_cast<std::size_t>(-1);
/// The node that is the gateway.
inline constexpr std::size_t gateway = 0;
/// The gateway's interface to the outside, of which the topology knows nothing else.
inline constexpr std::size_t way_out = 0;

/// An interface that packets are sent and taken by: of a namespace, or the gateway's own on a bridge or a cable.
struct Interface {
  std::string name;
  std::size_t node = gateway;
  std::size_t domain = none;    ///< its Ethernet; `lo` has none
  std::vector<Cidr> addresses;  ///< in the order of the kernel, without link-local ones
  std::size_t segment = none;   ///< the gateway's network that it is on, where that is one
  std::size_t member = none;    ///< of a namespace: which member of the segment it is
  std::string amiss;            ///< live: why nothing passes here
};

struct NextHop {
  std::optional<IpAddress> via;
  std::size_t interface = none;
};

/// An entry of a routing table; those that follow from addresses are among them.
struct RouteEntry {
  Cidr destination;
  std::uint32_t metric = 0;
  Route::Type type = Route::Type::unicast;
  std::optional<IpAddress> source;
  std::vector<NextHop> next_hops;
  bool connected = false;  ///< follows from an address
  Position at{};
};

/// The routes of one table.
class RoutingTable {
 public:
  void add(RouteEntry entry) { entries_.push_back(std::move(entry)); }
  /// To be called when all are there.
  void index();
  /// The one with the longest prefix, among these that with the lowest metric; nullptr: none.
  [[nodiscard]] const RouteEntry* find(const IpAddress& address) const;
  [[nodiscard]] const std::vector<RouteEntry>& entries() const { return entries_; }

 private:
  std::vector<RouteEntry> entries_;
  std::optional<network::PrefixTable<std::size_t>> by_prefix_;  ///< of many
};

struct RuleEntry {
  Family family = Family::v4;
  std::uint32_t priority = 0;
  std::optional<Cidr> from, to;
  std::size_t iif = none;
  bool local = false;  ///< `iif lo`: what is sent from here
  std::uint32_t table = 0;
};

/// Source translation by outgoing interface, in a namespace.
struct Masking {
  std::size_t interface = none;
  std::optional<IpAddress> to;   ///< snat; nullopt: the interface's own address
  std::vector<Family> families;  ///< that a rule is there for
};

/// A namespace, or the gateway.
struct Station {
  std::string name;                     ///< empty: the gateway
  std::vector<std::size_t> interfaces;  ///< by name; `lo` among them where it has addresses
  std::map<std::uint32_t, RoutingTable> tables;
  std::vector<RuleEntry> rules;  ///< by priority
  std::vector<Masking> masking;
  std::vector<std::size_t> forwards_v4;  ///< the interfaces what comes in by which is forwarded, sorted
  bool forwards_v6 = false;
  std::string amiss;  ///< live: why nothing passes here
  Position at{};

  [[nodiscard]] bool forwards() const { return forwards_v6 || !forwards_v4.empty(); }
  [[nodiscard]] bool forwards(Family family, std::size_t in) const;
};

class Network {
 public:
  /// Of `whole`, desired or live (with `gateway: own` the gateway's namespace and the host are one station), and the meaning of its gateway's policy, of which segments and members are taken. `intent` must outlive it.
  Network(const Graph& whole, const policy::Intent& intent);

  /// Whether it is the gateway's interface on a bridge; false of `none` and of `way_out`.
  [[nodiscard]] bool is_bridge(std::size_t interface) const;
  /// True where the bridges are in a namespace of the topology's own (`gateway: own`), which is shown as if it were the host.
  [[nodiscard]] bool has_own_gateway() const { return has_own_gateway_; }
  [[nodiscard]] const policy::Intent& intent() const { return intent_; }
  [[nodiscard]] const std::vector<Station>& stations() const { return stations_; }
  [[nodiscard]] const std::vector<Interface>& interfaces() const { return interfaces_; }
  [[nodiscard]] std::optional<std::size_t> find(std::string_view ns) const;
  /// The station that a member of the intent is of; none: the graph has no such namespace.
  [[nodiscard]] std::size_t station_of(std::size_t member) const { return station_of_member_[member]; }
  /// The gateway's interface on a segment.
  [[nodiscard]] std::size_t gateway_on(std::size_t segment) const { return gateway_on_[segment]; }

  /// Whether packets to `address` are for the station itself.
  [[nodiscard]] bool is_own(std::size_t station, const IpAddress& address) const;
  /// Which interface on that Ethernet, other than the asking one, answers for `address`; `none`: nobody does.
  [[nodiscard]] std::size_t answerer(std::size_t domain, const IpAddress& address, std::size_t asking) const;
  /// All interfaces that have the address.
  [[nodiscard]] std::vector<std::size_t> holders(const IpAddress& address) const;
  /// The route that a station takes for a packet from `source` (nullopt: not chosen yet) that came in by `in` (none: its own); nullptr: it has none.
  [[nodiscard]] const RouteEntry* route(std::size_t station, const std::optional<IpAddress>& source, const IpAddress& destination,
                                        std::size_t in) const;
  /// The segment of the gateway's that an address is in the subnet of.
  [[nodiscard]] std::size_t segment_of(const IpAddress& address) const;

 private:
  void add_interfaces(const Graph& graph);
  void add_addresses(const Graph& graph);
  void add_connected();
  void add_routing(const Graph& graph);
  void add_translation(const Graph& graph);
  void find_forwarding(const Graph& graph);
  void index();
  [[nodiscard]] std::size_t interface_named(std::size_t station, std::string_view name) const;
  std::size_t add(std::size_t station, const std::string& name);

  const policy::Intent& intent_;
  bool has_own_gateway_ = false;
  std::vector<Station> stations_;
  std::vector<Interface> interfaces_;
  std::vector<std::size_t> gateway_on_, station_of_member_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::unordered_map<std::string, std::size_t> interface_by_name_;  ///< "NS:NAME"
  std::multimap<IpAddress, std::size_t> by_address_;
  network::PrefixTable<std::size_t> segment_by_subnet_;
};

}  // namespace topo::reach
