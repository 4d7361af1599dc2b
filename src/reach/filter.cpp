#include "reach/filter.hpp"

#include <algorithm>

namespace topo::reach {
namespace {

bool holds(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

/// Whether who tracks in `zone` has to judge it: an answer to what was seen there passes.
bool is_judged(Sighting& packet, std::size_t zone) {
  const bool known = std::find(packet.tracked.begin(), packet.tracked.end(), zone) != packet.tracked.end();
  if (!known) packet.tracked.push_back(zone);
  return !known || !packet.back;
}

Crossing crossing_of(const Sighting& packet) {
  Crossing crossing;
  crossing.back = packet.back;
  crossing.source = packet.source;
  crossing.destination = packet.destination;
  return crossing;
}

}  // namespace

Filter::Filter(const Network& network, const policy::Relations& relations) : network_(network), relations_(relations) {
  const auto& members = relations.intent.members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const IpAddress& address : members[i].addresses) member_by_address_.emplace(address, i);
  }
}

std::size_t Filter::domain_of(std::size_t segment) const {
  const std::size_t own = network_.gateway_on(segment);
  return own == none ? none : network_.interfaces()[own].domain;
}

/// The member that has the address on the segment's Ethernet, or (`strict`) on the segment itself.
std::size_t Filter::member_with(const IpAddress& address, std::size_t segment, bool strict) const {
  const auto [first, last] = member_by_address_.equal_range(address);
  for (auto each = first; each != last; ++each) {
    const std::size_t its = relations_.intent.members[each->second].segment;
    if (its == segment || (!strict && domain_of(its) == domain_of(segment))) return each->second;
  }
  return none;
}

void Filter::name_sender(const Sighting& packet, std::size_t in, Crossing& crossing) const {
  const std::size_t segment = network_.interfaces()[in].segment;
  crossing.from_segment = segment;
  crossing.sender = packet.sender;
  const policy::Intent& intent = relations_.intent;
  const bool by_port = segment != none && packet.sender != none && relations_.by_port(packet.sender) && intent.segments[segment].filtered &&
                       intent.members[packet.sender].segment == segment;
  if (by_port) {
    crossing.from_member = packet.sender;
    crossing.forwarded = !holds(intent.members[packet.sender].addresses, packet.source);
    return;
  }
  if (segment == none) return;
  crossing.from_member = member_with(packet.source, segment, false);
  crossing.stray = crossing.from_member == none && relations_.checks_sources(segment);
}

void Filter::name_receiver(const Sighting& packet, std::size_t out, Crossing& crossing) const {
  crossing.to_segment = network_.interfaces()[out].segment;
  if (crossing.to_segment == none) return;
  crossing.to_member = member_with(packet.destination, crossing.to_segment, true);
  crossing.unknown = crossing.to_member == none && member_with(packet.destination, crossing.to_segment, false) == none;
}

/// With a gateway of its own the host, which turns what is for a port map, tells senders by their addresses alone (policy::unknown_at_host).
bool Filter::known_to_host(const Crossing& crossing) const {
  const std::size_t from = crossing.from_member;
  if (!network_.has_own_gateway() || from == none || (from == crossing.to_member && !crossing.forwarded)) return true;
  return !relations_.by_port(from) || relations_.within_reach[relations_.intent.members[from].segment].size() == 1;
}

std::optional<Crossing> Filter::routed(Sighting& packet, std::size_t in, std::size_t out, std::size_t map) const {
  using Kind = Crossing::Kind;
  // Between its bridges a gateway of its own decides alone, elsewhere the host does, with what comes from a bridge or goes to one seen by both.
  const bool own = network_.has_own_gateway(), from_bridge = network_.is_bridge(in), to_bridge = network_.is_bridge(out);
  const bool at_host = !own || !from_bridge || !to_bridge || map != none, inside = own && (from_bridge || to_bridge);
  const bool host_judges = at_host && is_judged(packet, none), namespace_judges = inside && is_judged(packet, own_namespace);
  if (!host_judges && !namespace_judges) return std::nullopt;
  Crossing crossing = crossing_of(packet);
  if (in == none) {
    crossing.kind = Kind::from_host;
  } else if (out == none) {
    crossing.kind = Kind::to_host;
  } else {
    crossing.kind = in == way_out ? Kind::entering : out == way_out ? Kind::leaving : Kind::routed;
  }
  // Between the host and the outside nothing is ours to judge.
  if ((in == none || in == way_out) && (out == none || out == way_out)) return std::nullopt;
  if (in != none && in != way_out) name_sender(packet, in, crossing);
  if (out != none && out != way_out) name_receiver(packet, out, crossing);
  if (map != none && !packet.back) {
    crossing.map = map;
    crossing.to_member = relations_.intent.ports[map].member;
    crossing.unknown = false;
    if (!known_to_host(crossing)) {
      crossing.from_member = none;
      crossing.forwarded = false;
    }
  }
  // What the host knows for an answer, and the namespace has not seen, has to be from its sender; there is nothing else to it.
  if (at_host && !host_judges && !crossing.stray) return std::nullopt;
  return crossing;
}

/// What a cable brings in was judged where it was sent.
std::optional<Crossing> Filter::bridged(Sighting& packet, std::size_t out, std::size_t taker) const {
  const policy::Intent& intent = relations_.intent;
  const std::size_t segment = network_.interfaces()[out].segment;
  if (!intent.segments[segment].bridge || taker == network_.gateway_on(segment)) return std::nullopt;
  Crossing crossing = crossing_of(packet);
  crossing.filtered = intent.segments[segment].filtered;
  const std::size_t zone = intent.segments[segment].plain ? segment : network_.has_own_gateway() ? own_namespace : none;
  if (crossing.filtered ? !is_judged(packet, zone) : packet.back) return std::nullopt;
  crossing.kind = Crossing::Kind::inside;
  crossing.from_segment = crossing.to_segment = segment;
  crossing.from_member = crossing.sender = packet.sender;
  crossing.stray = crossing.filtered && !relations_.by_port(packet.sender) && !holds(intent.members[packet.sender].addresses, packet.source);
  const std::size_t member = network_.interfaces()[taker].member;
  crossing.cable = member == none || intent.members[member].segment != segment;
  if (!crossing.cable) crossing.to_member = member;
  return crossing;
}

}  // namespace topo::reach
