#include "reach/judge.hpp"

#include <algorithm>
#include <set>

namespace topo::reach {
namespace {

using policy::Ends;
using Kind = Crossing::Kind;

constexpr std::uint32_t all_ports = 65536;
/// A port as clients use them: the kernel's own choice (net.ipv4.ip_local_port_range).
constexpr std::uint16_t client_port = 40000;

bool contains(const std::vector<std::size_t>& sorted, std::size_t value) { return std::binary_search(sorted.begin(), sorted.end(), value); }

bool names_outside(const Ends& ends, const IpAddress& address) {
  return ends.any || ends.internet || std::any_of(ends.outside.begin(), ends.outside.end(), [&](const Cidr& zone) { return zone.contains(address); });
}

/// Whether the flow is about all traffic of the protocol at once.
bool is_whole(const policy::Flow& flow, Protocol protocol) {
  if (flow.ports.empty()) return true;
  return std::any_of(flow.ports.begin(), flow.ports.end(), [&](const PortRange& range) {
    return range.protocol == Protocol::any || (protocol == Protocol::icmp && range.protocol == Protocol::icmp);
  });
}

}  // namespace

// --- rulings ---

Rulings::Rulings(const Ruled& all) : tcp_{{0, all}}, udp_{{0, all}}, icmp_(all), rest_(all) {}

Spans Rulings::spans() const {
  Spans found;
  const auto add = [&](const Ranges& ranges, Protocol protocol) {
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      const std::uint32_t end = i + 1 < ranges.size() ? ranges[i + 1].first : all_ports;
      if (ranges[i].ruled == rest_) continue;
      found.push_back({{protocol, static_cast<std::uint16_t>(ranges[i].first), static_cast<std::uint16_t>(end - 1)}, ranges[i].ruled});
    }
  };
  add(tcp_, Protocol::tcp);
  add(udp_, Protocol::udp);
  if (!(icmp_ == rest_)) found.push_back({{Protocol::icmp, 0, 65535}, icmp_});
  found.push_back({{Protocol::any, 0, 65535}, rest_});
  return found;
}

const Ruled& Rulings::of(Protocol protocol, std::uint16_t port) const {
  if (protocol == Protocol::icmp) return icmp_;
  if (protocol == Protocol::any) return rest_;
  const Ranges& ranges = protocol == Protocol::tcp ? tcp_ : udp_;
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), port, [](std::uint32_t p, const Range& range) { return p < range.first; });
  return std::prev(after)->ruled;
}

namespace {

/// Of two allowances the one that a statement gives tells more.
Ruled stronger(const Ruled& before, const Ruled& next) {
  if (before.verdict != Verdict::allowed) return before;
  if (next.verdict != Verdict::allowed) return next;
  const bool told = before.reason.kind == Reason::Kind::allow || before.reason.kind == Reason::Kind::port;
  return told || next.reason.kind == Reason::Kind::unfiltered ? before : next;
}

}  // namespace

Rulings::Ranges Rulings::refined(const Ranges& before, const Ranges& next) {
  Ranges made;
  std::size_t a = 0, b = 0;
  for (std::uint32_t at = 0; at < all_ports;) {
    const Ruled ruled = stronger(before[a].ruled, next[b].ruled);
    if (made.empty() || !(made.back().ruled == ruled)) made.push_back({at, ruled});
    const std::uint32_t end_a = a + 1 < before.size() ? before[a + 1].first : all_ports;
    const std::uint32_t end_b = b + 1 < next.size() ? next[b + 1].first : all_ports;
    at = std::min(end_a, end_b);
    if (end_a == at) ++a;
    if (end_b == at) ++b;
  }
  return made;
}

void Rulings::refine(const Rulings& next) {
  tcp_ = refined(tcp_, next.tcp_);
  udp_ = refined(udp_, next.udp_);
  icmp_ = stronger(icmp_, next.icmp_);
  rest_ = stronger(rest_, next.rest_);
}

// --- judge ---

Judge::Judge(const policy::Relations& relations)
    : relations_(relations), intent_(relations.intent), to_segment_(intent_.segments.size()), to_member_(intent_.members.size()) {
  for (std::size_t id = 0; id < relations.decisions.size(); ++id) {
    const Ends &from = relations.decisions[id].flow->from, &to = relations.decisions[id].flow->to;
    if (policy::leads_outside(from)) from_outside_.push_back(id);
    if (policy::leads_outside(to)) to_outside_.push_back(id);
    if (from.any || from.host) from_host_.push_back(id);
    if (to.any || to.host) to_host_.push_back(id);
    if (to.any) {
      to_any_.push_back(id);
      for (auto& list : to_segment_) list.push_back(id);
      continue;
    }
    for (const std::size_t segment : to.segments) to_segment_[segment].push_back(id);
    for (const std::size_t member : to.members) {
      if (!contains(to.segments, intent_.members[member].segment)) to_member_[member].push_back(id);
    }
  }
}

