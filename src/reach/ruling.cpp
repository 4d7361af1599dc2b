#include "reach/ruling.hpp"

#include <algorithm>

#include "graph/gateway.hpp"
#include "topo/names.hpp"

namespace topo::reach {
namespace {

using Kind = Crossing::Kind;

/// The name of an interface that is no topology's: what rules say of these, they say of all alike.
constexpr const char* outer_interface = "outside";

std::uint8_t number_of(Protocol protocol, Family family) {
  switch (protocol) {
    case Protocol::tcp:
      return 6;
    case Protocol::udp:
      return 17;
    case Protocol::icmp:
      return static_cast<std::uint8_t>(family == Family::v4 ? 1 : 58);
    case Protocol::any:
      break;
  }
  return 132;  // sctp: one of the others
}

/// The port of `segment` that leads to the Ethernet where `member` is.
std::string port_to(const Network& network, std::size_t segment, std::size_t member) {
  const policy::Intent& intent = network.intent();
  if (member != none && intent.members[member].segment == segment) return intent.members[member].port;
  const auto& cables = intent.segments[segment].cables;
  return cables.empty() ? std::string() : cables.front().port;
}

/// A filter that sees a packet, and as what.
struct Sight {
  const Firewall* firewall;
  policy::Packet packet;
};

/// With `gateway: own` what stays between bridges is seen by the gateway alone; what comes from one or goes to one also on its way by the uplink.
std::vector<Sight> sights_of(const Firewalls& firewalls, const Network& network, const Crossing& crossing, Protocol protocol, std::uint16_t port) {
  const policy::Packet packet = packet_at(network, crossing, protocol, port);
  if (!firewalls.gateway) return {{&firewalls.host, packet}};
  const auto& segments = network.intent().segments;
  const auto is_bridge = [&](const std::string& interface, std::size_t segment) {
    return !interface.empty() && segment != none && segments[segment].bridge && interface == segments[segment].interface;
  };
  const bool mapped_by_host = crossing.kind == Kind::from_host && packet.dnat;
  const bool from_bridge = is_bridge(packet.in, crossing.from_segment);
  const bool to_bridge = mapped_by_host ? segments[crossing.to_segment].bridge : is_bridge(packet.out, crossing.to_segment);
  if (from_bridge && to_bridge && crossing.map == none) return {{&*firewalls.gateway, packet}};
  policy::Packet inside = packet;
  inside.bridged = inside.dnat = inside.source_local = inside.destination_local = false;
  inside.physical_out.clear();
  std::vector<Sight> sights;
  if (from_bridge) {
    sights.push_back({&*firewalls.gateway, inside});
    sights.back().packet.out = uplink_name(packet.in);
    sights.back().packet.out_group = packet.in_group;
  }
  sights.push_back({&firewalls.host, packet});
  policy::Packet& at_host = sights.back().packet;
  at_host.bridged = false;
  at_host.physical_in.clear();
  at_host.physical_out.clear();
  if (to_bridge) {
    inside.physical_in.clear();
    inside.out = segments[crossing.to_segment].interface;
    inside.out_group = inside.in_group = link_group(network.intent().topology);
    inside.in = uplink_name(inside.out);
    sights.push_back({&*firewalls.gateway, inside});
  }
  return sights;
}

}  // namespace

policy::Packet packet_at(const Network& network, const Crossing& crossing, Protocol protocol, std::uint16_t port) {
  const policy::Intent& intent = network.intent();
  const std::uint32_t group = link_group(intent.topology);
  policy::Packet packet;
  packet.source = crossing.source;
  packet.destination = crossing.destination;
  const Family family = crossing.destination.family();
  packet.protocol = number_of(protocol, family);
  packet.source_port = 40000;
  packet.destination_port = port;
  packet.icmp_type = family == Family::v4 ? 8 : 128;
  packet.dnat = crossing.map != none;
  const bool from_own = crossing.kind != Kind::entering && crossing.kind != Kind::from_host;
  const bool to_own = crossing.kind != Kind::leaving && crossing.kind != Kind::to_host;
  if (from_own) {
    const policy::Segment& segment = intent.segments[crossing.from_segment];
    packet.in = segment.interface;
    packet.in_group = group;
    if (segment.filtered) packet.physical_in = port_to(network, crossing.from_segment, crossing.sender);
  }
  if (to_own) {
    packet.out = intent.segments[crossing.to_segment].interface;
    packet.out_group = group;
  }
  if (crossing.kind == Kind::entering) packet.in = outer_interface;
  if (crossing.kind == Kind::leaving) packet.out = outer_interface;
  packet.destination_local = crossing.kind == Kind::to_host;
  packet.source_local = crossing.kind == Kind::from_host;
  if (crossing.kind == Kind::from_host && packet.dnat) {
    // A packet of the host's own that a port map turns is still on its way to `lo` when the filter sees it.
    packet.out = "lo";
    packet.out_group = 0;
  }
  // What a port map leads back into a bridge whose packets are filtered never leaves that (br_nf_pre_routing_finish,
  // net/bridge/br_netfilter_hooks.c).
  const bool turned_back = crossing.kind == Kind::routed && crossing.map != none && crossing.from_segment == crossing.to_segment &&
                           intent.segments[crossing.from_segment].filtered;
  if (crossing.kind == Kind::inside || turned_back) {
    packet.bridged = true;
    packet.physical_out = port_to(network, crossing.to_segment, crossing.cable ? none : crossing.to_member);
  }
  return packet;
}

Firewalls firewalls_in(const Graph& graph) {
  const auto of = [&](const std::string& ns) {
    const Node* const node = graph.find(id_of(Firewall{ns, {}}));
    return node == nullptr ? Firewall{ns, {}} : std::get<Firewall>(node->resource);
  };
  Firewalls found{of(""), std::nullopt};
  if (const auto own = own_gateway_in(graph)) found.gateway = of(*own);
  return found;
}

std::vector<Judged> judged_by(const Firewalls& firewalls, const Network& network, const Leg& leg, Protocol protocol, std::uint16_t port) {
  std::vector<Judged> found;
  for (std::size_t i = 0; i < leg.crossings.size(); ++i) {
    const Crossing& crossing = leg.crossings[i];
    if (!crossing.filtered) continue;
    for (auto& [firewall, packet] : sights_of(firewalls, network, crossing, protocol, port)) {
      if (crossing.back) std::swap(packet.source_port, packet.destination_port);
      policy::Ruling ruling = policy::rule_on(*firewall, packet);
      const bool passes = ruling.passes();
      found.push_back({crossing, i, firewall->ns, std::move(packet), std::move(ruling)});
      if (!passes) return found;
    }
  }
  return found;
}

DecidingRule deciding(const Judged& judged, const policy::Step& step) {
  DecidingRule found{judged.ns, step.chain, step.index, {}, {}, !judged.ruling.passes()};
  std::visit(
      [&](const auto* rule) {
        found.rule = *rule;
        found.comment = rule->comment;
      },
      step.rule);
  return found;
}

std::optional<DecidingRule> deciding_rule(const Model& model, const Firewalls& firewalls, const FlowClass& flow, const Witness& witness) {
  const Target& target = model.targets()[flow.to.front()];
  const auto [from, to] = model.ends_of(flow);
  const Way way = model.way(from, model.senders()[flow.from], to, target);
  const std::uint16_t port = target.kind == Target::Kind::port ? flow.span.service.first : witness.port;
  std::optional<DecidingRule> found;
  for (const Leg& leg : way.legs) {
    for (const Judged& judged : judged_by(firewalls, model.network(), leg, witness.protocol, port)) {
      const policy::Step* step = judged.ruling.decisive();
      if (step != nullptr) found = deciding(judged, *step);
      if (!judged.ruling.passes()) return found;
    }
  }
  return found;
}

}  // namespace topo::reach
