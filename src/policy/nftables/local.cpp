// What members say to the gateway itself, and it to them.
#include <algorithm>

#include "policy/nftables/compiler.hpp"

namespace topo::policy::nft {
namespace {

using nftables::name_value;
using nftables::number_value;

bool is_about_host(const Ends& ends) { return ends.any || ends.host; }

}  // namespace

void Compiler::write_input() {
  Rules& rules = hook("input", "filter", "input", before_filter);
  rules.push_back(rule({own(Field::iifgroup, true)}, accept_));
  add_answers(rules, {});
  // route_localnet lets 127.0.0.1 be reached from where port maps lead to. After the answers: replies to it come this way.
  const Rule guard = rule({match(Field::ip_daddr, nftables::value(*Cidr::parse("127.0.0.0/8")))}, drop_);
  std::map<Value, std::string> inputs, plain;
  for (std::size_t i = 0; i < intent_.segments.size(); ++i) {
    const Value name = name_value(intent_.segments[i].interface);
    if (intent_.segments[i].plain) {
      plain[name] = {};
      continue;
    }
    const std::string next = input_chain(i);
    inputs[name] = next.empty() ? "accept" : "goto " + next;
  }
  if (!plain.empty()) rules.push_back(rule({in_set({Field::iifname}, "plain")}, drop_));
  rules.push_back(guard);
  // The gateway is no member's to configure: no router advertisements, no redirects.
  Match configures{{Field::icmpv6_type}, false, {}, {}};
  for (const std::uint32_t type : {router_advertisement, redirect}) configures.values.push_back(number_value(Type::icmpv6_type, type));
  rules.push_back(rule({configures}, drop_));
  rules.push_back(rule({neighbour_discovery(false)}, accept_));
  if (!inputs.empty()) {
    write_map_of_verdicts(rules_.inet, "inputs", Type::ifname, inputs);
    rules.push_back(rule({}, lookup(Action::Kind::vmap, {Field::iifname}, "inputs")));
  }
  rules.push_back(rule({}, drop_));
}

/// `input/X` where something is denied towards the host, else the source check alone; empty where there is neither.
std::string Compiler::input_chain(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  const std::string check = "check/" + here.interface;
  const bool checks = rules_.inet.chains.contains(check);
  const auto towards_host = [this](std::size_t decision) {
    const Decision& what = relations_.decisions[decision];
    return what.deny && is_about_host(what.flow->to) ? std::vector<Encounter>{{}} : std::vector<Encounter>{};
  };
  const auto sender = [this, segment](std::size_t member) { return sender_to_host(member, segment); };
  Judgement judgement(relations_, rules_.inet, here.interface + "/host", {sender, towards_host, accept_, block_});
  judgement.add_all(relations_.from_segment[segment]);
  judgement.add_members(relations_.within_reach[segment]);
  judgement.put();
  const Rules denies = judgement.denies();
  if (denies.empty()) return checks ? check : std::string();
  Rules& rules = chain("input/" + here.interface);
  if (checks) rules.push_back(rule({}, jump(check)));
  rules.push_back(rule({state(nftables::state_established)}, accept_));
  rules.insert(rules.end(), denies.begin(), denies.end());
  return "input/" + here.interface;
}

/// How the member is known when it speaks to the host.
std::vector<Part> Compiler::sender_to_host(std::size_t member, std::size_t segment) const {
  Part seated;
  if (has_seat(member) && intent_.members[member].segment == segment) seated = part(Field::mark, number_value(Type::mark, seat(member)));
  if (relations_.by_port(member)) return {seated};
  std::vector<Part> parts;
  for (const IpAddress& address : intent_.members[member].addresses) parts.push_back(*join(seated, source(address)));
  // Whose link-local address it is only a port could tell: without one it is denied to all here, rather than open to this one.
  parts.push_back(*join(seated, source(Cidr::link_local(Family::v6))));
  return parts;
}

void Compiler::write_output() {
  Rules rules;
  // A packet that goes back to where it came from, as through a port map to a neighbour, moves the kernel to tell the sender of a shorter way,
  // which leads past the translation.
  const auto has_target = [&](Family family) {
    return std::any_of(intent_.ports.begin(), intent_.ports.end(), [&](const PortMap& map) {
      return std::any_of(map.targets.begin(), map.targets.end(), [&](const IpAddress& target) { return target.family() == family; });
    });
  };
  if (has_target(Family::v4))
    rules.push_back(rule({own(Field::oifgroup), match(Field::icmp_type, number_value(Type::icmp_type, redirect_v4))}, drop_));
  if (has_target(Family::v6))
    rules.push_back(rule({own(Field::oifgroup), match(Field::icmpv6_type, number_value(Type::icmpv6_type, redirect))}, drop_));
  Lookups denied;
  for (std::size_t id = 0; id < relations_.decisions.size(); ++id) {
    const Decision& decision = relations_.decisions[id];
    if (!decision.deny || !is_about_host(decision.flow->from)) continue;
    for (const Encounter& encounter : from_host(id)) {
      for (const Part& service : services(decision.flow->ports, encounter.part.family)) {
        if (const auto whole = join(encounter.part, service)) denied.add(encounter.condition, *whole, comment_of(decision));
      }
    }
  }
  if (!denied.empty()) {
    denied.put(rules_.inet, "deny_host/");
    Match begun{{Field::ct_state}, false, {}, {}};
    for (const std::uint32_t bit : {nftables::state_established, nftables::state_related}) begun.values.push_back(number_value(Type::ct_state, bit));
    rules.push_back(rule({begun}, accept_));
    rules.push_back(rule({own(Field::oifgroup)}, go_to("from_host")));
    rules.push_back(rule({match(Field::ct_status, number_value(Type::ct_status, nftables::status_dnat))}, go_to("from_host")));
    Rules& host = chain("from_host");
    host.push_back(rule({neighbour_discovery(true)}, accept_));
    for (Rule& each : denied.rules(block_)) host.push_back(std::move(each));
  }
  if (!rules.empty()) hook("output", "filter", "output", before_filter) = std::move(rules);
}

/// The host's packets to a port map's target are still seen on their way to `lo` here, so targets are known by address.
std::vector<Encounter> Compiler::from_host(std::size_t decision) {
  const Ends& ends = relations_.decisions[decision].flow->to;
  const auto whole = [&](std::size_t segment) {
    return ends.any || std::find(ends.segments.begin(), ends.segments.end(), segment) != ends.segments.end();
  };
  std::vector<Encounter> found;
  if (ends.any) found.push_back({{"h", {own(Field::oifgroup)}}, {}});
  for (const std::size_t segment : ends.segments) found.push_back({{}, part(Field::oifname, name_value(intent_.segments[segment].interface))});
  const auto add_addresses = [&](std::size_t member) {
    for (const IpAddress& address : intent_.members[member].addresses) found.push_back({{}, destination(address)});
  };
  for (std::size_t member = 0; member < intent_.members.size(); ++member) {
    if (relations_.mapped[member] && whole(intent_.members[member].segment)) add_addresses(member);
  }
  for (const std::size_t member : ends.members) {
    if (whole(intent_.members[member].segment)) continue;
    add_addresses(member);
    if (relations_.by_port(member)) {
      for (Encounter& encounter : unaddressed_at(intent_.members[member].segment)) found.push_back(std::move(encounter));
    }
    found.push_back({{}, *join(part(Field::oifname, name_value(segment_of(member).interface)), destination(Cidr::link_local(Family::v6)))});
  }
  return found;
}

}  // namespace topo::policy::nft