std::size_t Judge::segment_of_sender(const Crossing& crossing) const {
  return crossing.from_member != none ? intent_.members[crossing.from_member].segment : crossing.from_segment;
}

Judge::Side Judge::sender(const Crossing& crossing) const {
  Side side;
  if (crossing.kind == Kind::entering) side.lists.push_back(&from_outside_);
  if (crossing.kind == Kind::from_host) side.lists.push_back(&from_host_);
  if (const std::size_t segment = segment_of_sender(crossing); segment != none) side.lists.push_back(&relations_.from_segment[segment]);
  if (crossing.from_member != none) side.lists.push_back(&relations_.from_member[crossing.from_member]);
  for (const auto* list : side.lists) side.size += list->size();
  return side;
}

Judge::Side Judge::receiver(const Crossing& crossing) const {
  Side side;
  if (crossing.kind == Kind::leaving) side.lists.push_back(&to_outside_);
  if (crossing.kind == Kind::to_host) side.lists.push_back(&to_host_);
  if (crossing.cable) side.lists.push_back(&to_any_);
  if (!crossing.cable && crossing.to_segment != none) side.lists.push_back(&to_segment_[crossing.to_segment]);
  if (crossing.to_member != none) side.lists.push_back(&to_member_[crossing.to_member]);
  if (crossing.unknown) {
    // Who has no address there, or forwards for others, is whatever is at no known address.
    for (const std::size_t member : relations_.members[crossing.to_segment]) {
      if (relations_.by_port(member)) side.lists.push_back(&to_member_[member]);
    }
  }
  for (const auto* list : side.lists) side.size += list->size();
  return side;
}

bool Judge::names_sender(const Ends& ends, const Crossing& crossing) const {
  if (crossing.kind == Kind::entering) return names_outside(ends, crossing.source);
  if (crossing.kind == Kind::from_host) return ends.any || ends.host;
  const std::size_t segment = segment_of_sender(crossing);
  return ends.any || (segment != none && contains(ends.segments, segment)) ||
         (crossing.from_member != none && contains(ends.members, crossing.from_member));
}

bool Judge::names_receiver(const Ends& ends, const Crossing& crossing) const {
  if (ends.any) return true;
  if (crossing.cable) return false;
  if (crossing.kind == Kind::leaving) return names_outside(ends, crossing.destination);
  if (crossing.kind == Kind::to_host) return ends.host;
  if (crossing.to_segment != none && contains(ends.segments, crossing.to_segment)) return true;
  if (crossing.to_member != none) return contains(ends.members, crossing.to_member);
  return crossing.unknown && std::any_of(ends.members.begin(), ends.members.end(), [&](std::size_t member) {
           return intent_.members[member].segment == crossing.to_segment && relations_.by_port(member);
         });
}

