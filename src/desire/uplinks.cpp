#include "desire/uplinks.hpp"

#include <algorithm>
#include <set>

#include "policy/gateway.hpp"

namespace topo::network {
namespace {

constexpr std::uint32_t behind_main = 40000;        // priority; the main table's is 32766
constexpr std::uint32_t last_of_all = 50000;        // for what the gateway itself sends, which is errors
constexpr std::uint32_t first_table = 1000000;      // none that people number by hand
constexpr std::uint32_t usual_metric_v6 = 1024;     // IP6_RT_PRIO_USER, linux/ipv6_route.h
constexpr std::uint32_t preferred_metric_v6 = 128;  // before the route that the kernel makes of the address, of 256

/// 169.254.x.y, known to the gateway alone.
IpAddress transfer_address(std::uint16_t number) { return *Cidr::link_local(Family::v4).address().plus(number); }

Cidr whole(const IpAddress& address) { return {address, address.bits()}; }
Cidr default_of(Family family) { return {IpAddress::any(family), 0}; }
std::uint32_t metric_of(Family family) { return family == Family::v4 ? 0 : usual_metric_v6; }

class Uplinks {
 public:
  Uplinks(Graph& graph, const Network& network) : graph_(graph), network_(network), ns_(network.gateway_ns()) {}

  void put() {
    graph_.put(Namespace{ns_, true, {}}, network_.topology.name.at);
    std::vector<const Switch*> switches;
    for (const Switch& bridge : network_.switches) {
      if (!bridge.gateway.empty()) switches.push_back(&bridge);
    }
    std::sort(switches.begin(), switches.end(), [](const Switch* a, const Switch* b) { return a->spec->name < b->spec->name; });
    for (const Switch* bridge : switches) put_uplink(*bridge);
    if (!first_v4_ && !first_v6_) return;
    const Position& at = network_.topology.name.at;
    if (first_v4_) {
      // What asks for members by ARP, and sends them errors, has an address to do so from.
      graph_.put(Address{ns_, "lo", whole(transfer_address(1))}, at);
      put_rule(Family::v4, last_of_all, {}, *first_v4_, at);
    }
    if (first_v6_) {
      graph_.put(Sysctl{ns_, "net/ipv6/conf/all/proxy_ndp", "1"}, at);
      put_rule(Family::v6, last_of_all, {}, *first_v6_, at);
    }
  }

 private:
  void put_rule(Family family, std::uint32_t priority, const std::string& bridge, std::uint32_t table, const Position& at) {
    RoutingRule rule;
    rule.ns = ns_;
    rule.family = family;
    rule.priority = priority;
    rule.iif = bridge;
    rule.table = table;
    graph_.put(std::move(rule), at);
  }

  void put_route(const std::string& ns, const Cidr& destination, std::uint32_t table, std::uint32_t metric, std::optional<IpAddress> via,
                 const std::string& interface, const Position& at) {
    Route route;
    route.ns = ns;
    route.destination = destination;
    route.table = table;
    route.metric = metric;
    route.next_hops.push_back({via, interface, 1});
    graph_.put(std::move(route), at);
  }

  /// A number of its own, which follows from the name alone where that is possible, so that one bridge more changes nothing of the others.
  std::uint16_t number_of(const std::string& bridge) {
    constexpr std::uint64_t first = 256, count = 254 * 256;
    auto number = static_cast<std::uint16_t>(first + stable_hash(bridge) % count);
    while (!numbers_.insert(number).second) number = static_cast<std::uint16_t>(first + (number - first + 1) % count);
    return number;
  }

  void put_uplink(const Switch& bridge) {
    const BridgeSpec& spec = *bridge.spec;
    const auto has = [&](Family family) {
      return std::any_of(bridge.gateway.begin(), bridge.gateway.end(), [&](const auto& it) { return it.value.family() == family; });
    };
    const std::uint16_t number = number_of(spec.name);
    Veth cable;
    VethEnd& outside = cable.ends[0];
    outside.name = spec.name;
    outside.mac = mac_of(spec.name + " uplink");
    outside.gateway_v4 = has(Family::v4);
    outside.route_localnet = bridge.route_localnet;
    VethEnd& inside = cable.ends[1];
    inside.ns = ns_;
    inside.name = uplink_name(spec.name);
    inside.mac = mac_of(inside.name);
    for (VethEnd& end : cable.ends) {
      end.mtu = bridge.mtu;
      end.ipv6 = has(Family::v6);
    }
    put_addresses(bridge, outside.mac);
    if (has(Family::v4)) put_v4(bridge, cable, number);
    if (has(Family::v6)) put_v6(bridge, cable, number);
    for (const auto& [address, at] : bridge.gateway) put_subnet(bridge, address, at);
    graph_.put(std::move(cable), spec.at);
  }

  [[nodiscard]] Mac mac_of(const std::string& end) const { return Mac::derived_from(network_.topology.name.value + "\n" + ns_ + "\n" + end); }

  void put_addresses(const Switch& bridge, const Mac& mac) {
    std::set<Cidr> subnets;
    bool v6 = false;
    for (const auto& [address, at] : bridge.gateway) {
      const bool first = subnets.insert(address.network()).second;
      graph_.put(Address{{}, bridge.spec->name, address, address.family() == Family::v4 && !first}, at);
      v6 = v6 || address.family() == Family::v6;
    }
    if (v6) graph_.put(Address{{}, bridge.spec->name, mac.link_local()}, bridge.spec->at);
  }

