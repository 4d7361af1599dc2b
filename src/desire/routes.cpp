// Default routes and routes: which next hop by which interface.
#include <algorithm>
#include <map>

#include "desire/network.hpp"
#include "desire/prefix_table.hpp"

namespace topo::network {
namespace {

constexpr std::uint32_t main_table = 254;           // RT_TABLE_MAIN, linux/rtnetlink.h
constexpr std::uint32_t usual_metric_v6 = 1024;     // IP6_RT_PRIO_USER, linux/ipv6_route.h
constexpr std::uint32_t connected_metric_v6 = 256;  // IP6_RT_PRIO_ADDRCONF, linux/ipv6_route.h

Cidr default_of(Family family) { return {IpAddress::any(family), 0}; }

std::uint32_t metric_of(Family family, std::optional<std::uint32_t> given) {
  if (family == Family::v4) return given.value_or(0);
  return given.value_or(0) == 0 ? usual_metric_v6 : *given;
}

bool has_family(const std::vector<Located<Cidr>>& addresses, Family family) {
  return std::any_of(addresses.begin(), addresses.end(), [&](const auto& address) { return address.value.family() == family; });
}

/// Who is where on which Ethernet: (namespace, Ethernet) -> its interfaces there.
using Presence = std::map<std::pair<std::size_t, std::size_t>, std::vector<EndRef>>;

class Routing {
 public:
  Routing(Network& network, const Presence& presence, std::size_t index)
      : network_(network), presence_(presence), index_(index), space_(network.spaces[index]) {
    for (const auto& address : space_.loopback) own_.insert(address.value.address());
    for (const auto& ref : space_.interfaces) {
      for (const auto& address : network_.end(ref).addresses) {
        own_.insert(address.value.address());
        if (!is_v6_link_local(address.value.address())) on_link_[main_table].add(address.value, network_.end(ref).name);
      }
    }
  }

  void run() {
    for (const auto& spec : space_.spec->routes) {
      if (!spec.dev || spec.via || !spec.destination || !is_interface(spec.dev->value)) continue;
      on_link_[spec.table.value_or(main_table)].add(*spec.destination, spec.dev->value);
    }
    for (const auto& spec : space_.spec->routes) add_routes(spec);
    for (const Family family : families) add_default(family);
    for (auto& [key, route] : found_) {
      finish(route.value);
      space_.routes.push_back(std::move(route));
    }
  }

 private:
  struct Hop {
    NextHop next;
    Family family = Family::v4;
  };

  void refuse(const Position& at, std::string message, std::string hint = {}, std::size_t length = 1) {
    network_.mistakes.refuse(at, std::move(message), std::move(hint), length);
  }

  [[nodiscard]] bool is_interface(const std::string& name) const { return name == "lo" || network_.interface(space_, name).has_value(); }

  bool check_interface(const Located<std::string>& name) {
    if (is_interface(name.value)) return true;
    refuse(name.at, "namespace " + in_quotes(space_.name) + " has no interface " + in_quotes(name.value), interfaces_hint(network_, space_),
           name.value.size());
    return false;
  }

  void add_routes(const RouteSpec& spec) {
    if (spec.dev && !check_interface(*spec.dev)) return;
    for (const auto& hop : hops(spec)) {
      Route route;
      route.ns = space_.name;
      route.destination = spec.destination ? spec.destination->network() : default_of(hop.family);
      route.table = spec.table.value_or(main_table);
      route.metric = metric_of(hop.family, spec.metric);
      route.type = static_cast<Route::Type>(spec.type);
      if (spec.src) {
        if (!check_source(*spec.src)) continue;
        route.source = spec.src->value;
      }
      if (route.type == Route::Type::unicast) route.next_hops.push_back(hop.next);
      add(std::move(route), spec);
    }
  }

