#include "policy/nftables/translation.hpp"

#include "topo/names.hpp"

namespace topo::policy::nft {
namespace {

// One step before those of others, so that it is known whose comes first (NF_IP_PRI_NAT_DST, NF_IP_PRI_NAT_SRC, linux/netfilter_ipv4.h).
constexpr int before_dstnat = -101, before_srcnat = 99;

using nftables::name_value;
using nftables::number_value;
using nftables::range_value;

Cidr loopback(Family family) { return *Cidr::parse(family == Family::v4 ? "127.0.0.0/8" : "::1/128"); }

bool for_host_alone(const PortMap& map) { return map.address && map.address->is_loopback(); }

const char* digit(Family family) { return family == Family::v4 ? "4" : "6"; }

Action of_family(Action action, Family family) {
  action.family = family;
  return action;
}

Match of_group(Field field, std::uint32_t first, std::uint32_t last, bool negated = false) {
  return match(field, range_value(Type::devgroup, first, last), negated);
}

Match outside() { return of_group(Field::oifgroup, link_group_any, link_group_any | ~link_group_mask, true); }

}  // namespace

void Translation::write() {
  Rules rules;
  if (!intent_.ports.empty()) {
    write_maps();
    write_way_back(rules);
  }
  write_ways_out(rules);
  if (rules.empty()) return;
  // What stays on `lo` leaves nothing.
  if (!intent_.segments.empty()) rules.insert(rules.begin(), rule({match(Field::oifname, name_value("lo"))}, verdict(Action::Kind::accept)));
  hook("postrouting", "postrouting", before_srcnat) = std::move(rules);
}

Translation::Rules& Translation::hook(const std::string& name, const char* where, int priority) {
  table_.chains[name].base = nftables::Base{"nat", where, priority};
  return table_.chains[name].rules;
}

/// A port to a port. A range that stays what it is is one element of a map without ports; the others are one for each port.
void Translation::add_map(const std::string& name, const Part& front, const PortMap& map, const IpAddress& target) {
  const Part protocol = part(Field::l4proto, number_value(Type::inet_proto, map.protocol == Protocol::tcp ? 6 : 17));
  const std::string comment = as_comment("port " + map.text);
  const auto put = [&](const std::string& set_name, std::uint32_t first, std::uint32_t last, const std::string& data, bool with_port) {
    const Part key = *join(*join(front, protocol), part(Field::th_dport, range_value(Type::inet_service, first, last)));
    nftables::Set& set = table_.sets[set_name];
    if (set.key.empty()) {
      for (const Field field : key.fields) set.key.push_back(type_of(field));
      set.data = {target.family() == Family::v4 ? Type::ipv4_addr : Type::ipv6_addr};
      if (with_port) set.data.push_back(Type::inet_service);
      set.interval = !with_port;
    }
    set.elements[key.value] = {data, comment};
  };
  const std::string address = nftables::value(target).first;
  if (map.first == map.target_first && map.first != map.last) {
    put(name + "/ranges", map.first, map.last, address, false);
    return;
  }
  for (std::uint32_t port = map.first; port <= map.last; ++port)
    put(name, port, port, address + number_value(Type::inet_service, port - map.first + map.target_first).first, true);
}

void Translation::write_maps() {
  bool any_outside = false;
  for (const PortMap& map : intent_.ports) {
    for (const IpAddress& target : map.targets) {
      if (map.address && map.address->family() != target.family()) continue;
      any_outside = any_outside || !for_host_alone(map);
      const std::string front = for_host_alone(map) ? "ports_here" : map.address ? "ports_at" : "ports";
      add_map(front + digit(target.family()), map.address ? destination(*map.address) : Part{}, map, target);
    }
  }
  write_ways_in(any_outside);
}

void Translation::add_lookups(Rules& rules, const std::string& name, bool by_address) const {
  for (const Family family : {Family::v4, Family::v6}) {
    Fields fields{Field::l4proto, Field::th_dport};
    if (by_address) fields.insert(fields.begin(), family == Family::v4 ? Field::ip_daddr : Field::ip6_daddr);
    for (const char* kind : {"", "/ranges"}) {
      const std::string set = name + digit(family) + kind;
      if (table_.sets.contains(set)) rules.push_back(rule({}, of_family(lookup(Action::Kind::dnat, fields, set), family)));
    }
  }
}

/// By one address first, then by any local one. An address that is not the host's passes by: its traffic is somebody else's.
void Translation::write_ways_in(bool any_outside) {
  const Action leave = verdict(Action::Kind::accept);
  Rules out;
  add_lookups(out, "ports_here", true);
  // The kernel maps nothing from ::1.
  out.insert(out.begin(), rule({match(Field::ip6_daddr, nftables::value(loopback(Family::v6)))}, leave));
  if (any_outside) out.push_back(rule({}, go_to("ports")));
  hook("output_nat", "output", before_dstnat) = std::move(out);
  if (!any_outside) return;

  Rules& maps = table_.chains["ports"].rules;
  maps.push_back(rule({match(Field::fib_daddr_type, number_value(Type::fib_addrtype, nftables::type_local), true)}, leave));
  add_lookups(maps, "ports_at", true);
  add_lookups(maps, "ports", false);

  Rules& in = hook("prerouting", "prerouting", before_dstnat);
  in.push_back(rule({match(Field::ip_daddr, nftables::value(loopback(Family::v4)))}, leave));
  in.push_back(rule({match(Field::ip6_daddr, nftables::value(loopback(Family::v6)))}, leave));
  if (table_.sets.contains("plain")) in.push_back(rule({in_set({Field::iifname}, "plain")}, leave));
  // Another topology's members have no way here, and what its switches carry is no business of ours.
  const std::uint32_t own = link_group(intent_.topology);
  in.push_back(rule({of_group(Field::iifgroup, own, own)}, go_to("ports")));
  in.push_back(rule({of_group(Field::iifgroup, link_group_any, link_group_any | ~link_group_mask)}, leave));
  in.push_back(rule({}, go_to("ports")));
}

/// The answers must come back through the gateway to be translated back: so the gateway asks in its own name where they would not.
void Translation::write_way_back(Rules& rules) {
  Lookups back, to_uplinks, inside;
  for (const Segment& segment : intent_.segments) {
    for (const Cidr& gateway : segment.uplink ? segment.gateway : std::vector<Cidr>{}) inside.add({}, source(gateway), {});
  }
  for (const PortMap& map : intent_.ports) {
    const Member& member = intent_.members[map.member];
    const Segment& segment = intent_.segments[member.segment];
    const Part there = part(Field::oifname, name_value(segment.interface));
    for (const IpAddress& target : map.targets) {
      if (map.address && map.address->family() != target.family()) continue;
      const Family family = target.family();
      if (segment.uplink) to_uplinks.add({}, there, {});
      for (const Cidr& gateway : segment.uplink ? std::vector<Cidr>{} : segment.gateway) {
        if (gateway.family() == family) back.add({}, *join(there, source(gateway)), {});
      }
      if (family == Family::v4) back.add({}, *join(there, source(loopback(family))), {});
      const Part to_target = *join(there, destination(target));
      if (!member.answers_by_gateway) back.add({}, to_target, {});
      for (const Cidr& near : member.near) {
        if (near.family() == family && member.answers_by_gateway) back.add({}, *join(to_target, source(near)), {});
      }
    }
  }
  back.put(table_, "back/");
  table_.chains["back"].rules = back.rules(verdict(Action::Kind::masquerade));
  if (!to_uplinks.empty() && !inside.empty()) {
    // Once for all uplinks, for each of them may answer to each.
    inside.put(table_, "uplinks/");
    to_uplinks.put(table_, "back/uplinks/");
    table_.chains["uplinks"].rules = inside.rules(verdict(Action::Kind::masquerade));
    for (Rule& each : to_uplinks.rules(jump("uplinks"))) table_.chains["back"].rules.push_back(std::move(each));
  }
  rules.push_back(rule({match(Field::ct_status, number_value(Type::ct_status, nftables::status_dnat))}, jump("back")));
}

void Translation::write_ways_out(Rules& rules) {
  Lookups masqueraded;
  for (const Segment& segment : intent_.segments) {
    for (const Cidr& gateway : segment.plain ? std::vector<Cidr>{} : segment.gateway) {
      const Nat& nat = segment.nat;
      if (nat.kind == Nat::Kind::masquerade) masqueraded.add({}, source(gateway), {});
      if (nat.kind != Nat::Kind::snat || nat.to.family() != gateway.family()) continue;
      nftables::Set& masks = table_.sets[std::string("masks") + digit(gateway.family())];
      masks.key = masks.data = {gateway.family() == Family::v4 ? Type::ipv4_addr : Type::ipv6_addr};
      masks.interval = true;
      masks.elements[nftables::value(gateway)] = {nftables::value(nat.to).first, {}};
    }
  }
  masqueraded.put(table_, "masqueraded/");
  for (Rule& each : masqueraded.rules(verdict(Action::Kind::masquerade))) {
    each.matches.push_back(outside());
    rules.push_back(std::move(each));
  }
  for (const Family family : {Family::v4, Family::v6}) {
    const std::string masks = std::string("masks") + digit(family);
    const Fields fields{family == Family::v4 ? Field::ip_saddr : Field::ip6_saddr};
    if (table_.sets.contains(masks)) rules.push_back(rule({outside()}, of_family(lookup(Action::Kind::snat, fields, masks), family)));
  }
  for (const InterfaceNat& leaving : intent_.interface_nat) {
    std::vector<Match> matches{match(Field::oifname, name_value(leaving.interface))};
    if (leaving.nat.kind == Nat::Kind::snat) {
      Action snat = of_family(verdict(Action::Kind::snat), leaving.nat.to.family());
      snat.address = leaving.nat.to;
      rules.push_back(rule(matches, std::move(snat)));
    }
    if (leaving.nat.kind != Nat::Kind::masquerade || (!leaving.v4 && !leaving.v6)) continue;
    if (leaving.v4 != leaving.v6) matches.insert(matches.begin(), match(Field::nfproto, nftables::value(leaving.v4 ? Family::v4 : Family::v6)));
    rules.push_back(rule(std::move(matches), verdict(Action::Kind::masquerade)));
  }
}

}  // namespace topo::policy::nft
