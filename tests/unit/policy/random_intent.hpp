// Random intents: everything that a file can mean, and now and then much of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "intents.hpp"
#include "policy/compile.hpp"
#include "policy/intent.hpp"

namespace topo::policy::test {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(engine_); }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

inline const std::vector<PortRange> kinds_of_service{{Protocol::tcp, 80, 80},    {Protocol::tcp, 80, 90},   {Protocol::udp, 53, 53},
                                                     {Protocol::icmp, 0, 65535}, {Protocol::tcp, 0, 65535}, {Protocol::udp, 5000, 6000},
                                                     {Protocol::tcp, 85, 100}};

inline Ends random_ends(Dice& dice, const Intent& intent) {
  Ends ends;
  switch (dice.below(9)) {
    case 0:
      ends.any = true;
      return ends;
    case 1:
      ends.internet = true;
      return ends;
    case 2:
      ends.host = true;
      if (dice.one_in(2)) return ends;
      break;
    case 3:
      ends.outside.push_back(cidr("203.0.113.0/24"));
      if (dice.one_in(2)) ends.outside.push_back(cidr("2001:db8:ffff::/48"));
      if (dice.one_in(3)) ends.outside.push_back(cidr("203.0.112.0/20"));
      if (dice.one_in(2)) return ends;
      break;
    default:
      break;
  }
  const std::size_t zones = dice.one_in(6) ? 5 + dice.below(12) : 1 + dice.below(3);
  for (std::size_t i = 0; i < zones; ++i) {
    if (dice.one_in(3) || intent.members.empty()) {
      ends.segments.push_back(dice.below(intent.segments.size()));
    } else {
      ends.members.push_back(dice.below(intent.members.size()));
    }
  }
  for (auto* list : {&ends.segments, &ends.members}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  return ends;
}

inline void add_flows(Dice& dice, const Intent& intent, std::vector<Flow>& flows, std::size_t most, const std::string& text) {
  for (std::size_t i = dice.below(most + 1); i > 0; --i) {
    Flow flow;
    flow.from = random_ends(dice, intent);
    flow.to = dice.one_in(10) ? flow.from : random_ends(dice, intent);
    for (std::size_t n = dice.below(3); n > 0; --n) flow.ports.push_back(kinds_of_service[dice.below(kinds_of_service.size())]);
    flow.text = text + std::to_string(i);
    flows.push_back(std::move(flow));
  }
}

inline Nat random_nat(Dice& dice) {
  Nat nat;
  if (dice.one_in(2)) nat.kind = Nat::Kind::masquerade;
  if (dice.one_in(5)) {
    nat.kind = Nat::Kind::snat;
    nat.to = ip(dice.one_in(2) ? "198.51.100.2" : "2001:db8::2");
  }
  return nat;
}

inline Intent random_intent(Dice& dice) {
  Intent intent;
  intent.topology = "lab";
  intent.default_allow = dice.one_in(4);
  intent.reject = dice.one_in(4);
  const std::size_t segments = 1 + dice.below(4);
  for (std::size_t i = 0; i < segments; ++i) {
    Segment segment;
    segment.interface = "br" + std::to_string(i);
    segment.bridge = !dice.one_in(6);
    segment.plain = segment.bridge && dice.one_in(6);
    segment.isolated = segment.bridge && dice.one_in(4);
    if (!segment.plain) {
      segment.gateway.push_back(cidr("10.0." + std::to_string(i) + ".1/24"));
      if (dice.one_in(2)) segment.gateway.push_back(cidr("fd00:" + std::to_string(i) + "::1/64"));
      segment.nat = random_nat(dice);
    }
    intent.segments.push_back(segment);
    // Now and then enough of them for a tree.
    const std::size_t members = segment.bridge ? (dice.one_in(8) ? 30 + dice.below(40) : dice.below(5)) : 1;
    for (std::size_t k = 0; k < members; ++k) {
      Member member;
      member.ns = "ns" + std::to_string(intent.members.size());
      member.interface = "eth0";
      member.segment = i;
      if (segment.bridge) member.port = member.ns + ".eth0";
      member.router = dice.one_in(10);
      if (!dice.one_in(12)) {
        if (!dice.one_in(5)) member.addresses.push_back(ip("10.0." + std::to_string(i) + "." + std::to_string(10 + 3 * k)));
        if (segment.gateway.size() == 2 || segment.plain) member.addresses.push_back(ip("fd00:" + std::to_string(i) + "::" + std::to_string(10 + k)));
      }
      intent.members.push_back(member);
    }
  }
  add_flows(dice, intent, intent.allow, 5, "allowed ");
  add_flows(dice, intent, intent.deny, 4, "denied ");
  for (std::size_t i = dice.below(4); i > 0 && !intent.members.empty(); --i) {
    const std::size_t target = dice.below(intent.members.size());
    const Member& member = intent.members[target];
    if (member.addresses.empty() || intent.segments[member.segment].plain) continue;
    PortMap map;
    map.first = map.last = static_cast<std::uint16_t>(8000 + i);
    map.member = target;
    map.targets = member.addresses;
    map.target_first = map.target_last = 80;
    map.text = "map";
    intent.ports.push_back(map);
  }
  needs_bridge_filter(intent);
  return intent;
}

}  // namespace topo::policy::test