  /// The families that a route is for, each with its next hop; empty where something is wrong, and that is said.
  std::vector<Hop> hops(const RouteSpec& spec) {
    std::vector<Hop> found;
    std::vector<Family> wanted;
    for (const Family family : families) {
      if (spec.destination && spec.destination->family() != family) continue;
      if (spec.src && spec.src->value.family() != family) continue;
      wanted.push_back(family);
    }
    const auto weight = static_cast<std::uint16_t>(spec.weight.value_or(1));
    if (spec.via) {
      if (const auto* address = std::get_if<IpAddress>(&spec.via->value)) {
        const auto interface = interface_to(*address, spec.via->at, spec.dev ? &spec.dev->value : nullptr, spec.table.value_or(main_table));
        if (interface && std::find(wanted.begin(), wanted.end(), address->family()) != wanted.end()) {
          found.push_back({{*address, *interface, weight}, address->family()});
        }
      } else {
        for (const auto& next : hops_by_name(spec, std::get<std::string>(spec.via->value), wanted)) found.push_back({next, next.via->family()});
        for (auto& hop : found) hop.next.weight = weight;
      }
      return found;
    }
    if (spec.type == RouteSpec::Type::unicast && !spec.dev) return found;
    for (const Family family : wanted) {
      const bool there = spec.destination || (spec.dev ? on_interface(spec.dev->value, family) : has_family(network_, space_, family));
      if (there) found.push_back({{std::nullopt, spec.dev ? spec.dev->value : std::string(), weight}, family});
    }
    if (found.empty() && !wanted.empty())
      refuse(spec.at, "no family of addresses for this route" + (spec.dev ? " on " + in_quotes(spec.dev->value) : std::string()));
    return found;
  }

  [[nodiscard]] bool on_interface(const std::string& name, Family family) const {
    if (name == "lo") return has_family(space_.loopback, family);
    const auto ref = network_.interface(space_, name);
    return ref && has_family(network_.end(*ref).addresses, family);
  }

  std::nullopt_t refuse_itself(const IpAddress& address, const Position& at) {
    const std::string text = address.to_string();
    refuse(at, "the next hop " + text + " is " + in_quotes(space_.name) + " itself", "a next hop is a neighbour's address", text.size());
    return std::nullopt;
  }

  /// Whether a next hop can have that address at all; a refusal where not.
  bool check_next_hop(const IpAddress& address, const Position& at) {
    const std::string text = address.to_string();
    if (own_.contains(address)) {
      refuse_itself(address, at);
      return false;
    }
    for (const auto& ref : space_.interfaces) {
      for (const auto& [own, place] : network_.end(ref).addresses) {
        if (own.family() != Family::v4 || !own.contains(address) || own.usable_by_host(address)) continue;
        const Cidr network = own.network();
        refuse(at,
               "the next hop " + text + " is the " + (address == network.address() ? "network" : "broadcast") + " address of " + network.to_string(),
               "a next hop is a neighbour's address", text.size());
        return false;
      }
    }
    return true;
  }

  /// As the kernel looks: in the route's own table, else in the main one.
  [[nodiscard]] const PrefixTable<std::string>::Entry* network_of(const IpAddress& address, std::uint32_t table) const {
    for (const std::uint32_t number : {table, main_table}) {
      const auto networks = on_link_.find(number);
      if (networks == on_link_.end()) continue;
      if (const auto* network = networks->second.longest(address)) return network;
    }
    return nullptr;
  }

  /// The interface that reaches `address`, or a refusal.
  std::optional<std::string> interface_to(const IpAddress& address, const Position& at, const std::string* dev, std::uint32_t table) {
    if (!check_next_hop(address, at)) return std::nullopt;
    if (is_v6_link_local(address)) return interface_to_link_local(address, at, dev);
    const auto* network = network_of(address, table);
    if (network != nullptr && (dev == nullptr || network->second == *dev)) return network->second;
    if (dev != nullptr) {
      const auto ref = network_.interface(space_, *dev);
      const auto holds = [&](const auto& it) { return it.value.contains(address); };
      if (ref && std::any_of(network_.end(*ref).addresses.begin(), network_.end(*ref).addresses.end(), holds)) return *dev;
    }
    const std::string text = address.to_string();
    refuse(at, "the next hop " + text + " is reached by " + (dev != nullptr ? "no network of " + *dev : "no interface of " + in_quotes(space_.name)),
           "a next hop is in the network of an interface", text.size());
    return std::nullopt;
  }

  std::optional<std::string> interface_to_link_local(const IpAddress& address, const Position& at, const std::string* dev) {
    std::vector<std::string> able;
    for (const auto& ref : space_.interfaces) {
      const End& end = network_.end(ref);
      if ((dev != nullptr && end.name != *dev) || !has_family(end.addresses, Family::v6)) continue;
      if (end.mac.link_local().address() == address) return refuse_itself(address, at);
      able.push_back(end.name);
    }
    if (able.size() == 1) return able.front();
    const std::string text = address.to_string();
    if (able.empty()) {
      refuse(at, "the next hop " + text + " is reached by no interface of " + in_quotes(space_.name), "no interface there has an IPv6 address",
             text.size());
    } else {
      refuse(at, "the next hop " + text + " may be on any interface", "say which one by `dev`", text.size());
    }
    return std::nullopt;
  }

