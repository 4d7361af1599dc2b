#include "desire/emit.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "desire/inside.hpp"
#include "desire/uplinks.hpp"

namespace topo::network {
namespace {

bool has_family(const std::vector<Located<Cidr>>& addresses, Family family) {
  return std::any_of(addresses.begin(), addresses.end(), [&](const auto& it) { return it.value.family() == family; });
}

class Emission {
 public:
  explicit Emission(const Network& network)
      : network_(network), inside_(network), gateway_(network.gateway_ns()), graph_(network.topology.name.value) {}

  Graph run() {
    for (const auto& bridge : network_.switches) put_bridge(bridge);
    for (const auto& space : network_.spaces) put_space(space);
    for (const auto& cable : network_.cables) put_cable(cable);
    if (!gateway_.empty()) put_gateway(graph_, network_);
    return std::move(graph_);
  }

 private:
  void put_bridge(const Switch& it) {
    const BridgeSpec& spec = *it.spec;
    Bridge bridge;
    bridge.ns = gateway_;
    bridge.name = spec.name;
    bridge.mac = it.mac;
    bridge.mtu = it.mtu;
    bridge.stp = spec.stp;
    if (spec.ageing_time_s) bridge.ageing_time_s = spec.ageing_time_s->value;
    bridge.filtered = network_.intent.segments[it.segment].filtered;
    bridge.gateway_v4 = has_family(it.gateway, Family::v4);
    bridge.gateway_v6 = has_family(it.gateway, Family::v6);
    // With a gateway of its own the host keeps the bridge's addresses, on the end of the uplink there.
    bridge.route_localnet = it.route_localnet && gateway_.empty();
    if (gateway_.empty()) put_addresses({}, spec.name, it.gateway, it.mac, spec.at);
    graph_.put(std::move(bridge), spec.at);
  }

  /// The addresses of an interface; with IPv6 among them its link-local one, which the kernel is told not to make itself.
  void put_addresses(const std::string& ns, const std::string& interface, const std::vector<Located<Cidr>>& addresses, const Mac& mac,
                     const Position& at) {
    put_listed(ns, interface, addresses);
    if (has_family(addresses, Family::v6)) graph_.put(Address{ns, interface, mac.link_local()}, at);
  }

  /// The first that is written of a subnet is its first in the kernel.
  void put_listed(const std::string& ns, const std::string& interface, const std::vector<Located<Cidr>>& addresses) {
    std::set<Cidr> subnets;
    for (const auto& address : addresses) {
      const bool first = subnets.insert(address.value.network()).second;
      graph_.put(Address{ns, interface, address.value, address.value.family() == Family::v4 && !first}, address.at);
    }
  }

  void put_space(const Space& space) {
    graph_.put(Namespace{space.name, space.spec->router, {}}, space.spec->at);
    put_listed(space.name, "lo", space.loopback);
    for (const auto& [name, value] : space.spec->sysctls) graph_.put(Sysctl{space.name, name.value, as_printed(name.value, value)}, name.at);
    for (const auto& [route, at] : space.routes) graph_.put(route, at);
    for (const auto& [rule, at] : space.rules) graph_.put(rule, at);
    auto etc = inside_.etc_of(space);
    const auto commands = inside_.commands_of(space, etc);
    for (std::size_t i = 0; i < commands.size(); ++i) graph_.put(commands[i], space.spec->run[i].at);
    if (etc) graph_.put(*std::move(etc), space.spec->at);
  }

  VethEnd veth_end(const End& end, std::uint32_t mtu) const {
    VethEnd made;
    if (end.netns != nowhere) made.ns = network_.spaces[end.netns].name;
    if (end.bridge != nowhere) {
      made.ns = gateway_;
      made.bridge = network_.switches[end.bridge].spec->name;
    }
    made.name = end.name;
    made.mac = end.mac;
    made.mtu = mtu;
    made.hairpin = end.hairpin;
    made.gateway_v4 = end.is_host() && has_family(end.addresses, Family::v4);
    made.route_localnet = end.route_localnet;
    made.ipv6 = has_family(end.addresses, Family::v6);
    return made;
  }

  void put_cable(const Cable& cable) {
    Veth veth{{veth_end(cable.ends[0], cable.mtu), veth_end(cable.ends[1], cable.mtu)}};
    for (std::size_t side = 0; side < 2; ++side)
      put_addresses(veth.ends[side].ns, veth.ends[side].name, cable.ends[side].addresses, cable.ends[side].mac, cable.at);
    const auto place = [](const VethEnd& end) { return std::tie(end.ns, end.name); };
    if (place(veth.ends[1]) < place(veth.ends[0])) std::swap(veth.ends[0], veth.ends[1]);
    graph_.put(std::move(veth), cable.at);
  }

  const Network& network_;
  Inside inside_;
  std::string gateway_;
  Graph graph_;
};

}  // namespace

Graph graph_of(const Network& network) { return Emission(network).run(); }

}  // namespace topo::network
