// The networks that the gateway sees, and who is on them.
#include <algorithm>
#include <tuple>

#include "desire/network.hpp"

namespace topo::network {
namespace {

struct Candidate {
  std::string interface;
  std::size_t bridge = nowhere;
  std::optional<EndRef> host_end;
};

/// Bridges and the host's ends of links, by name: the order in the file is of no account.
std::vector<Candidate> candidates(const Network& network) {
  std::vector<Candidate> found;
  for (std::size_t i = 0; i < network.switches.size(); ++i) found.push_back({network.switches[i].spec->name, i, {}});
  for (std::size_t i = 0; i < network.cables.size(); ++i) {
    for (std::size_t side = 0; side < 2; ++side) {
      const End& end = network.cables[i].ends[side];
      if (end.is_host()) found.push_back({end.name, nowhere, EndRef{i, side}});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.interface < b.interface; });
  return found;
}

std::vector<Cidr> values(const std::vector<Located<Cidr>>& located) {
  std::vector<Cidr> found;
  for (const auto& one : located) found.push_back(one.value);
  return found;
}

}  // namespace

void place_members(Network& network) {
  std::vector<std::size_t> segment_of_cable(network.cables.size(), nowhere);
  for (const auto& candidate : candidates(network)) {
    policy::Segment segment;
    segment.interface = candidate.interface;
    if (candidate.host_end) {
      segment.bridge = false;
      segment.gateway = values(network.end(*candidate.host_end).addresses);
      segment_of_cable[candidate.host_end->cable] = network.intent.segments.size();
    } else {
      Switch& bridge = network.switches[candidate.bridge];
      bridge.segment = network.intent.segments.size();
      segment.plain = bridge.spec->plain;
      segment.isolated = bridge.spec->isolated;
      segment.nat = bridge.spec->nat;
      segment.gateway = values(bridge.gateway);
    }
    network.intent.segments.push_back(std::move(segment));
  }

  struct Placed {
    policy::Member member;
    std::size_t space = nowhere;
  };
  std::vector<Placed> placed;
  for (std::size_t i = 0; i < network.cables.size(); ++i) {
    for (std::size_t side = 0; side < 2; ++side) {
      const End& end = network.cables[i].ends[side];
      const End& other = network.cables[i].ends[1 - side];
      // Seen from the gateway's end: who is at the other one. Behind a cable between two switches that is whoever is on the other switch.
      if (end.netns != nowhere) continue;
      Placed one;
      one.space = other.netns;
      one.member.segment = end.bridge != nowhere ? network.switches[end.bridge].segment : segment_of_cable[i];
      if (end.bridge != nowhere) one.member.port = end.name;
      if (other.netns == nowhere) {
        one.member.router = true;
      } else {
        const Space& space = network.spaces[other.netns];
        one.member.ns = space.name;
        one.member.interface = other.name;
        one.member.router = space.spec->router;
        for (const auto& address : other.addresses) {
          if (!is_v6_link_local(address.value.address())) one.member.addresses.push_back(address.value.address());
        }
      }
      placed.push_back(std::move(one));
    }
  }
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.member.segment, a.member.ns, a.member.interface, a.member.port) <
           std::tie(b.member.segment, b.member.ns, b.member.interface, b.member.port);
  });
  for (auto& one : placed) {
    if (one.space != nowhere) network.spaces[one.space].members.push_back(network.intent.members.size());
    network.intent.members.push_back(std::move(one.member));
  }
}

}  // namespace topo::network