/// The statements about the packet, in the order in which they decide: denies, then allows; of each first those that name the sender itself.
std::vector<std::size_t> Judge::matching(const Crossing& crossing) const {
  const Side from = sender(crossing), to = receiver(crossing);
  const bool by_sender = from.size <= to.size;
  std::vector<std::size_t> ids;
  for (const auto* list : by_sender ? from.lists : to.lists) {
    for (const std::size_t id : *list) {
      const policy::Flow& flow = *relations_.decisions[id].flow;
      if (names_receiver(flow.to, crossing) && names_sender(flow.from, crossing)) ids.push_back(id);
    }
  }
  const auto itself = [&](std::size_t id) { return crossing.from_member != none && contains(relations_.from_member[crossing.from_member], id); };
  const auto turn = [&](std::size_t id) { return std::tuple(!relations_.decisions[id].deny, !itself(id), id); };
  std::sort(ids.begin(), ids.end(), [&](std::size_t a, std::size_t b) { return turn(a) < turn(b); });
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

Ruled Judge::way_out(const Crossing& crossing) const {
  const std::size_t segment = segment_of_sender(crossing);
  const Nat& nat = intent_.segments[segment].nat;
  const Family family = crossing.source.family();
  const bool has_nat = nat.kind == Nat::Kind::masquerade || (nat.kind == Nat::Kind::snat && nat.to.family() == family);
  if (!has_nat) return {Verdict::denied, {Reason::Kind::no_nat, segment}};
  const bool replaced = relations_.opens_outside(relations_.from_segment[segment]) ||
                        (crossing.from_member != none && relations_.opens_outside(relations_.from_member[crossing.from_member]));
  if (replaced) return {Verdict::denied, {Reason::Kind::other_way_out, segment}};
  return {Verdict::allowed, {Reason::Kind::nat, segment}};
}

/// What holds where no statement says anything.
Ruled Judge::otherwise(const Crossing& crossing) const {
  const std::size_t segment = segment_of_sender(crossing);
  switch (crossing.kind) {
    case Kind::to_host:
    case Kind::from_host:
      return {Verdict::allowed, {Reason::Kind::host, none}};
    case Kind::leaving:
      return way_out(crossing);
    case Kind::entering:
      if (crossing.map != none) return {Verdict::allowed, {Reason::Kind::port, crossing.map}};
      return {Verdict::denied, {Reason::Kind::entering, none}};
    case Kind::inside:
      if (crossing.cable) return {Verdict::allowed, {Reason::Kind::cable, segment}};
      break;
    case Kind::routed:
      if (crossing.map != none && crossing.from_member == crossing.to_member && !crossing.forwarded)
        return {Verdict::allowed, {Reason::Kind::itself, none}};
      if (crossing.to_segment != segment) return {intent_.default_allow ? Verdict::allowed : Verdict::denied, {Reason::Kind::between, none}};
      break;
  }
  if (intent_.segments[segment].isolated) return {Verdict::denied, {Reason::Kind::isolated, segment}};
  return {Verdict::allowed, {Reason::Kind::same_bridge, segment}};
}

Ruled Judge::ruled_by(std::size_t id) const {
  const std::size_t denies = intent_.deny.size();
  if (id < denies) return {Verdict::denied, {Reason::Kind::deny, id}};
  return {Verdict::allowed, {Reason::Kind::allow, id - denies}};
}

Ruled Judge::first(const std::vector<std::size_t>& ids, Protocol protocol, const Ruled& otherwise) const {
  const auto found = std::find_if(ids.begin(), ids.end(), [&](std::size_t id) { return is_whole(*relations_.decisions[id].flow, protocol); });
  return found == ids.end() ? otherwise : ruled_by(*found);
}

/// Sweeps over the ports with the statements that are about each.
Rulings::Ranges Judge::ranges(const std::vector<std::size_t>& ids, Protocol protocol, const Ruled& otherwise) const {
  struct Edge {
    std::uint32_t port;
    std::size_t turn;
    bool begins;
  };
  std::vector<Edge> edges;
  for (std::size_t turn = 0; turn < ids.size(); ++turn) {
    const policy::Flow& flow = *relations_.decisions[ids[turn]].flow;
    if (is_whole(flow, protocol)) {
      edges.push_back({0, turn, true});
      continue;
    }
    for (const PortRange& range : flow.ports) {
      if (range.protocol != protocol) continue;
      edges.push_back({range.first, turn, true});
      edges.push_back({range.last + 1U, turn, false});
    }
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.port < b.port; });
  std::multiset<std::size_t> open;
  Rulings::Ranges made;
  std::size_t next = 0;
  for (std::uint32_t at = 0; at < all_ports;) {
    for (; next < edges.size() && edges[next].port == at; ++next) {
      if (edges[next].begins) {
        open.insert(edges[next].turn);
      } else {
        open.erase(open.find(edges[next].turn));
      }
    }
    const Ruled ruled = open.empty() ? otherwise : ruled_by(ids[*open.begin()]);
    if (made.empty() || !(made.back().ruled == ruled)) made.push_back({at, ruled});
    at = next < edges.size() ? edges[next].port : all_ports;
  }
  return made;
}

Rulings Judge::judge(const Crossing& crossing) const {
  using enum Reason::Kind;
  if (crossing.stray) return Rulings({Verdict::denied, {not_own, none}});
  // In a bridge whose packets the filter is not shown nothing is forbidden.
  const bool free = crossing.kind == Kind::inside ? !crossing.filtered
                                                  : crossing.kind == Kind::routed && crossing.from_segment == crossing.to_segment &&
                                                        !intent_.segments[crossing.to_segment].filtered && relations_.switches(crossing.to_segment);
  if (free) return Rulings({Verdict::allowed, {crossing.cable ? cable : same_bridge, crossing.from_segment}});
  std::vector<std::size_t> ids = matching(crossing);
  // With the host everything may pass that is not denied.
  if (crossing.kind == Kind::to_host || crossing.kind == Kind::from_host)
    std::erase_if(ids, [&](std::size_t id) { return !relations_.decisions[id].deny; });
  const Ruled rest = otherwise(crossing);
  Rulings rulings(rest);
  if (!ids.empty()) {
    rulings.tcp_ = ranges(ids, Protocol::tcp, rest);
    rulings.udp_ = ranges(ids, Protocol::udp, rest);
    rulings.icmp_ = first(ids, Protocol::icmp, rest);
    rulings.rest_ = first(ids, Protocol::any, rest);
  }
  if (crossing.back) {
    // An answer goes to a port of the client's own choice.
    rulings.tcp_ = {{0, rulings.of(Protocol::tcp, client_port)}};
    rulings.udp_ = {{0, rulings.of(Protocol::udp, client_port)}};
  }
  return rulings;
}

}  // namespace topo::reach
