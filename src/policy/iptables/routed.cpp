// What crosses the gateway.
#include <algorithm>

#include "policy/iptables/filter.hpp"

namespace topo::policy {
namespace {

}  // namespace

bool Filter::implied_way_out(std::size_t segment) const {
  return intent_.segments[segment].nat.masks(family_) && !relations_.opens_outside(relations_.from_segment[segment]);
}

/// `d`, `a` and the chains of classes, where the segment's members are not all alike or others' packets come to be judged by its chains.
void Filter::write_shared(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  const std::vector<Class> classes = classes_of(segment, false);
  const bool joined = relations_.within_reach[segment].size() != relations_.members[segment].size() || !here.cables.empty();
  shared_[segment] = !classes.empty() || joined;
  if (!shared_[segment]) return;
  const Decisions& ids = relations_.from_segment[segment];
  Rules denies;
  add_decisions(denies, ids, true);
  Rules& unnamed = chains_[chain('c', here)];
  if (!denies.empty()) {
    chains_[chain('d', here)] = std::move(denies);
    unnamed.push_back(with({}, jump(chain('d', here))));
  }
  unnamed.push_back(with({}, go_to(chain('a', here))));
  Rules& rest = chains_[chain('a', here)];
  add_decisions(rest, ids, false);
  add_default(rest, segment);
  for (const Class& each : classes) write_class(each, segment);
}

void Filter::write_class(const Class& members, std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  const std::string name = chain('c', members.members.front());
  Rules& rules = chains_[name];
  add_decisions(rules, members.decisions, true);
  if (chains_.has(chain('d', here))) rules.push_back(with({}, jump(chain('d', here))));
  add_decisions(rules, members.decisions, false);
  if (implied_way_out(segment) && relations_.opens_outside(members.decisions)) rules.push_back(with(between(Side::whoever, Side::not_own), block_));
  rules.push_back(with({}, go_to(chain('a', here))));
  for (const std::size_t member : members.members) member_chain_[member] = name;
}

void Filter::write_segment(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  Rules& rules = chains_[chain('s', here)];
  Rule inside = to(here);
  if (here.filtered) {
    write_bridged(segment);
    inside.bridged = true;
    rules.push_back(with(inside, go_to(chain('b', here))));
  } else if (relations_.switches(segment)) {
    // Bridged packets come here too where the kernel's setting for all bridges says so; nothing inside is forbidden.
    rules.push_back(with(inside, accept_));
  }
  write_source_check(segment);
  if (here.plain) {
    rules.push_back(with({}, drop_));
    return;
  }
  if (chains_.has(chain('k', here))) rules.push_back(with({}, jump(chain('k', here))));
  rules.push_back(with(established(between(Side::whoever, Side::own)), accept_));
  rules.push_back(with(established({}), return_));
  if (shared_[segment]) {
    add_classes(rules, segment, chain('c', here));
    return;
  }
  add_decisions(rules, relations_.from_segment[segment], true);
  add_decisions(rules, relations_.from_segment[segment], false);
  add_default(rules, segment);
}

/// Each member to its class's chain; `rest` is for the others.
void Filter::add_classes(Rules& rules, std::size_t segment, const std::string& rest) {
  std::vector<Leaf> leaves;
  for (const std::size_t member : relations_.within_reach[segment]) {
    const bool stranger = intent_.members[member].segment != segment;
    std::string target = member_chain_[member];
    if (target.empty() && stranger) target = chain('c', segment_of(member));
    // What a router forwards is its own, whoever's address it bears.
    if (target.empty() && relations_.by_port(member) && intent_.segments[segment].filtered) target = rest;
    if (target.empty()) continue;
    Rule rule;
    if (!relations_.by_port(member) || stranger) {
      for (const IpAddress& address : addresses_of(member)) {
        rule.source = is(address);
        leaves.push_back(leaf(address, with(rule, go_to(target))));
      }
      continue;
    }
    if (intent_.segments[segment].filtered) rule.physical_in = intent_.members[member].port;
    rules.push_back(with(rule, go_to(target)));
  }
  chains_.plant(chain('s', intent_.segments[segment]), std::move(leaves), Branch::source, go_to(rest));
}

/// `k`: returns where the source is one that may come in here. Comes after the answers, for replies may take any way.
void Filter::write_source_check(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  if (!relations_.checks_sources(segment) || here.plain) return;
  Rules& rules = chains_[chain('k', here)];
  if (family_ == Family::v6) {
    // Never forwarded; towards the host it is the members' own.
    Rule rule;
    rule.source = is(Cidr::link_local(Family::v6));
    rules.push_back(with(rule, return_));
  }
  std::vector<Leaf> leaves;
  for (const std::size_t member : relations_.within_reach[segment]) {
    Rule rule;
    if (relations_.by_port(member)) {
      rule.physical_in = intent_.members[member].port;
      rules.push_back(with(rule, return_));
      continue;
    }
    for (const IpAddress& address : addresses_of(member)) {
      rule.source = is(address);
      leaves.push_back(leaf(address, with(rule, return_)));
    }
  }
  chains_.plant(chain('k', here), std::move(leaves), Branch::source, drop_);
}

void Filter::add_decisions(Rules& rules, const Decisions& ids, bool denies) {
  for (const std::size_t id : ids) {
    if (relations_.decisions[id].deny == denies) add_towards(rules, id);
  }
}

/// What a member sends: accepted towards another member; towards the outside the host's own rules have the last word.
void Filter::add_towards(Rules& rules, std::size_t decision) {
  const Ends& ends = relations_.decisions[decision].flow->to;
  const bool deny = relations_.decisions[decision].deny;
  const Target& own = target_of(decision, accept_);
  const Target& outside = target_of(decision, return_);
  const Rule leaving = between(Side::whoever, Side::not_own);
  for (const Rule& service : services_of(decision)) {
    Rule outwards = service;
    outwards.out_group = leaving.out_group;
    if (ends.any) {
      if (!deny) rules.push_back(with(outwards, outside));
      rules.push_back(with(service, own));
      continue;
    }
    add_destinations(rules, service, ends, own, true);
    if (ends.internet) {
      rules.push_back(with(outwards, outside));
      continue;
    }
    for (const Cidr& cidr : ends.outside) {
      if (cidr.family() != family_) continue;
      if (cidr.prefix() != 0) outwards.destination = is(cidr);
      rules.push_back(with(outwards, outside));
    }
  }
}

void Filter::add_default(Rules& rules, std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  if (implied_way_out(segment)) {
    rules.push_back(with(between(Side::whoever, Side::not_own), return_));
  } else if (intent_.default_allow) {
    rules.push_back(with(between(Side::whoever, Side::not_own), block_));
  }
  const bool judged = here.filtered || !relations_.switches(segment);
  if (judged && !here.isolated && !intent_.default_allow) rules.push_back(with(to(here), accept_));
  if (judged && here.isolated) {
    Rule own_map = to(here);
    own_map.states = netfilter::ct_dnat;
    if (const std::string self = self_chain(segment); !self.empty()) rules.push_back(with(own_map, jump(self)));
    if (intent_.default_allow) rules.push_back(with(to(here), block_));
  }
  rules.push_back(with({}, intent_.default_allow ? accept_ : block_));
}

Filter::Rules Filter::destinations(const Rule& base, const Members& members) const {
  Rules rules;
  for (const std::size_t member : members) {
    Rule rule = base;
    rule.out = is(segment_of(member).interface);
    for (const IpAddress& address : addresses_of(member)) {
      rule.destination = is(address);
      rules.push_back(rule);
    }
  }
  return rules;
}

void Filter::add_destinations(Rules& rules, const Rule& base, const Ends& ends, const Target& target, bool final) {
  for (const std::size_t segment : ends.segments) {
    if (intent_.segments[segment].plain) continue;
    Rule rule = base;
    rule.out = is(intent_.segments[segment].interface);
    rules.push_back(with(rule, target));
  }
  Members members;
  std::string key;
  for (const std::size_t member : ends.members) {
    const std::size_t segment = intent_.members[member].segment;
    if (intent_.segments[segment].plain || std::find(ends.segments.begin(), ends.segments.end(), segment) != ends.segments.end()) continue;
    members.push_back(member);
    key += keys_[member] + '\n';
  }
  Rules listed = destinations(base, members);
  if (listed.size() > listed_max && final) {
    const std::string name = chains_.name('z', key + (target == accept_ ? "pass" : "block"));
    if (!chains_.has(name)) {
      std::vector<Leaf> leaves;
      for (Rule& rule : destinations({}, members)) {
        const IpAddress address = rule.destination->value.address();
        leaves.push_back(leaf(address, with(std::move(rule), target)));
      }
      chains_.plant(name, std::move(leaves), Branch::destination, std::nullopt);
    }
    rules.push_back(with(base, jump(name)));
  } else {
    for (Rule& rule : listed) rules.push_back(with(std::move(rule), target));
  }
  if (!final) return;
  for (const std::size_t member : members) {
    if (relations_.by_port(member)) add_unaddressed(rules, base, member, target);
  }
}

/// What lies behind a router, or has an address of its own choice, is what is at no known address there.
void Filter::add_unaddressed(Rules& rules, const Rule& base, std::size_t member, const Target& target) {
  const std::size_t segment = intent_.members[member].segment;
  const Segment& there = intent_.segments[segment];
  const std::string name = chains_.name('u', there.interface + (target == accept_ ? " pass" : " block"));
  if (!chains_.has(name)) {
    std::vector<Leaf> leaves;
    for (const std::size_t known : relations_.within_reach[segment]) {
      for (const IpAddress& address : addresses_of(known)) {
        Rule rule;
        rule.destination = is(address);
        leaves.push_back(leaf(address, with(rule, return_)));
      }
    }
    chains_.plant(name, std::move(leaves), Branch::destination, target);
  }
  Rule rule = base;
  rule.out = is(there.interface);
  rules.push_back(with(rule, jump(name)));
}

void Filter::write_to() {
  Rules& rules = chains_[chains_.name("to")];
  for (const bool denies : {true, false}) {
    for (std::size_t id = 0; id < relations_.decisions.size(); ++id) {
      if (relations_.decisions[id].deny == denies && leads_outside(relations_.decisions[id].flow->from)) add_from_outside(rules, id);
    }
  }
  std::vector<Leaf> leaves;
  for (const PortMap& map : intent_.ports) {
    if (map.address && map.address->is_loopback()) continue;
    for (const IpAddress& target : map.targets) {
      if (target.family() != family_ || (map.address && map.address->family() != family_)) continue;
      Rule rule = services({{map.protocol, map.target_first, map.target_last}}, family_).front();
      rule.destination = is(target);
      rule.comment = comment("port " + map.text);
      leaves.push_back(leaf(target, with(std::move(rule), return_)));
    }
  }
  if (!leaves.empty()) {
    Rule mapped;
    mapped.states = netfilter::ct_dnat;
    rules.push_back(with(mapped, go_to(chains_.name("ports"))));
    chains_.plant(chains_.name("ports"), std::move(leaves), Branch::destination, block_);
  }
  rules.push_back(with({}, block_));
}

void Filter::add_from_outside(Rules& rules, std::size_t decision) {
  const Flow& flow = *relations_.decisions[decision].flow;
  const Target& target = target_of(decision, return_);
  for (const Rule& service : services_of(decision)) {
    Rules sources;
    if (flow.from.any || flow.from.internet) {
      sources.push_back(service);
    } else {
      for (const Cidr& cidr : flow.from.outside) {
        if (cidr.family() != family_) continue;
        sources.push_back(service);
        if (cidr.prefix() != 0) sources.back().source = is(cidr);
      }
    }
    for (const Rule& base : sources) {
      if (flow.to.any) {
        rules.push_back(with(base, target));
      } else {
        add_destinations(rules, base, flow.to, target, relations_.decisions[decision].deny);
      }
    }
  }
}

}  // namespace topo::policy
