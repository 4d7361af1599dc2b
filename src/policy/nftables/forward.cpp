// What crosses the gateway.
#include <algorithm>
#include <set>

#include "policy/nftables/compiler.hpp"

namespace topo::policy::nft {
namespace {

std::vector<Rule>& operator+=(std::vector<Rule>& rules, const std::vector<Rule>& more) {
  rules.insert(rules.end(), more.begin(), more.end());
  return rules;
}

}  // namespace

using nftables::name_value;
using nftables::number_value;

void Compiler::write_forward() {
  Rules& rules = hook("forward", "filter", "forward", before_filter);
  rules.push_back(rule({own(Field::iifgroup, true), own(Field::oifgroup, true)}, accept_));
  add_answers(rules, {own(Field::iifgroup), own(Field::oifgroup)});
  std::map<Value, std::string> plain, inside, senders;
  for (const Segment& segment : intent_.segments) {
    const Value name = name_value(segment.interface);
    senders[name] = "goto from/" + segment.interface;
    if (!segment.plain) continue;
    plain[name] = {};
    inside[name + name] = {};
  }
  if (!plain.empty()) {
    (void)put_set(rules_.inet, "plain", {Field::oifname}, plain);
    (void)put_set(rules_.inet, "plain_inside", {Field::iifname, Field::oifname}, inside);
    rules.push_back(rule({in_set({Field::oifname}, "plain"), in_set({Field::iifname, Field::oifname}, "plain_inside", true)}, drop_));
  }
  rules.push_back(rule({own(Field::iifgroup), own(Field::oifgroup)}, go_to("flow_from")));
  // One of the two is own, the other is another topology's.
  rules.push_back(rule({of_any_topology(Field::iifgroup), of_any_topology(Field::oifgroup)}, drop_));
  add_answers(rules, {});
  rules.push_back(rule({own(Field::iifgroup, true), state(nftables::state_established)}, accept_));
  rules.push_back(rule({own(Field::oifgroup)}, go_to("flow_to")));
  rules.push_back(rule({}, go_to("flow_from")));

  write_map_of_verdicts(rules_.inet, "senders", Type::ifname, senders);
  chain("flow_from") = {rule({}, lookup(Action::Kind::vmap, {Field::iifname}, "senders")), rule({}, drop_)};
  for (std::size_t i = 0; i < intent_.segments.size(); ++i) write_from(i);
  write_to();
}

void Compiler::write_from(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  Rules rules;
  write_inside(segment, rules);
  if (here.plain) {
    rules.push_back(rule({}, drop_));
    chain("from/" + here.interface) = std::move(rules);
    return;
  }
  write_check(segment);
  if (relations_.checks_sources(segment)) rules.push_back(rule({}, jump("check/" + here.interface)));
  rules.push_back(rule({state(nftables::state_established)}, accept_));
  write_judge(segment);
  std::map<Value, std::string> routers;
  for (const std::size_t member : relations_.members[segment]) {
    if (is_known_by_port(member)) routers[number_value(Type::mark, seat(member))] = "goto " + chain_of_port(member);
  }
  if (!routers.empty()) {
    write_map_of_verdicts(rules_.inet, "routers/" + here.interface, Type::mark, routers);
    rules.push_back(rule({}, lookup(Action::Kind::vmap, {Field::mark}, "routers/" + here.interface)));
  }
  add_strangers(segment, rules);
  rules.push_back(rule({}, go_to("judge/" + here.interface)));
  chain("from/" + here.interface) = std::move(rules);
}

/// What stays inside a bridge, as far as it comes by here.
void Compiler::write_inside(std::size_t segment, Rules& rules) {
  const Segment& here = intent_.segments[segment];
  const Match inside = is(Field::oifname, here);
  if (here.filtered) {
    rules.push_back(rule({inside}, lookup(Action::Kind::vmap, {Field::mark}, inside_map)));
  } else if (relations_.switches(segment)) {
    // Bridged packets come here too where the kernel's setting for all bridges says so; nothing inside is forbidden.
    rules.push_back(rule({inside}, accept_));
  }
}

/// Members of bridges that cables join to this one are judged as they are there.
void Compiler::add_strangers(std::size_t segment, Rules& rules) {
  const Segment& here = intent_.segments[segment];
  std::map<Value, std::string> strangers[2];
  for (const std::size_t member : relations_.within_reach[segment]) {
    if (intent_.members[member].segment == segment) continue;
    if (segment_of(member).plain) continue;
    const std::string chain = is_known_by_port(member) ? chain_of_port(member) : "judge/" + segment_of(member).interface;
    for (const IpAddress& address : intent_.members[member].addresses)
      strangers[address.family() == Family::v4 ? 0 : 1][nftables::value(address)] = "goto " + chain;
  }
  for (const bool v4 : {true, false}) {
    const auto& verdicts = strangers[v4 ? 0 : 1];
    if (verdicts.empty()) continue;
    const std::string name = "strangers/" + here.interface + (v4 ? "/4" : "/6");
    write_map_of_verdicts(rules_.inet, name, v4 ? Type::ipv4_addr : Type::ipv6_addr, verdicts);
    rules.push_back(rule({}, lookup(Action::Kind::vmap, {v4 ? Field::ip_saddr : Field::ip6_saddr}, name)));
  }
}

/// Returns where the source is one that may come in here. Comes after the answers, for replies may take any way.
void Compiler::write_check(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  if (!relations_.checks_sources(segment)) return;
  Rules& rules = chain("check/" + here.interface);
  // Never forwarded; towards the host it is the members' own.
  rules.push_back(rule({match(Field::ip6_saddr, nftables::value(Cidr::link_local(Family::v6)))}, return_));
  Lookups known;
  for (const std::size_t member : relations_.within_reach[segment]) {
    if (relations_.by_port(member)) {
      known.add({}, part(Field::mark, number_value(Type::mark, seat(member))), {});
      continue;
    }
    for (const IpAddress& address : intent_.members[member].addresses) known.add({}, source(address), {});
  }
  known.put(rules_.inet, "known/" + here.interface + '/');
  for (Rule& each : known.rules(return_)) rules.push_back(std::move(each));
  rules.push_back(rule({}, drop_));
}

/// What such a member forwards is its own, whoever's address it bears.
bool Compiler::is_known_by_port(std::size_t member) const { return relations_.by_port(member) && has_seat(member); }

/// The chain that judges it: its own where a flow names it, else that of all in the segment whom none names.
std::string Compiler::chain_of_port(std::size_t member) const {
  if (relations_.from_member[member].empty()) return "others/" + segment_of(member).interface;
  return "port/" + intent_.members[member].port;
}

/// How the segment's chain knows a member; by its mark it is known before.
std::vector<Part> Compiler::sender(std::size_t member) const {
  if (relations_.by_port(member)) return has_seat(member) ? std::vector<Part>{} : std::vector<Part>{Part{}};
  std::vector<Part> parts;
  for (const IpAddress& address : intent_.members[member].addresses) parts.push_back(source(address));
  return parts;
}

void Compiler::write_judge(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  const Judgement::Manner manner{[this](std::size_t member) { return sender(member); }, [this](std::size_t decision) { return towards(decision); },
                                 accept_, block_};
  Judgement judgement(relations_, rules_.inet, here.interface, manner);
  judgement.add_all(relations_.from_segment[segment]);
  judgement.add_members(relations_.members[segment]);
  judgement.put();
  const Rules rest = [&] {
    Rules found = judgement.allows_of_all();
    return found += defaults(segment);
  }();
  Rules rules = judgement.denies();
  rules += judgement.allows_of_members();
  rules += own_ways_out(segment, relations_.members[segment], false);
  rules += rest;
  chain("judge/" + here.interface) = std::move(rules);

  for (const std::size_t member : relations_.members[segment]) {
    if (!is_known_by_port(member)) continue;
    const std::string name = chain_of_port(member);
    Judgement own(relations_, rules_.inet, name, manner);
    own.add_all(relations_.from_member[member]);
    own.put();
    Rules of_port = own.denies_of_all();
    of_port += judgement.denies_of_all();
    of_port += own.allows_of_all();
    of_port += own_ways_out(segment, {member}, true);
    chain(name) = std::move(of_port += rest);
  }
}

bool Compiler::implied_way_out(std::size_t segment, Family family) const {
  return intent_.segments[segment].nat.masks(family) && !relations_.opens_outside(relations_.from_segment[segment]);
}

/// Where an allow leads one of `members` outside, it takes the place of the way out that all have by `nat`.
Compiler::Rules Compiler::own_ways_out(std::size_t segment, const Members& members, bool known_by_chain) {
  Lookups named;
  for (const Family family : {Family::v4, Family::v6}) {
    if (!implied_way_out(segment, family)) continue;
    const Condition outside{"x", {own(Field::oifgroup, true)}};
    for (const std::size_t member : members) {
      if (!relations_.opens_outside(relations_.from_member[member])) continue;
      const std::vector<Part> senders = known_by_chain ? std::vector<Part>{Part{}} : sender(member);
      for (const Part& each : senders) {
        const auto of_family = each.family ? std::optional<Part>(each) : join(each, part(Field::nfproto, nftables::value(family)));
        if (each.family.value_or(family) == family) named.add(outside, *of_family, {});
      }
    }
  }
  if (named.empty()) return {};
  named.put(rules_.inet,
            (known_by_chain ? "leaves_port/" + intent_.members[members.front()].port : "leaves/" + intent_.segments[segment].interface) + '/');
  return named.rules(block_);
}

Compiler::Rules Compiler::defaults(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  Rules rules;
  const Match outside = own(Field::oifgroup, true);
  const bool v4 = implied_way_out(segment, Family::v4), v6 = implied_way_out(segment, Family::v6);
  if (v4 != v6) rules.push_back(rule({match(Field::nfproto, nftables::value(v4 ? Family::v4 : Family::v6)), outside}, accept_));
  if (v4 && v6) rules.push_back(rule({outside}, accept_));
  if (intent_.default_allow && !(v4 && v6)) rules.push_back(rule({outside}, block_));
  const bool judged = here.filtered || !relations_.switches(segment);
  const Match inside = is(Field::oifname, here);
  if (judged && !here.isolated && !intent_.default_allow) rules.push_back(rule({inside}, accept_));
  if (judged && here.isolated) {
    add_self(rules, {inside});
    if (intent_.default_allow) rules.push_back(rule({inside}, block_));
  }
  rules.push_back(rule({}, intent_.default_allow ? accept_ : block_));
  return rules;
}

/// A port map's target may always speak to itself through it.
void Compiler::write_self() {
  Lookups self;
  for (std::size_t member = 0; member < intent_.members.size(); ++member) {
    if (!relations_.mapped[member] || !segment_of(member).isolated) continue;
    for (const IpAddress& address : intent_.members[member].addresses) self.add({}, *join(source(address), destination(address)), {});
  }
  self.put(rules_.inet, "self/");
  self_ = self.rules(accept_);
}

void Compiler::add_self(Rules& rules, const std::vector<Match>& front) const {
  for (Rule each : self_) {
    each.matches.insert(each.matches.begin(), match(Field::ct_status, number_value(Type::ct_status, nftables::status_dnat)));
    each.matches.insert(each.matches.begin(), front.begin(), front.end());
    rules.push_back(std::move(each));
  }
}

}  // namespace topo::policy::nft