  void put_v4(const Switch& bridge, const Veth& cable, std::uint16_t number) {
    const Position& at = bridge.spec->at;
    const std::string& uplink = cable.ends[1].name;
    const IpAddress host = transfer_address(number);
    if (!first_v4_) first_v4_ = first_table + number;
    graph_.put(Neighbour{ns_, uplink, IpAddress::any(Family::v4), {}}, at);
    put_route(ns_, whole(host), Route().table, 0, {}, uplink, at);
    graph_.put(Neighbour{ns_, uplink, host, cable.ends[0].mac}, at);
    put_route(ns_, default_of(Family::v4), first_table + number, 0, host, uplink, at);
    put_rule(Family::v4, behind_main, bridge.spec->name, first_table + number, at);
  }

  void put_v6(const Switch& bridge, const Veth& cable, std::uint16_t number) {
    const Position& at = bridge.spec->at;
    const std::string& uplink = cable.ends[1].name;
    if (!first_v6_) first_v6_ = first_table + number;
    graph_.put(Address{ns_, uplink, cable.ends[1].mac.link_local()}, at);
    graph_.put(Address{ns_, bridge.spec->name, bridge.mac.link_local()}, at);
    put_route(ns_, default_of(Family::v6), first_table + number, usual_metric_v6, cable.ends[0].mac.link_local().address(), uplink, at);
    put_rule(Family::v6, behind_main, bridge.spec->name, first_table + number, at);
    for (const auto& [address, place] : bridge.gateway) {
      if (address.family() != Family::v6 || address.prefix() == address.address().bits()) continue;
      put_route({}, address.network(), Route().table, preferred_metric_v6, cable.ends[1].mac.link_local().address(), bridge.spec->name, place);
    }
  }

  void put_subnet(const Switch& bridge, const Cidr& address, const Position& at) {
    const Cidr own = whole(address.address());
    if (address != own) put_route(ns_, address.network(), Route().table, metric_of(address.family()), {}, bridge.spec->name, at);
    Route thrown;
    thrown.ns = ns_;
    thrown.destination = own;
    thrown.metric = metric_of(address.family());
    thrown.type = Route::Type::throw_;
    graph_.put(std::move(thrown), at);
    graph_.put(Neighbour{ns_, bridge.spec->name, address.address(), {}}, at);
  }

  Graph& graph_;
  const Network& network_;
  std::string ns_;
  std::set<std::uint16_t> numbers_;
  std::optional<std::uint32_t> first_v4_, first_v6_;  ///< the table of some uplink
};

/// The ends of uplinks in the gateway, beside the bridges and their ports there.
void check_uplink_names(Network& network) {
  std::set<std::string> taken;
  for (const Switch& bridge : network.switches) taken.insert(bridge.spec->name);
  for (const Cable& cable : network.cables) {
    for (const End& end : cable.ends) {
      if (end.netns == nowhere && end.bridge != nowhere) taken.insert(end.name);
    }
  }
  for (const Switch& bridge : network.switches) {
    if (bridge.gateway.empty() || taken.insert(uplink_name(bridge.spec->name)).second) continue;
    network.mistakes.refuse(bridge.spec->at,
                            "the uplink of bridge " + in_quotes(bridge.spec->name) + " in the gateway is to be " +
                                in_quotes(uplink_name(bridge.spec->name)) + ", as another interface there is",
                            "name them apart");
  }
}

/// The host could not tell who is on a switch that it has no part in from those on the bridge that they would come by.
void check_switches(Network& network) {
  for (const Switch& plain : network.switches) {
    const auto joined = std::find_if(network.switches.begin(), network.switches.end(), [&](const Switch& bridge) {
      return plain.gateway.empty() && bridge.domain == plain.domain && !bridge.gateway.empty();
    });
    if (joined == network.switches.end()) continue;
    network.mistakes.refuse(plain.spec->at,
                            "with a gateway of its own the host cannot tell who is on " + in_quotes(plain.spec->name) +
                                ", which has no address, from who is on " + in_quotes(joined->spec->name) + ", which a cable joins it to",
                            "attach to one of them alone, or say gateway: host");
  }
}

}  // namespace

void check_gateway(Network& network) {
  if (network.gateway_ns().empty()) return;
  check_uplink_names(network);
  check_switches(network);
  for (const Switch& bridge : network.switches) {
    for (const auto& [address, at] : bridge.gateway) {
      // What the next hops of IPv4 are from.
      if (!address.network().overlaps(Cidr::link_local(Family::v4))) continue;
      network.mistakes.refuse(at, "bridge " + in_quotes(bridge.spec->name) + " is in 169.254.0.0/16, which a gateway of its own uses itself",
                              "take another subnet, or say gateway: host");
    }
  }
  const std::vector<bool> unknown = policy::unknown_at_host(network.intent, uplinks_of(network));
  for (const bool denies : {true, false}) {
    for (const policy::Flow& flow : denies ? network.intent.deny : network.intent.allow) {
      const auto member = policy::undecided_at_host(network.intent, flow, unknown, denies);
      if (!member) continue;
      const policy::Member& who = network.intent.members[*member];
      network.mistakes.refuse(flow.at,
                              "with a gateway of its own the host cannot tell what is from " + in_quotes(who.ns) + ", " +
                                  (who.router ? "a router" : "which has no address") + ", from others on " +
                                  in_quotes(network.intent.segments[who.segment].interface),
                              "give it a bridge of its own, or say gateway: host", flow.text.size());
    }
  }
}

void put_gateway(Graph& graph, const Network& network) { Uplinks(graph, network).put(); }

std::vector<std::string> uplinks_of(const Network& network) {
  std::vector<std::string> names(network.intent.segments.size());
  for (const Switch& bridge : network.switches) {
    if (!bridge.gateway.empty()) names[bridge.segment] = uplink_name(bridge.spec->name);
  }
  return names;
}

}  // namespace topo::network
