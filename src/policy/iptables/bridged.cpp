// What stays inside a bridge whose packets reach the filter: sender and receiver are known by their ports.
#include "policy/iptables/filter.hpp"

namespace topo::policy {

void Filter::write_bridged(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  const std::vector<Class> classes = classes_of(segment, true);
  const Decisions& ids = relations_.from_segment[segment];
  const std::string unnamed = chain('e', here), denies = chain('f', here), rest = chain('g', here);
  std::map<std::size_t, std::string> class_of;
  for (const std::size_t member : relations_.members[segment]) class_of[member] = unnamed;

  Rules denied;
  add_bridged(denied, ids, segment, true);
  if (classes.empty()) {
    Rules& rules = chains_[unnamed];
    rules.push_back(with(established({}), accept_));
    rules.insert(rules.end(), denied.begin(), denied.end());
    add_bridged(rules, ids, segment, false);
    add_bridged_default(rules, segment);
  } else {
    Rules& allowed = chains_[rest];
    add_bridged(allowed, ids, segment, false);
    add_bridged_default(allowed, segment);
    for (const Class& each : classes) {
      const std::string name = chain('e', each.members.front());
      Rules& rules = chains_[name];
      rules.push_back(with(established({}), accept_));
      add_bridged(rules, each.decisions, segment, true);
      if (!denied.empty()) rules.push_back(with({}, jump(denies)));
      add_bridged(rules, each.decisions, segment, false);
      rules.push_back(with({}, go_to(rest)));
      for (const std::size_t member : each.members) class_of[member] = name;
    }
    Rules& others = chains_[unnamed];
    others.push_back(with(established({}), accept_));
    if (!denied.empty()) others.push_back(with({}, jump(denies)));
    others.push_back(with({}, go_to(rest)));
    if (!denied.empty()) chains_[denies] = std::move(denied);
  }
  Rules& rules = chains_[chain('b', here)];
  add_neighbour_discovery(rules, false, accept_);
  add_ports(rules, segment, class_of);
}

/// Each port to its member's class; an address that is not the member's own goes nowhere.
void Filter::add_ports(Rules& rules, std::size_t segment, const std::map<std::size_t, std::string>& class_of) {
  const Segment& here = intent_.segments[segment];
  Rule rule;
  for (const SegmentCable& cable : here.cables) {
    rule.physical_in = cable.port;
    rules.push_back(with(rule, accept_));
  }
  add_router_discovery(rules, segment);
  // A member without an address yet (DHCP), or with its link-local one.
  std::vector<std::string> unowned{"0.0.0.0/32"};
  if (family_ == Family::v6) unowned = {"fe80::/10", "::/128"};
  const std::string by_port = chain('p', here);
  Rules& ports = chains_[by_port];
  std::vector<Leaf> leaves;
  for (const std::size_t member : relations_.members[segment]) {
    rule = {};
    rule.physical_in = intent_.members[member].port;
    rule.target = go_to(class_of.at(member));
    ports.push_back(rule);
    if (relations_.by_port(member)) {
      rules.push_back(rule);
      continue;
    }
    for (const IpAddress& address : addresses_of(member)) {
      rule.source = is(address);
      leaves.push_back(leaf(address, rule));
    }
  }
  ports.push_back(with({}, drop_));
  for (const std::string& source : unowned) {
    rule = {};
    rule.source = is(*Cidr::parse(source));
    rules.push_back(with(rule, go_to(by_port)));
  }
  chains_.plant(chain('b', here), std::move(leaves), Branch::source, drop_);
}

/// Who advertises itself as a router, or redirects to one, becomes its neighbours' way out: routers alone may.
void Filter::add_router_discovery(Rules& rules, std::size_t segment) const {
  if (family_ == Family::v4) return;
  for (const std::uint8_t type : {router_advertisement, redirect}) {
    Rule rule;
    rule.protocol = 58;
    rule.icmp_type = type;
    for (const std::size_t member : relations_.members[segment]) {
      if (!intent_.members[member].router) continue;
      rule.physical_in = intent_.members[member].port;
      rules.push_back(with(rule, accept_));
    }
    rule.physical_in.reset();
    rules.push_back(with(rule, drop_));
  }
}

void Filter::add_bridged(Rules& rules, const Decisions& ids, std::size_t segment, bool denies) {
  for (const std::size_t id : ids) {
    if (relations_.decisions[id].deny != denies) continue;
    const Ends& ends = relations_.decisions[id].flow->to;
    const Target& target = target_of(id, accept_);
    bool whole = ends.any;
    for (const std::size_t named : ends.segments) whole = whole || named == segment;
    Members receivers;
    for (const std::size_t member : ends.members) {
      if (!whole && intent_.members[member].segment == segment) receivers.push_back(member);
    }
    for (const Rule& service : services_of(id)) {
      if (whole) {
        rules.push_back(with(service, target));
      } else if (receivers.size() > listed_max) {
        rules.push_back(with(service, jump(receivers_chain(receivers, target))));
      } else {
        add_receivers(rules, service, receivers, target);
      }
    }
  }
}

void Filter::add_receivers(Rules& rules, Rule base, const Members& receivers, const Target& target) const {
  for (const std::size_t member : receivers) {
    base.physical_out = intent_.members[member].port;
    rules.push_back(with(base, target));
  }
}

std::string Filter::receivers_chain(const Members& receivers, const Target& target) {
  std::string key = target == accept_ ? "pass" : "block";
  for (const std::size_t member : receivers) key += '\n' + keys_[member];
  const std::string name = chains_.name('y', key);
  if (!chains_.has(name)) add_receivers(chains_[name], {}, receivers, target);
  return name;
}

void Filter::add_bridged_default(Rules& rules, std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  if (!here.isolated) {
    rules.push_back(with({}, accept_));
    return;
  }
  Rule own_map;
  own_map.states = netfilter::ct_dnat;
  if (const std::string self = self_chain(segment); !self.empty()) rules.push_back(with(own_map, jump(self)));
  for (const SegmentCable& cable : here.cables) {
    Rule rule;
    rule.physical_out = cable.port;
    rules.push_back(with(rule, accept_));
  }
  rules.push_back(with({}, block_));
}

}  // namespace topo::policy
