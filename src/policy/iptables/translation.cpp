#include "policy/iptables/translation.hpp"

#include <set>

#include "topo/names.hpp"

namespace topo::policy {
namespace {

constexpr std::uint8_t tcp = 6, udp = 17;

Rule from(const Cidr& source) {
  Rule rule;
  rule.source = is(source);
  return rule;
}

Rule to(const Cidr& destination) {
  Rule rule;
  rule.destination = is(destination);
  return rule;
}

Cidr loopback(Family family) { return *Cidr::parse(family == Family::v4 ? "127.0.0.0/8" : "::1/128"); }

bool for_host_alone(const PortMap& map) { return map.address && map.address->is_loopback(); }

}  // namespace

Translation::Translation(const Intent& intent, Chains& chains)
    : intent_(intent), chains_(chains), family_(chains.family()), mark_(owner_mark(intent.topology)) {
  for (const PortMap& map : intent.ports) {
    if (map.address && map.address->family() != family_) continue;
    for (const IpAddress& target : map.targets) {
      if (target.family() == family_) maps_.push_back({&map, target});
    }
  }
}

void Translation::write() {
  if (!maps_.empty()) {
    write_maps();
    write_ways_in();
  }
  chains_.prune();
  Rules rules;
  if (!maps_.empty()) write_way_back(rules);
  write_ways_out(rules);
  if (rules.empty()) return;
  if (!intent_.segments.empty()) {
    // What stays on `lo` leaves nothing.
    Rule inside;
    inside.out = is("lo");
    rules.insert(rules.begin(), with(inside, verdict(Target::Kind::return_)));
  }
  chains_[chains_.name("post")] = std::move(rules);
  chains_.hook("POSTROUTING", chains_.name("post"), mark_);
}

Rule Translation::translated(const Map& map) const {
  const PortMap& what = *map.map;
  Rule rule = services({{what.protocol, what.first, what.last}}, family_).front();
  rule.comment = comment("port " + what.text);
  rule.target = verdict(Target::Kind::dnat);
  rule.target.address = map.target;
  if (what.first != what.target_first) {
    rule.target.ports = netfilter::Ports{what.target_first, what.target_last};
    if (what.first != what.last) rule.target.base = what.first;
  }
  return rule;
}

/// `map`: by one address first, then by any local one. An address that is not the host's passes by: its traffic is somebody else's.
void Translation::write_maps() {
  Rules& rules = chains_[chains_.name("map")];
  std::vector<Leaf> leaves[2];
  for (const Map& map : maps_) {
    Rule rule = translated(map);
    if (for_host_alone(*map.map)) continue;
    if (map.map->address) {
      rule.destination = is(*map.map->address);
      rule.destination_type = netfilter::AddressType::local;
      rules.push_back(std::move(rule));
    } else {
      leaves[rule.protocol == udp ? 1 : 0].push_back(leaf(map.map->first, map.map->last, std::move(rule)));
    }
  }
  for (const std::uint8_t protocol : {tcp, udp}) {
    std::vector<Leaf>& maps = leaves[protocol == udp ? 1 : 0];
    if (maps.empty()) continue;
    Rule local;
    local.protocol = protocol;
    local.destination_type = netfilter::AddressType::local;
    const std::string name = chains_.name(protocol == tcp ? "tcp" : "udp");
    rules.push_back(with(local, go_to(name)));
    chains_.plant(name, std::move(maps), protocol == tcp ? Branch::tcp_port : Branch::udp_port, std::nullopt);
  }
}

void Translation::write_ways_in() {
  const Target leave = verdict(Target::Kind::return_);
  const std::string maps = chains_.name("map");
  Rules out;
  if (family_ == Family::v6) out.push_back(with(to(loopback(family_)), leave));
  for (const Map& map : maps_) {
    if (!for_host_alone(*map.map)) continue;
    Rule rule = translated(map);
    rule.destination = is(*map.map->address);
    out.push_back(std::move(rule));
  }
  if (!chains_[maps].empty()) out.push_back(with({}, go_to(maps)));
  chains_[chains_.name("out")] = std::move(out);
  chains_.hook("OUTPUT", chains_.name("out"), mark_);
  if (chains_[maps].empty()) return;

  Rules& in = chains_[chains_.name("pre")];
  in.push_back(with(to(loopback(family_)), leave));
  for (const Segment& segment : intent_.segments) {
    if (!segment.plain) continue;
    Rule rule;
    rule.in = is(segment.interface);
    in.push_back(with(rule, leave));
  }
  // Another topology's members have no way here, and what its switches carry is no business of ours.
  Rule own, others;
  own.in_group = {{link_group(intent_.topology), 0xffffffff}, false};
  others.in_group = {{link_group_any, link_group_mask}, false};
  in.push_back(with(own, go_to(maps)));
  in.push_back(with(others, leave));
  in.push_back(with({}, go_to(maps)));
  chains_.hook("PREROUTING", chains_.name("pre"), mark_);
}

/// The answers must come back through the gateway to be translated back: so the gateway asks in its own name where they would not.
void Translation::write_way_back(Rules& rules) {
  std::set<std::size_t> segments;
  std::set<IpAddress> targets;
  Rules found;
  const Target masquerade = verdict(Target::Kind::masquerade);
  const auto add_sources = [&](Rules& list, Rule rule, const Segment& segment) {
    for (const Cidr& gateway : segment.gateway) {
      if (gateway.family() != family_) continue;
      rule.source = is(gateway);
      list.push_back(with(rule, masquerade));
    }
  };
  // Once for all uplinks, for each of them may answer to each.
  Rules inside;
  bool to_uplink = false;
  for (const Segment& segment : intent_.segments) {
    if (segment.uplink) add_sources(inside, {}, segment);
  }
  for (const Map& map : maps_) {
    const Member& member = intent_.members[map.map->member];
    const Segment& segment = intent_.segments[member.segment];
    Rule rule;
    rule.out = is(segment.interface);
    if (segments.insert(member.segment).second) {
      if (segment.uplink && !inside.empty()) {
        found.push_back(with(rule, jump(chains_.name("uplinks"))));
        to_uplink = true;
      } else {
        add_sources(found, rule, segment);
      }
      rule.source = is(loopback(family_));
      if (family_ == Family::v4) found.push_back(with(rule, masquerade));
    }
    if (!targets.insert(map.target).second) continue;
    rule.destination = is(map.target);
    rule.source.reset();
    if (!member.answers_by_gateway) found.push_back(with(rule, masquerade));
    for (const Cidr& near : member.near) {
      if (near.family() != family_ || !member.answers_by_gateway) continue;
      rule.source = is(near);
      found.push_back(with(rule, masquerade));
    }
  }
  Rule mapped;
  mapped.states = netfilter::ct_dnat;
  rules.push_back(with(mapped, jump(chains_.name("back"))));
  if (to_uplink) chains_[chains_.name("uplinks")] = std::move(inside);
  chains_[chains_.name("back")] = std::move(found);
}

void Translation::write_ways_out(Rules& rules) {
  const auto source_nat = [&](Rule rule, const Nat& nat) {
    if (nat.kind == Nat::Kind::none || (nat.kind == Nat::Kind::snat && nat.to.family() != family_)) return;
    rule.target = verdict(nat.kind == Nat::Kind::snat ? Target::Kind::snat : Target::Kind::masquerade);
    if (nat.kind == Nat::Kind::snat) rule.target.address = nat.to;
    rules.push_back(std::move(rule));
  };
  for (const Segment& segment : intent_.segments) {
    if (segment.plain) continue;
    for (const Cidr& gateway : segment.gateway) {
      if (gateway.family() != family_) continue;
      Rule rule = from(gateway);
      rule.out_group = {{link_group_any, link_group_mask}, true};
      source_nat(std::move(rule), segment.nat);
    }
  }
  for (const InterfaceNat& leaving : intent_.interface_nat) {
    if (leaving.nat.kind == Nat::Kind::masquerade && !(family_ == Family::v4 ? leaving.v4 : leaving.v6)) continue;
    Rule rule;
    rule.out = is(leaving.interface);
    source_nat(std::move(rule), leaving.nat);
  }
}

}  // namespace topo::policy
