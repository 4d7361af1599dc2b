// Port maps: which attachment of the target they lead to, and whether one outside port is mapped twice.
#include <algorithm>
#include <map>

#include "desire/network.hpp"

namespace topo::network {
namespace {

/// The member's first address of that family on a network that the gateway is on too.
std::optional<IpAddress> reachable(const Network& network, std::size_t index, Family family) {
  const policy::Member& member = network.intent.members[index];
  const policy::Segment& segment = network.intent.segments[member.segment];
  for (const auto& address : member.addresses) {
    if (address.family() != family) continue;
    if (std::any_of(segment.gateway.begin(), segment.gateway.end(), [&](const Cidr& gateway) { return gateway.contains(address); })) return address;
  }
  return std::nullopt;
}

/// The interface of the namespace's default route of that family; empty where it has none.
std::string default_interface(const Space& space, Family family) {
  const Route* best = nullptr;
  for (const auto& [route, at] : space.routes) {
    if (route.table != 254 || route.destination.family() != family || route.destination.prefix() != 0 || route.next_hops.empty()) continue;
    if (best == nullptr || route.metric < best->metric) best = &route;
  }
  return best == nullptr ? std::string() : best->next_hops.front().interface;
}

/// Members stand in the order of their bridges' names; the namespace's own order is that of its interfaces.
std::vector<std::size_t> members_in_order(const Network& network, const Space& space) {
  std::map<std::string, std::size_t> by_interface;
  for (const std::size_t member : space.members) by_interface.emplace(network.intent.members[member].interface, member);
  std::vector<std::size_t> ordered;
  for (const auto& ref : space.interfaces) {
    const auto found = by_interface.find(network.end(ref).name);
    if (found != by_interface.end()) ordered.push_back(found->second);
  }
  return ordered;
}

std::optional<std::size_t> target_member(const Network& network, const Space& space, Family family) {
  const std::string by_default = default_interface(space, family);
  std::optional<std::size_t> first;
  for (const std::size_t member : members_in_order(network, space)) {
    if (!reachable(network, member, family)) continue;
    if (network.intent.members[member].interface == by_default) return member;
    if (!first) first = member;
  }
  return first;
}

void add_map(Network& network, const PortMapSpec& spec) {
  const auto span = spaces_named(network, spec.target);
  if (!span || span->count != 1) return;
  const Space& space = network.spaces[span->first];
  if (space.doubtful) return;
  std::map<std::size_t, policy::PortMap> by_member;
  for (const Family family : families) {
    if (spec.address && spec.address->family() != family) continue;
    const auto member = target_member(network, space, family);
    if (!member) continue;
    policy::PortMap& map = by_member[*member];
    map = {spec.address,           spec.first,        spec.last,        spec.protocol, *member,
           std::move(map.targets), spec.target_first, spec.target_last, spec.text,     spec.at};
    map.targets.push_back(*reachable(network, *member, family));
  }
  if (by_member.empty()) {
    const std::string family = spec.address ? std::string(family_name(spec.address->family())) + " " : "";
    network.mistakes.refuse(spec.target_at, "no way from outside to " + in_quotes(space.name) + " for a port map",
                            "it needs an " + (family.empty() ? std::string("address") : family + "address") +
                                " on a bridge on which the gateway has one too, or on a link to host",
                            spec.target.size());
  }
  for (auto& [member, map] : by_member) network.intent.ports.push_back(std::move(map));
}

/// Marks what the kernel needs for the maps: hairpin at the target's port, 127.0.0.1's way to its bridge or cable.
void prepare_ways(Network& network) {
  std::map<std::string, End*> ends;  // the gateway's
  for (auto& cable : network.cables) {
    for (auto& end : cable.ends) {
      if (end.netns == nowhere) ends.emplace(end.name, &end);
    }
  }
  for (const auto& map : network.intent.ports) {
    const policy::Member& member = network.intent.members[map.member];
    const auto found = ends.find(member.port.empty() ? network.intent.segments[member.segment].interface : member.port);
    if (found == ends.end()) continue;
    End& end = *found->second;
    // Through a gateway of its own a packet never leaves a bridge by the port that it came in by: it has been to the host.
    end.hairpin = !end.is_host() && !network.topology.own_gateway;
    const bool v4 = std::any_of(map.targets.begin(), map.targets.end(), [](const auto& target) { return target.family() == Family::v4; });
    if (v4) (end.is_host() ? end.route_localnet : network.switches[end.bridge].route_localnet) = true;
  }
}

/// Sweeps over the ports in rising order, remembering how far the maps by each address reach.
void check_overlaps(Network& network) {
  std::vector<const PortMapSpec*> maps;
  for (const auto& map : network.topology.ports) maps.push_back(&map);
  std::stable_sort(maps.begin(), maps.end(),
                   [](const auto* a, const auto* b) { return std::tie(a->protocol, a->first) < std::tie(b->protocol, b->first); });
  std::map<std::optional<IpAddress>, const PortMapSpec*> furthest;
  const PortMapSpec* furthest_of_all = nullptr;
  Protocol protocol = Protocol::any;
  for (const auto* map : maps) {
    if (map->protocol != protocol) {
      furthest.clear();
      furthest_of_all = nullptr;
      protocol = map->protocol;
    }
    const PortMapSpec* met = nullptr;
    const auto look = [&](const PortMapSpec* other) {
      if (met == nullptr && other != nullptr && map->first <= other->last) met = other;
    };
    look(map->address ? nullptr : furthest_of_all);
    if (const auto found = furthest.find(std::nullopt); found != furthest.end()) look(found->second);
    if (const auto found = furthest.find(map->address); found != furthest.end()) look(found->second);
    if (met != nullptr) {
      const auto [first, second] = std::minmax(met, map, [](const auto* a, const auto* b) { return a->at < b->at; });
      network.mistakes.refuse(second->at, "an outside port of " + in_quotes(second->text) + " is mapped already by " + in_quotes(first->text),
                              first->at.line != 0 ? "in line " + std::to_string(first->at.line) : std::string());
    }
    const PortMapSpec*& reach = furthest[map->address];
    if (reach == nullptr || reach->last < map->last) reach = map;
    if (furthest_of_all == nullptr || furthest_of_all->last < map->last) furthest_of_all = map;
  }
}

}  // namespace

void resolve_ports(Network& network) {
  for (const auto& spec : network.topology.ports) add_map(network, spec);
  std::sort(network.intent.ports.begin(), network.intent.ports.end(), [](const auto& a, const auto& b) {
    return std::tie(a.protocol, a.first, a.address, a.text, a.member) < std::tie(b.protocol, b.first, b.address, b.text, b.member);
  });
  check_overlaps(network);
  prepare_ways(network);
}

}  // namespace topo::network
