// What members say to the gateway itself, and it to them.
#include <algorithm>

#include "policy/iptables/filter.hpp"
#include "topo/names.hpp"

namespace topo::policy {
namespace {

bool is_about_host(const Ends& ends) { return ends.any || ends.host; }

Rule icmp(Family family, std::uint8_t v4_type, std::uint8_t v6_type) {
  Rule rule;
  rule.protocol = static_cast<std::uint8_t>(family == Family::v4 ? 1 : 58);
  rule.icmp_type = family == Family::v4 ? v4_type : v6_type;
  return rule;
}

}  // namespace

void Filter::write_input() {
  Rules& rules = chains_[chains_.name("in")];
  rules.push_back(with(between(Side::not_own, Side::whoever), return_));
  add_answers(rules, {}, return_);
  for (const Segment& segment : intent_.segments) {
    if (segment.plain) rules.push_back(with(from(segment), drop_));
  }
  if (family_ == Family::v4) {
    // route_localnet lets 127.0.0.1 be reached from where port maps lead to. After the answers: replies to it come this way.
    Rule guard;
    guard.destination = is(*Cidr::parse("127.0.0.0/8"));
    rules.push_back(with(guard, drop_));
  } else {
    // The gateway is no member's to configure: no router advertisements, no redirects.
    rules.push_back(with(icmp(family_, 0, router_advertisement), drop_));
    rules.push_back(with(icmp(family_, 0, redirect), drop_));
    add_neighbour_discovery(rules, false, return_);
  }
  for (std::size_t i = 0; i < intent_.segments.size(); ++i) {
    if (intent_.segments[i].plain) continue;
    const std::string next = input_chain(i);
    rules.push_back(with(from(intent_.segments[i]), next.empty() ? return_ : go_to(next)));
  }
  rules.push_back(with({}, drop_));
  chains_.hook("INPUT", chains_.name("in"), owner_mark(intent_.topology));
}

/// `n` where something is denied towards the host, else the source check alone; empty where there is neither.
std::string Filter::input_chain(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  const std::string check = chain('k', here);
  Rules denies;
  for (const std::size_t member : relations_.within_reach[segment]) {
    add_towards_host(denies, relations_.from_member[member], sources_of(member, segment));
  }
  add_towards_host(denies, relations_.from_segment[segment], {Rule{}});
  if (denies.empty()) return chains_.has(check) ? check : std::string();
  Rules& rules = chains_[chain('n', here)];
  if (chains_.has(check)) rules.push_back(with({}, jump(check)));
  rules.push_back(with(established({}), return_));
  rules.insert(rules.end(), denies.begin(), denies.end());
  return chain('n', here);
}

void Filter::add_towards_host(Rules& rules, const Decisions& ids, const Rules& sources) const {
  for (const std::size_t id : ids) {
    if (!relations_.decisions[id].deny || !is_about_host(relations_.decisions[id].flow->to)) continue;
    for (const Rule& service : services_of(id)) {
      for (const Rule& source : sources) {
        Rule rule = service;
        rule.source = source.source;
        rule.physical_in = source.physical_in;
        rules.push_back(with(rule, block_));
      }
    }
  }
}

/// How the member is known when it speaks to the host.
Filter::Rules Filter::sources_of(std::size_t member, std::size_t segment) const {
  const Segment& here = intent_.segments[segment];
  const bool own_port = here.filtered && intent_.members[member].segment == segment;
  Rule rule;
  if (own_port) rule.physical_in = intent_.members[member].port;
  if (relations_.by_port(member)) return {rule};
  Rules rules;
  for (const IpAddress& address : addresses_of(member)) {
    rule.source = is(address);
    rules.push_back(rule);
  }
  if (family_ == Family::v6) {
    // Whose link-local address it is only a port could tell: without one it is denied to all here, rather than open to this one.
    rule.source = is(Cidr::link_local(Family::v6));
    rules.push_back(rule);
  }
  return rules;
}

void Filter::write_output() {
  Rules rules;
  const auto has_target = [&](const PortMap& map) {
    return std::any_of(map.targets.begin(), map.targets.end(), [&](const IpAddress& target) { return target.family() == family_; });
  };
  if (std::any_of(intent_.ports.begin(), intent_.ports.end(), has_target)) {
    // A packet that goes back to where it came from, as through a port map to a neighbour, moves the kernel to tell the sender of a
    // shorter way, which leads past the translation.
    Rule shortcut = icmp(family_, 5, redirect);
    shortcut.out_group = between(Side::whoever, Side::own).out_group;
    rules.push_back(with(shortcut, drop_));
  }
  Rules denies;
  for (std::size_t id = 0; id < relations_.decisions.size(); ++id) {
    const Decision& decision = relations_.decisions[id];
    if (decision.deny && is_about_host(decision.flow->from)) add_from_host(denies, id);
  }
  if (!denies.empty()) {
    Rule mapped;
    mapped.states = netfilter::ct_dnat;
    Rule begun;
    begun.states = netfilter::ct_established | netfilter::ct_related;
    rules.push_back(with(begun, return_));
    rules.push_back(with(between(Side::whoever, Side::own), go_to(chains_.name("host"))));
    rules.push_back(with(mapped, go_to(chains_.name("host"))));
    Rules& host = chains_[chains_.name("host")];
    add_neighbour_discovery(host, true, return_);
    host.insert(host.end(), denies.begin(), denies.end());
  }
  if (rules.empty()) return;
  chains_[chains_.name("out")] = std::move(rules);
  chains_.hook("OUTPUT", chains_.name("out"), owner_mark(intent_.topology));
}

/// The host's packets to a port map's target are still seen on their way to `lo` here, so targets are known by address.
void Filter::add_from_host(Rules& rules, std::size_t decision) {
  const Ends& ends = relations_.decisions[decision].flow->to;
  const auto whole = [&](std::size_t segment) {
    return ends.any || std::find(ends.segments.begin(), ends.segments.end(), segment) != ends.segments.end();
  };
  for (const Rule& service : services_of(decision)) {
    Rule rule = service;
    if (ends.any) {
      rule.out_group = between(Side::whoever, Side::own).out_group;
      rules.push_back(with(rule, block_));
    }
    for (const std::size_t segment : ends.segments) {
      rule = service;
      rule.out = is(intent_.segments[segment].interface);
      rules.push_back(with(rule, block_));
    }
    for (std::size_t member = 0; member < intent_.members.size(); ++member) {
      if (!relations_.mapped[member] || !whole(intent_.members[member].segment)) continue;
      for (const IpAddress& address : addresses_of(member)) {
        rule = service;
        rule.destination = is(address);
        rules.push_back(with(rule, block_));
      }
    }
    for (const std::size_t member : ends.members) {
      if (whole(intent_.members[member].segment)) continue;
      for (const IpAddress& address : addresses_of(member)) {
        rule = service;
        rule.destination = is(address);
        rules.push_back(with(rule, block_));
      }
      if (relations_.by_port(member)) add_unaddressed(rules, service, member, block_);
      if (family_ == Family::v4) continue;
      rule = service;
      rule.out = is(segment_of(member).interface);
      rule.destination = is(Cidr::link_local(Family::v6));
      rules.push_back(with(rule, block_));
    }
  }
}

}  // namespace topo::policy
