// Which members answer strangers by the gateway.
#include <algorithm>

#include "desire/network.hpp"

namespace topo::network {
namespace {

constexpr std::uint32_t main_table = 254;  // RT_TABLE_MAIN, linux/rtnetlink.h

/// What its traffic to strangers goes by: the next hops of its best default route, else of all its routes.
std::vector<NextHop> ways_to_strangers(const Space& space, Family family) {
  const Route* best = nullptr;
  std::vector<NextHop> others;
  for (const auto& [route, at] : space.routes) {
    if (route.table != main_table || route.destination.family() != family || route.type != Route::Type::unicast) continue;
    others.insert(others.end(), route.next_hops.begin(), route.next_hops.end());
    if (route.destination.prefix() == 0 && (best == nullptr || route.metric < best->metric)) best = &route;
  }
  return best != nullptr ? best->next_hops : others;
}

/// True where all of `ways` lead by the member's interface to its segment's gateway.
bool lead_to_gateway(const std::vector<NextHop>& ways, const policy::Member& member, const policy::Segment& segment) {
  if (ways.empty()) return false;
  const auto leads = [&](const NextHop& hop) {
    return hop.interface == member.interface && hop.via &&
           std::any_of(segment.gateway.begin(), segment.gateway.end(), [&](const Cidr& gateway) { return gateway.address() == *hop.via; });
  };
  return std::all_of(ways.begin(), ways.end(), leads);
}

/// What the namespace is on by other interfaces, and what its routes lead to past the segment's gateway.
std::vector<Cidr> networks_nearby(const Network& network, const Space& space, const policy::Member& member, const policy::Segment& segment) {
  std::set<Cidr> found;
  for (const EndRef& ref : space.interfaces) {
    if (network.end(ref).name == member.interface) continue;
    for (const auto& [address, at] : network.end(ref).addresses) found.insert(address.network());
  }
  for (const auto& [route, at] : space.routes) {
    const bool usual = route.destination.prefix() == 0 || route.type != Route::Type::unicast;
    if (!usual && !lead_to_gateway(route.next_hops, member, segment)) found.insert(route.destination.network());
  }
  for (const Cidr& gateway : segment.gateway) found.erase(gateway.network());
  std::erase_if(found, [](const Cidr& one) { return is_v6_link_local(one.address()); });
  return {found.begin(), found.end()};
}

void find_answers(Network& network, const Space& space) {
  const std::array<std::vector<NextHop>, 2> ways{ways_to_strangers(space, Family::v4), ways_to_strangers(space, Family::v6)};
  for (const std::size_t index : space.members) {
    policy::Member& member = network.intent.members[index];
    const policy::Segment& segment = network.intent.segments[member.segment];
    bool any = false;
    bool all = true;
    for (std::size_t i = 0; i < families.size(); ++i) {
      const auto of_family = [&](const IpAddress& address) { return address.family() == families[i]; };
      if (std::none_of(member.addresses.begin(), member.addresses.end(), of_family)) continue;
      const bool leads = lead_to_gateway(ways[i], member, segment);
      any = any || leads;
      all = all && leads;
    }
    member.answers_by_gateway = any && all;
    member.near = networks_nearby(network, space, member, segment);
  }
}

}  // namespace

void resolve_answers(Network& network) {
  for (const auto& space : network.spaces) find_answers(network, space);
}

}  // namespace topo::network
