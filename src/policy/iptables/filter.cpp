#include "policy/iptables/filter.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>

#include "topo/names.hpp"

namespace topo::policy {

Filter::Filter(const Intent& intent, const Relations& relations, Chains& chains)
    : intent_(intent),
      relations_(relations),
      chains_(chains),
      family_(chains.family()),
      group_(link_group(intent.topology)),
      block_(intent.reject ? go_to(chains.name("reject")) : verdict(Target::Kind::drop)),
      member_chain_(intent.members.size()),
      shared_(intent.segments.size()) {
  for (const Member& member : intent.members) keys_.push_back(member.ns + ' ' + member.interface);
}

void Filter::write() {
  if (intent_.reject) write_reject();
  for (std::size_t i = 0; i < intent_.segments.size(); ++i) write_shared(i);
  for (std::size_t i = 0; i < intent_.segments.size(); ++i) write_segment(i);
  write_to();
  write_forward();
  write_input();
  write_output();
  chains_.prune();
}

/// A reset never gets back through a port map's translation, so that is answered by ICMP.
void Filter::write_reject() {
  Rules& rules = chains_[chains_.name("reject")];
  Target refuse = verdict(Target::Kind::reject), reset = refuse;
  reset.reject = Target::Reject::tcp_reset;
  Rule rule;
  rule.states = netfilter::ct_dnat;
  rules.push_back(with(rule, refuse));
  rule = {};
  rule.protocol = 6;
  rules.push_back(with(rule, reset));
  rules.push_back(with({}, refuse));
}

void Filter::write_forward() {
  Rules& rules = chains_[chains_.name("fwd")];
  rules.push_back(with(between(Side::not_own, Side::not_own), return_));
  add_answers(rules, between(Side::own, Side::own), accept_);
  for (const Segment& segment : intent_.segments) {
    if (!segment.plain) continue;
    Rule rule = to(segment);
    rule.in = {segment.interface, true};
    rules.push_back(with(rule, drop_));
  }
  rules.push_back(with(between(Side::own, Side::own), go_to(chains_.name("from"))));
  // One of the two is own, the other is another topology's.
  rules.push_back(with(between(Side::of_any_topology, Side::of_any_topology), drop_));
  add_answers(rules, {}, return_);
  rules.push_back(with(established(between(Side::not_own, Side::whoever)), return_));
  rules.push_back(with(between(Side::whoever, Side::own), go_to(chains_.name("to"))));
  rules.push_back(with({}, go_to(chains_.name("from"))));
  chains_.hook("FORWARD", chains_.name("fwd"), owner_mark(intent_.topology));

  Rules& senders = chains_[chains_.name("from")];
  for (const Segment& segment : intent_.segments) senders.push_back(with(from(segment), go_to(chain('s', segment))));
  senders.push_back(with({}, drop_));
}

Rule Filter::established(Rule rule) {
  rule.states = netfilter::ct_established;
  return rule;
}

void Filter::add_answers(Rules& rules, Rule rule, const Target& target) {
  rule.states = netfilter::ct_related;
  rules.push_back(with(rule, target));
  rule.states = netfilter::ct_established;
  rule.reply = true;
  rules.push_back(with(rule, target));
}

Rule Filter::from(const Segment& segment) {
  Rule rule;
  rule.in = is(segment.interface);
  return rule;
}

Rule Filter::to(const Segment& segment) {
  Rule rule;
  rule.out = is(segment.interface);
  return rule;
}

Rule Filter::between(Side in, Side out) const {
  using Group = netfilter::Maybe<netfilter::DeviceGroup>;
  const auto group = [&](Side side) -> std::optional<Group> {
    if (side == Side::whoever) return std::nullopt;
    if (side == Side::of_any_topology) return Group{{link_group_any, link_group_mask}, false};
    return Group{{group_, 0xffffffff}, side == Side::not_own};
  };
  Rule rule;
  rule.in_group = group(in);
  rule.out_group = group(out);
  return rule;
}

std::vector<Filter::Class> Filter::classes_of(std::size_t segment, bool bridged) const {
  std::vector<Class> classes;
  std::map<Decisions, std::size_t> known;
  for (const std::size_t member : relations_.members[segment]) {
    Decisions ids = relations_.from_member[member];
    std::erase_if(ids, [&](std::size_t id) {
      const Ends& ends = relations_.decisions[id].flow->to;
      if (bridged) return !relations_.ends_in(id, segment);
      return !ends.any && !leads_outside(ends) && ends.segments.empty() && ends.members.empty();
    });
    if (ids.empty()) continue;
    const auto [place, added] = known.emplace(ids, classes.size());
    if (added) classes.push_back({ids, {}});
    classes[place->second].members.push_back(member);
  }
  return classes;
}

std::vector<IpAddress> Filter::addresses_of(std::size_t member) const {
  std::vector<IpAddress> found;
  for (const IpAddress& address : intent_.members[member].addresses) {
    if (address.family() == family_) found.push_back(address);
  }
  return found;
}

Filter::Rules Filter::services_of(std::size_t decision) const {
  const Decision& what = relations_.decisions[decision];
  Rules rules = services(what.flow->ports, family_);
  for (Rule& rule : rules) rule.comment = comment((what.deny ? "deny " : "allow ") + what.flow->text);
  return rules;
}

std::string Filter::self_chain(std::size_t segment) {
  const std::string name = chain('h', intent_.segments[segment]);
  if (chains_.has(name)) return name;
  Rules rules;
  for (const std::size_t member : relations_.members[segment]) {
    if (!relations_.mapped[member]) continue;
    for (const IpAddress& address : addresses_of(member)) {
      Rule rule;
      rule.source = rule.destination = is(address);
      rules.push_back(with(rule, accept_));
    }
  }
  if (rules.empty()) return {};
  chains_[name] = std::move(rules);
  return name;
}

/// RFC 4861 (133 router solicitation, 134 advertisement, 135 and 136 neighbours, 137 redirect), MLD and MLDv2.
void Filter::add_neighbour_discovery(Rules& rules, bool from_routers, const Target& target) const {
  if (family_ == Family::v4) return;
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{133, 134, 135, 136, 137, 130, 131, 132, 143}) {
    if (!from_routers && (type == router_advertisement || type == redirect)) continue;
    Rule rule;
    rule.protocol = 58;
    rule.icmp_type = type;
    rules.push_back(with(rule, target));
  }
}

}  // namespace topo::policy