  /// Pairs of own interface and the other's, on one Ethernet, in the order of the own ones.
  [[nodiscard]] std::vector<std::pair<EndRef, EndRef>> shared_with(std::size_t other) const {
    std::vector<std::pair<EndRef, EndRef>> pairs;
    const bool mine = space_.interfaces.size() <= network_.spaces[other].interfaces.size();
    const std::size_t there = mine ? other : index_;
    for (const auto& ref : network_.spaces[mine ? index_ : other].interfaces) {
      const auto found = presence_.find({there, network_.cables[ref.cable].domain});
      if (found == presence_.end()) continue;
      for (const auto& met : found->second) pairs.emplace_back(mine ? ref : met, mine ? met : ref);
    }
    std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return pairs;
  }

  /// Next hops by a namespace's name: for each family that both have on something they share.
  std::vector<NextHop> hops_by_name(const RouteSpec& spec, const std::string& name, const std::vector<Family>& wanted) {
    std::vector<NextHop> found;
    const auto span = spaces_named(network_, name);
    if (!span || span->count != 1 || network_.spaces[span->first].doubtful) return found;
    const Position& at = spec.via->at;
    if (span->first == index_) {
      refuse(at, "the next hop " + in_quotes(name) + " is the namespace itself", {}, name.size());
      return found;
    }
    const auto pairs = shared_with(span->first);
    for (const Family family : wanted) {
      for (const auto& [own, other] : pairs) {
        if (spec.dev && network_.end(own).name != spec.dev->value) continue;
        const auto address = reachable_address(own, other, family);
        if (!address) continue;
        found.push_back({*address, network_.end(own).name, 1});
        break;
      }
    }
    if (!found.empty()) return found;
    const std::string by = spec.dev ? " by " + in_quotes(spec.dev->value) : std::string();
    if (pairs.empty()) {
      refuse(at, in_quotes(space_.name) + " shares no link and no bridge with the next hop " + in_quotes(name), {}, name.size());
    } else {
      refuse(at, in_quotes(space_.name) + " and the next hop " + in_quotes(name) + " have no network in common" + by,
             "both need addresses in one subnet, of the route's family", name.size());
    }
    return found;
  }

  /// The other's first address of that family that the own interface has in its network.
  [[nodiscard]] std::optional<IpAddress> reachable_address(const EndRef& own, const EndRef& other, Family family) const {
    for (const auto& theirs : network_.end(other).addresses) {
      const IpAddress& address = theirs.value.address();
      if (address.family() != family || is_v6_link_local(address)) continue;
      for (const auto& mine : network_.end(own).addresses) {
        if (mine.value.usable_by_host(address) && mine.value.address() != address) return address;
      }
    }
    return std::nullopt;
  }

  bool check_source(const Located<IpAddress>& source) {
    const auto is_it = [&](const auto& address) { return address.value.address() == source.value; };
    bool own = std::any_of(space_.loopback.begin(), space_.loopback.end(), is_it);
    for (const auto& ref : space_.interfaces) {
      const auto& addresses = network_.end(ref).addresses;
      own = own || std::any_of(addresses.begin(), addresses.end(), is_it);
    }
    const std::string text = source.value.to_string();
    if (!own) {
      refuse(source.at, "the source " + text + " is no address of " + in_quotes(space_.name),
             "give it to the namespace, as in devices: { lo: " + Cidr(source.value, source.value.bits()).to_string() + " }", text.size());
    }
    return own;
  }

  /// Adds it, or adds its next hop to the route that has its destination, table and metric.
  void add(Route route, const RouteSpec& spec) {
    const auto [there, added] = found_.try_emplace({route.destination, route.table, route.metric}, Located<Route>{route, spec.at});
    if (added) return check_connected(route, spec.at);
    Route& first = there->second.value;
    if (first.type != Route::Type::unicast || route.type != Route::Type::unicast) {
      return refuse(spec.at, "two routes to " + first.destination.to_string() + " with one metric, of which one leads nowhere",
                    "give one another `metric`");
    }
    if (first.source != route.source) return refuse(spec.at, "the next hops of one route have different sources", "give one another `metric`");
    for (const auto& hop : first.next_hops) {
      if (hop.via != route.next_hops.front().via || hop.interface != route.next_hops.front().interface) continue;
      return refuse(spec.at, "two equal next hops to " + first.destination.to_string(),
                    "write it once; where two cables are meant, say by `dev` which is which");
    }
    if (route.destination.family() == Family::v6 && (!route.next_hops.front().via || !first.next_hops.front().via)) {
      return refuse(spec.at, "an IPv6 route by several ways needs the address of each next hop", "say `via`, or give one another `metric`");
    }
    first.next_hops.push_back(route.next_hops.front());
  }

