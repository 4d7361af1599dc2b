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

/// Fills the segments; of each cable, the segment of its end in the gateway that is no bridge's port.
std::vector<std::size_t> place_segments(Network& network) {
  std::vector<std::size_t> of_host_end(network.cables.size(), nowhere);
  for (const auto& candidate : candidates(network)) {
    policy::Segment segment;
    segment.interface = candidate.interface;
    if (candidate.host_end) {
      segment.bridge = false;
      segment.gateway = values(network.end(*candidate.host_end).addresses);
      segment.at = network.end(*candidate.host_end).at;
      of_host_end[candidate.host_end->cable] = network.intent.segments.size();
    } else {
      Switch& bridge = network.switches[candidate.bridge];
      bridge.segment = network.intent.segments.size();
      segment.plain = bridge.spec->plain;
      segment.isolated = bridge.spec->isolated;
      segment.nat = bridge.spec->nat;
      segment.gateway = values(bridge.gateway);
      segment.at = bridge.spec->at;
    }
    network.intent.segments.push_back(std::move(segment));
    network.segment_domain.push_back(candidate.host_end ? nowhere : network.switches[candidate.bridge].domain);
  }
  return of_host_end;
}

/// The namespace at the other end of the gateway's end `ref`, as a member of the segment there.
policy::Member member_at(const Network& network, const EndRef& ref, std::size_t segment) {
  const End& port = network.end(ref);
  const End& inside = network.peer(ref);
  const Space& space = network.spaces[inside.netns];
  policy::Member member;
  member.ns = space.name;
  member.interface = inside.name;
  member.segment = segment;
  if (port.bridge != nowhere) member.port = port.name;
  member.router = space.spec->router;
  for (const auto& address : inside.addresses) {
    if (!is_v6_link_local(address.value.address())) member.addresses.push_back(address.value.address());
  }
  return member;
}

}  // namespace

void place_members(Network& network) {
  const auto of_host_end = place_segments(network);
  struct Placed {
    policy::Member member;
    std::size_t space = nowhere;
  };
  std::vector<Placed> placed;
  for (std::size_t i = 0; i < network.cables.size(); ++i) {
    const auto segment_of = [&](const End& end) { return end.bridge != nowhere ? network.switches[end.bridge].segment : of_host_end[i]; };
    for (std::size_t side = 0; side < 2; ++side) {
      const EndRef ref{i, side};
      const End& end = network.end(ref);
      const End& other = network.peer(ref);
      if (end.netns != nowhere) continue;
      if (other.netns != nowhere) {
        placed.push_back({member_at(network, ref, segment_of(end)), other.netns});
      } else {
        const std::string port = end.bridge != nowhere ? end.name : std::string();
        network.intent.segments[segment_of(end)].cables.push_back({port, segment_of(other)});
      }
    }
  }
  for (auto& segment : network.intent.segments) {
    std::sort(segment.cables.begin(), segment.cables.end(), [](const auto& a, const auto& b) { return a.port < b.port; });
  }
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.member.segment, a.member.ns, a.member.interface) < std::tie(b.member.segment, b.member.ns, b.member.interface);
  });
  for (auto& one : placed) {
    network.spaces[one.space].members.push_back(network.intent.members.size());
    network.intent.members.push_back(std::move(one.member));
  }
}

}  // namespace topo::network
