// Who is at the other end of what is forwarded, and what comes in from outside.
#include <algorithm>
#include <set>

#include "policy/nftables/compiler.hpp"

namespace topo::policy::nft {

using nftables::name_value;
using nftables::number_value;

/// Every way to name the own members among `ends`. `unaddressed`: also what is at no known address where one of them is known by its port.
std::vector<Encounter> Compiler::members_at(const Ends& ends, bool unaddressed) {
  std::vector<Encounter> found;
  for (const std::size_t segment : ends.segments) {
    if (!intent_.segments[segment].plain) found.push_back({{}, part(Field::oifname, name_value(intent_.segments[segment].interface))});
  }
  std::set<std::size_t> by_port;
  for (const std::size_t member : ends.members) {
    const std::size_t segment = intent_.members[member].segment;
    if (intent_.segments[segment].plain || std::find(ends.segments.begin(), ends.segments.end(), segment) != ends.segments.end()) continue;
    const Part there = part(Field::oifname, name_value(intent_.segments[segment].interface));
    for (const IpAddress& address : intent_.members[member].addresses) found.push_back({{}, *join(there, destination(address))});
    if (relations_.by_port(member)) by_port.insert(segment);
  }
  for (const std::size_t segment : unaddressed ? by_port : std::set<std::size_t>{}) {
    for (Encounter& encounter : unaddressed_at(segment)) found.push_back(std::move(encounter));
  }
  return found;
}

/// What lies behind a router, or has an address of its own choice, is what is at no known address there.
std::vector<Encounter> Compiler::unaddressed_at(std::size_t segment) {
  const Value name = name_value(intent_.segments[segment].interface);
  std::vector<Encounter> found;
  for (const bool v4 : {true, false}) {
    nftables::Set& known = rules_.inet.sets[v4 ? "addressed/4" : "addressed/6"];
    known.key = {Type::ifname, v4 ? Type::ipv4_addr : Type::ipv6_addr};
    for (const std::size_t member : relations_.within_reach[segment]) {
      for (const IpAddress& address : intent_.members[member].addresses) {
        if ((address.family() == Family::v4) == v4) known.elements[name + nftables::value(address)] = {};
      }
    }
    Part there = part(Field::oifname, name);
    there.family = v4 ? Family::v4 : Family::v6;
    const Fields fields{Field::oifname, v4 ? Field::ip_daddr : Field::ip6_daddr};
    found.push_back({{"u", {in_set(fields, v4 ? "addressed/4" : "addressed/6", true)}}, there});
  }
  return found;
}

std::vector<Encounter> Compiler::towards(std::size_t decision) {
  const Ends& ends = relations_.decisions[decision].flow->to;
  if (ends.any) return {{}};
  std::vector<Encounter> found = members_at(ends, true);
  const Condition outside{"x", {own(Field::oifgroup, true)}};
  if (ends.internet) {
    found.push_back({outside, {}});
    return found;
  }
  for (const Cidr& cidr : ends.outside) found.push_back({outside, destination(cidr)});
  return found;
}

void Compiler::write_to() {
  Lookups denied, allowed;
  for (const Decision& decision : relations_.decisions) {
    const Ends &from = decision.flow->from, &to = decision.flow->to;
    if (!leads_outside(from)) continue;
    std::vector<Part> senders;
    if (from.any || from.internet) senders.emplace_back();
    for (const Cidr& cidr : senders.empty() ? from.outside : std::vector<Cidr>{}) senders.push_back(source(cidr));
    const std::vector<Encounter> receivers = to.any ? std::vector<Encounter>{{}} : members_at(to, decision.deny);
    for (const Part& sender : senders) {
      for (const Encounter& receiver : receivers) {
        const auto both = join(sender, receiver.part);
        if (!both) continue;
        for (const Part& service : services(decision.flow->ports, both->family)) {
          if (const auto whole = join(*both, service)) (decision.deny ? denied : allowed).add(receiver.condition, *whole, comment_of(decision));
        }
      }
    }
  }
  denied.put(rules_.inet, "deny_outside/");
  allowed.put(rules_.inet, "allow_outside/");
  Rules& rules = chain("flow_to");
  for (const auto& more : {denied.rules(block_), allowed.rules(accept_)}) rules.insert(rules.end(), more.begin(), more.end());
  Lookups mapped;
  for (const PortMap& map : intent_.ports) {
    if (map.address && map.address->is_loopback()) continue;
    for (const IpAddress& target : map.targets) {
      if (map.address && map.address->family() != target.family()) continue;
      for (const Part& service : services({{map.protocol, map.target_first, map.target_last}}, target.family()))
        mapped.add({}, *join(destination(target), service), as_comment("port " + map.text));
    }
  }
  mapped.put(rules_.inet, "mapped/");
  for (Rule each : mapped.rules(accept_)) {
    each.matches.insert(each.matches.begin(), match(Field::ct_status, number_value(Type::ct_status, nftables::status_dnat)));
    rules.push_back(std::move(each));
  }
  rules.push_back(rule({}, block_));
}

}  // namespace topo::policy::nft
