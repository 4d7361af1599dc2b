// What stays inside a bridge whose packets reach the filter: sender and receiver are known by their ports, which only table bridge sees. It marks
// a packet with what shall become of it, and table inet, which knows its connection, does that.
#include "policy/nftables/compiler.hpp"

namespace topo::policy::nft {
namespace {

constexpr int before_all = -300, after_all = 300;  // br_netfilter takes packets to table inet at 0, NF_BR_PRI_BRNF

using nftables::name_value;
using nftables::number_value;

Action mark(std::uint32_t value) {
  Action action = verdict(Action::Kind::set_mark);
  action.mark = value;
  return action;
}

}  // namespace

void Compiler::write_bridges() {
  std::map<Value, std::string> ports;
  for (std::size_t i = 0; i < intent_.segments.size(); ++i) {
    if (intent_.segments[i].filtered) write_bridged(i, ports);
  }
  if (ports.empty()) return;
  Table& bridge = rules_.bridge;
  const auto add_hook = [&](const char* name, const char* where, int priority) -> Rules& {
    bridge.chains[name].base = nftables::Base{"filter", where, priority};
    return bridge.chains[name].rules;
  };
  write_map_of_verdicts(bridge, "ports", Type::ifname, ports);
  add_hook("forward", "forward", before_all).push_back(rule({}, lookup(Action::Kind::vmap, {Field::iifname}, "ports")));
  const std::vector<std::uint32_t> marks{mark_pass, mark_block, mark_wrong, mark_apart};
  Match marked{{Field::mark}, false, {}, {}};
  for (const std::uint32_t each : marks) marked.values.push_back(number_value(Type::mark, each));
  add_hook("forward_end", "forward", after_all).push_back(rule({marked}, mark(0)));
  bridge.chains["pass"].rules = {rule({}, mark(mark_pass))};
  bridge.chains[wrong_chain].rules = {rule({}, mark(mark_wrong))};
  bridge.chains[block_chain].rules = {rule({}, mark(mark_block))};

  write_map_of_verdicts(rules_.inet, inside_map, Type::mark,
                        {{number_value(Type::mark, mark_pass), "accept"},
                         {number_value(Type::mark, mark_wrong), "drop"},
                         {number_value(Type::mark, mark_block), std::string("goto ") + held_chain},
                         {number_value(Type::mark, mark_apart), "goto apart"}});
  chain(held_chain) = {rule({state(nftables::state_established)}, accept_), rule({}, block_)};
  Rules& apart = chain("apart");
  apart.push_back(rule({state(nftables::state_established)}, accept_));
  add_self(apart, {});
  apart.push_back(rule({}, block_));

  nftables::Set& seats = bridge.sets["seats"];
  seats.key = {Type::ifname};
  seats.data = {Type::mark};
  for (std::size_t member = 0; member < intent_.members.size(); ++member) {
    if (has_seat(member)) seats.elements[name_value(intent_.members[member].port)] = {number_value(Type::mark, seat(member)).first, {}};
  }
  Action by_port = lookup(Action::Kind::set_mark, {Field::iifname}, "seats");
  add_hook("input", "input", before_all).push_back(rule({}, by_port));
  Match seated{{Field::mark}, false, {}, {range_value(Type::mark, mark_seat & 0xffff0000U, mark_seat | 0xffffU)}};
  for (const char* where : {"forward", "input"}) {
    hook(std::string(where) + "_end", "filter", where, after_all).push_back(rule({own(Field::iifgroup), seated}, mark(0)));
  }
}

void Compiler::write_bridged(std::size_t segment, std::map<Value, std::string>& ports) {
  const Segment& here = intent_.segments[segment];
  const std::string inside = "inside/" + here.interface;
  for (const std::size_t member : relations_.members[segment]) ports[name_value(intent_.members[member].port)] = "goto " + inside;
  std::map<Value, std::string> cables;
  for (const SegmentCable& cable : here.cables) {
    ports[name_value(cable.port)] = "goto " + inside;
    cables[name_value(cable.port)] = {};
  }
  Rules rules{rule({neighbour_discovery(false)}, go_to("pass"))};
  if (!cables.empty()) {
    (void)put_set(rules_.bridge, "cables/" + here.interface, {Field::iifname}, cables);
    rules.push_back(rule({in_set({Field::iifname}, "cables/" + here.interface)}, go_to("pass")));
  }
  write_sources(segment, rules);
  rules_.bridge.chains[inside].rules = std::move(rules);
  write_say(segment);
}

/// Who may say what he says he is; the rest goes nowhere.
void Compiler::write_sources(std::size_t segment, Rules& rules) {
  const Segment& here = intent_.segments[segment];
  std::map<Value, std::string> routers, loose;
  Lookups owners;
  for (const std::size_t member : relations_.members[segment]) {
    const Value port = name_value(intent_.members[member].port);
    if (intent_.members[member].router) routers[port] = {};
    if (relations_.by_port(member)) {
      loose[port] = {};
      continue;
    }
    for (const IpAddress& address : intent_.members[member].addresses) owners.add({}, *join(part(Field::iifname, port), source(address)), {});
  }
  // Who advertises itself as a router, or redirects to one, becomes its neighbours' way out: routers alone may.
  Match from_router{{Field::icmpv6_type}, false, {}, {}};
  for (const std::uint32_t type : {router_advertisement, redirect}) from_router.values.push_back(number_value(Type::icmpv6_type, type));
  const std::string routers_set = "routers/" + here.interface, loose_set = "loose/" + here.interface;
  const Action say = go_to("say/" + here.interface);
  if (!routers.empty()) {
    (void)put_set(rules_.bridge, routers_set, {Field::iifname}, routers);
    rules.push_back(rule({from_router, in_set({Field::iifname}, routers_set)}, go_to("pass")));
  }
  rules.push_back(rule({from_router}, go_to(wrong_chain)));
  if (!loose.empty()) {
    (void)put_set(rules_.bridge, loose_set, {Field::iifname}, loose);
    rules.push_back(rule({in_set({Field::iifname}, loose_set)}, say));
  }
  owners.put(rules_.bridge, "owners/" + here.interface + '/');
  for (Rule& each : owners.rules(say)) rules.push_back(std::move(each));
  // A member without an address yet (DHCP), or with its link-local one.
  rules.push_back(rule({match(Field::ip_saddr, nftables::value(*IpAddress::parse("0.0.0.0")))}, say));
  rules.push_back(rule({match(Field::ip6_saddr, nftables::value(Cidr::link_local(Family::v6)))}, say));
  rules.push_back(rule({match(Field::ip6_saddr, nftables::value(*IpAddress::parse("::")))}, say));
  rules.push_back(rule({}, go_to(wrong_chain)));
}

void Compiler::write_say(std::size_t segment) {
  const Segment& here = intent_.segments[segment];
  const auto by_port = [this](std::size_t member) { return std::vector<Part>{part(Field::iifname, name_value(intent_.members[member].port))}; };
  const auto receivers = [this, segment](std::size_t decision) {
    const Ends& ends = relations_.decisions[decision].flow->to;
    std::vector<Encounter> found;
    bool whole = ends.any;
    for (const std::size_t named : ends.segments) whole = whole || named == segment;
    if (whole) return std::vector<Encounter>{{}};
    for (const std::size_t member : ends.members) {
      if (intent_.members[member].segment == segment) found.push_back({{}, part(Field::oifname, name_value(intent_.members[member].port))});
    }
    return found;
  };
  Judgement judgement(relations_, rules_.bridge, here.interface, {by_port, receivers, go_to("pass"), go_to(block_chain), true});
  judgement.add_all(relations_.from_segment[segment]);
  judgement.add_members(relations_.members[segment]);
  judgement.put();
  Rules rules = judgement.denies();
  for (const auto& more : {judgement.allows_of_members(), judgement.allows_of_all()}) rules.insert(rules.end(), more.begin(), more.end());
  if (here.isolated) {
    if (!here.cables.empty()) rules.push_back(rule({in_set({Field::oifname}, "cables/" + here.interface)}, go_to("pass")));
    rules.push_back(rule({}, mark(mark_apart)));
  } else {
    rules.push_back(rule({}, go_to("pass")));
  }
  rules_.bridge.chains["say/" + here.interface].rules = std::move(rules);
}

}  // namespace topo::policy::nft