  /// The kernel makes a route to the network of each address itself, and takes no second one of its metric.
  void check_connected(const Route& route, const Position& at) {
    const bool v4 = route.destination.family() == Family::v4;
    const std::uint32_t connected = v4 ? 0 : connected_metric_v6;
    if (route.table != main_table || route.metric != connected || route.destination.prefix() == route.destination.address().bits()) return;
    const auto is_it = [&](const auto& address) { return address.value.network() == route.destination; };
    const auto check = [&](const std::vector<Located<Cidr>>& addresses, const std::string& interface) {
      if (std::none_of(addresses.begin(), addresses.end(), is_it)) return;
      refuse(at, route.destination.to_string() + " is the network of " + interface + " already",
             v4 ? "give the route a `metric`, or leave it out" : "give the route another `metric`, or leave it out",
             route.destination.to_string().size());
    };
    for (const auto& ref : space_.interfaces) check(network_.end(ref).addresses, network_.end(ref).name);
    if (!v4) check(space_.loopback, "lo");
  }

  static void finish(Route& route) {
    std::sort(route.next_hops.begin(), route.next_hops.end());
    if (route.next_hops.size() == 1) route.next_hops.front().weight = 1;
  }

  /// The default route that the namespace has by its `gateway`, unless `routes` has one.
  void add_default(Family family) {
    const bool replaced = std::any_of(found_.begin(), found_.end(), [&](const auto& entry) {
      return entry.second.value.destination == default_of(family) && entry.second.value.table == main_table;
    });
    const GatewaySpec& gateway = space_.spec->gateway;
    if (replaced || gateway.kind == GatewaySpec::Kind::none) return;
    std::optional<NextHop> hop;
    Position at = gateway.at;
    if (gateway.kind == GatewaySpec::Kind::addresses) {
      for (const auto& address : gateway.addresses) {
        if (address.value.family() != family) continue;
        at = address.at;
        if (const auto interface = interface_to(address.value, address.at, nullptr, main_table)) hop = NextHop{address.value, *interface, 1};
      }
    } else {
      hop = way_out(family, at);
    }
    if (!hop) return;
    Route route;
    route.ns = space_.name;
    route.destination = default_of(family);
    route.metric = metric_of(family, std::nullopt);
    route.next_hops.push_back(*hop);
    found_.try_emplace({route.destination, route.table, route.metric}, Located<Route>{route, at});
  }

  /// "The first attached bridge with a way out, else the first with an address."
  std::optional<NextHop> way_out(Family family, Position& at) {
    std::optional<NextHop> best;
    for (const auto& ref : space_.interfaces) {
      if (network_.cables[ref.cable].attachment == nullptr) continue;
      const Switch& bridge = network_.switches[network_.peer(ref).bridge];
      const End& end = network_.end(ref);
      std::optional<IpAddress> hop;
      for (const auto& gateway : bridge.gateway) {
        const bool shared =
            std::any_of(end.addresses.begin(), end.addresses.end(), [&](const auto& it) { return it.value.contains(gateway.value.address()); });
        if (!hop && gateway.value.family() == family && shared) hop = gateway.value.address();
      }
      if (!hop) continue;
      const bool out = leads_out(bridge, family);
      if (best && !out) continue;
      best = NextHop{*hop, end.name, 1};
      at = end.at;
      if (out) break;
    }
    return best;
  }

  [[nodiscard]] bool leads_out(const Switch& bridge, Family family) const {
    const Nat& nat = bridge.spec->nat;
    if (nat.kind == Nat::Kind::masquerade || (nat.kind == Nat::Kind::snat && nat.to.family() == family)) return true;
    return space_.reaches_internet || network_.segment_reaches_internet[bridge.segment];
  }

  Network& network_;
  const Presence& presence_;
  std::size_t index_;
  Space& space_;
  std::set<IpAddress> own_;
  std::map<std::uint32_t, PrefixTable<std::string>> on_link_;  ///< by routing table
  std::map<std::tuple<Cidr, std::uint32_t, std::uint32_t>, Located<Route>> found_;
};

}  // namespace

void resolve_routes(Network& network) {
  Presence presence;
  for (std::size_t i = 0; i < network.spaces.size(); ++i) {
    for (const auto& ref : network.spaces[i].interfaces) presence[{i, network.cables[ref.cable].domain}].push_back(ref);
  }
  for (std::size_t i = 0; i < network.spaces.size(); ++i) {
    if (!network.spaces[i].doubtful) Routing(network, presence, i).run();
  }
}

}  // namespace topo::network
