// The compiled rules against the language's own paragraph on the verdict, read naively, over random intents and every kind of packet.
// A failure prints the seed; TOPO_SEED=N repeats it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "intents.hpp"
#include "policy/compile.hpp"
#include "policy/intent.hpp"
#include "policy/verdict.hpp"
#include "random_intent.hpp"
#include "topo/names.hpp"

namespace {

using namespace topo;
using namespace topo::policy;

using test::cidr;
using test::Dice;
using test::ip;
using test::kinds_of_service;
using test::random_intent;

/// Who speaks, or is spoken to.
struct Party {
  enum class Kind { member, internet, host, other_topology } kind = Kind::internet;
  std::size_t member = 0;
  IpAddress address;
};

struct Attempt {
  Party from, to;
  Family family = Family::v4;
  PortRange service;    ///< first == last
  bool mapped = false;  ///< through a port map
  bool false_source = false;
  std::string told;
};

// --- the language's paragraph ---

bool names(const Ends& ends, const Party& party, const Intent& intent) {
  if (ends.any) return true;
  switch (party.kind) {
    case Party::Kind::host:
      return ends.host;
    case Party::Kind::internet:
      return ends.internet || std::any_of(ends.outside.begin(), ends.outside.end(), [&](const Cidr& zone) { return zone.contains(party.address); });
    case Party::Kind::member:
      return std::count(ends.members.begin(), ends.members.end(), party.member) != 0 ||
             std::count(ends.segments.begin(), ends.segments.end(), intent.members[party.member].segment) != 0;
    case Party::Kind::other_topology:
      return false;
  }
  return false;
}

bool covers(const Flow& flow, const Attempt& attempt, const Intent& intent) {
  if (!names(flow.from, attempt.from, intent) || !names(flow.to, attempt.to, intent)) return false;
  if (flow.ports.empty()) return true;
  return std::any_of(flow.ports.begin(), flow.ports.end(), [&](const PortRange& range) {
    if (range.protocol == Protocol::any) return true;
    if (range.protocol != attempt.service.protocol) return false;
    return range.protocol == Protocol::icmp || (attempt.service.first >= range.first && attempt.service.first <= range.last);
  });
}

bool default_verdict(const Attempt& attempt, const Intent& intent) {
  using Kind = Party::Kind;
  const Party &from = attempt.from, &to = attempt.to;
  if (from.kind == Kind::member && to.kind == Kind::member) {
    if (from.member == to.member) return true;
    const std::size_t a = intent.members[from.member].segment, b = intent.members[to.member].segment;
    return a == b ? !intent.segments[a].isolated : intent.default_allow;
  }
  if (from.kind == Kind::host || to.kind == Kind::host) return true;
  if (to.kind == Kind::internet) {
    const Nat& nat = intent.segments[intent.members[from.member].segment].nat;
    if (nat.kind == Nat::Kind::none || (nat.kind == Nat::Kind::snat && nat.to.family() != attempt.family)) return false;
    return std::none_of(intent.allow.begin(), intent.allow.end(), [&](const Flow& flow) {
      return (flow.to.any || flow.to.internet || !flow.to.outside.empty()) && names(flow.from, from, intent);
    });
  }
  return attempt.mapped;
}

bool expected(const Attempt& attempt, const Intent& intent) {
  if (attempt.from.kind == Party::Kind::other_topology || attempt.to.kind == Party::Kind::other_topology) return false;
  if (attempt.false_source) return false;
  const auto covered = [&](const Flow& flow) { return covers(flow, attempt, intent); };
  if (std::any_of(intent.deny.begin(), intent.deny.end(), covered)) return false;
  if (std::any_of(intent.allow.begin(), intent.allow.end(), covered)) return true;
  return default_verdict(attempt, intent);
}

// --- the packets of an attempt, as the hooks see them ---

class Trial {
 public:
  Trial(const Intent& intent, std::uint64_t seed)
      : intent_(intent),
        rules_(compile(intent, "").rules),
        strict_(rules_),
        tables_(compile(intent, "", Backend::nftables).tables),
        seed_(seed),
        step_(intent.members.size() / 12 + 1) {
    netfilter::Rule drop;
    drop.target.kind = netfilter::Target::Kind::drop;
    for (const Family family : {Family::v4, Family::v6}) strict_.jumps[{family, netfilter::Table::filter, "FORWARD"}].push_back(drop);
  }

  void run() {
    if (const std::string problem = test::form_problem(rules_); !problem.empty()) FAIL("seed " << seed_ << ": " << problem);
    if (const std::string problem = test::form_problem(tables_); !problem.empty()) FAIL("seed " << seed_ << ": " << problem);
    for (const Family family : {Family::v4, Family::v6}) {
      // Where a family has no rules, there is nothing of it in the topology.
      if (!rules_.jumps.contains({family, netfilter::Table::filter, "FORWARD"})) continue;
      for (const PortRange& service : kinds_of_service) {
        if (service.first == 0 && service.protocol != Protocol::icmp) continue;
        try_all(family, {service.protocol, service.first, service.first});
      }
      try_all(family, {Protocol::tcp, 443, 443});
    }
  }

  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  [[nodiscard]] std::optional<IpAddress> address(std::size_t member, Family family) const {
    for (const IpAddress& each : intent_.members[member].addresses) {
      if (each.family() == family) return each;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool by_port(std::size_t member) const { return intent_.members[member].router || intent_.members[member].addresses.empty(); }
  [[nodiscard]] const Segment& segment(std::size_t member) const { return intent_.segments[intent_.members[member].segment]; }
  [[nodiscard]] static IpAddress nobody(Family family) { return ip(family == Family::v4 ? "10.77.0.9" : "fd00:77::9"); }

  void try_all(Family family, const PortRange& service) {
    for (std::size_t m = 0; m < intent_.members.size(); m += step_) {
      from_member(m, family, service);
      to_member(m, family, service);
    }
  }

  Packet packet(const Attempt& attempt, const IpAddress& source, const IpAddress& destination) const {
    Packet made;
    made.source = source;
    made.destination = destination;
    made.protocol = attempt.service.protocol == Protocol::tcp   ? 6
                    : attempt.service.protocol == Protocol::udp ? 17
                    : attempt.family == Family::v4              ? 1
                                                                : 58;
    made.destination_port = attempt.service.first;
    made.source_port = 40000;
    made.icmp_type = attempt.family == Family::v4 ? 8 : 128;
    made.dnat = attempt.mapped;
    return made;
  }

  void enter_by(Packet& made, std::size_t member) const {
    made.in = segment(member).interface;
    made.in_group = link_group("lab");
    if (segment(member).filtered) made.physical_in = intent_.members[member].port;
  }
  void leave_by(Packet& made, std::size_t member) const {
    made.out = segment(member).interface;
    made.out_group = link_group("lab");
  }

  void judge(const Attempt& attempt, const Packet& made, const std::string& how, bool both_own) {
    ++count_;
    const bool want = expected(attempt, intent_), got = passes(rules_, made);
    // The host's own rules have the last word on what comes from or goes to the outside, and on nothing else.
    const bool strict = passes(strict_, made), want_strict = both_own && want;
    const bool forwarded = !made.in.empty() && !made.out.empty(), by_tables = passes(tables_, made);
    if (want == got && want == by_tables && (!forwarded || strict == want_strict)) return;
    std::ostringstream out;
    out << "seed " << seed_ << ": " << how << " " << attempt.told << " in " << made.in << "/" << made.physical_in << " out " << made.out << "/"
        << made.physical_out << " " << made.source.to_string() << " -> " << made.destination.to_string() << " proto " << int{made.protocol}
        << " port " << made.destination_port << (made.dnat ? " dnat" : "") << ": should " << (want ? "pass" : "be blocked") << ", is "
        << (got ? "passed" : "blocked") << " by iptables and " << (by_tables ? "passed" : "blocked") << " by nftables";
    if (want == got && want == by_tables) out << ", but the host's rules are not treated right";
    FAIL(out.str() << "\n" << (want == got ? nftables::to_text(tables_, "t", "") : netfilter::to_restore_text(rules_, made.source.family())));
  }

  void from_member(std::size_t m, Family family, const PortRange& service) {
    Attempt attempt;
    attempt.family = family;
    attempt.service = service;
    attempt.from = {Party::Kind::member, m, {}};
    std::vector<IpAddress> sources{nobody(family)};
    if (const auto own = address(m, family)) sources.push_back(*own);
    // What comes from a router with a neighbour's address is the router's all the same.
    for (std::size_t other = 0; other < intent_.members.size() && by_port(m) && segment(m).filtered; other += step_) {
      const auto its = address(other, family);
      if (other != m && &segment(other) == &segment(m) && its) sources.push_back(*its);
    }
    for (const IpAddress& source : sources) {
      attempt.false_source = !by_port(m) && source != address(m, family);
      attempt.told = "ns" + std::to_string(m);
      if (!segment(m).plain) {
        to_outside(attempt, source);
        to_host(attempt, source);
      }
      for (std::size_t other = (m + seed_) % step_; other < intent_.members.size(); other += step_) {
        attempt.to = {Party::Kind::member, other, {}};
        attempt.told = "ns" + std::to_string(m) + " to ns" + std::to_string(other);
        to_neighbour(attempt, source);
        across(attempt, source);
      }
    }
  }

  void to_outside(Attempt attempt, const IpAddress& source) {
    for (const char* text : {"203.0.113.7", "192.0.2.1", "2001:db8:ffff::7", "2001:db8:1::1"}) {
      if (ip(text).family() != attempt.family) continue;
      attempt.to = {Party::Kind::internet, 0, ip(text)};
      Packet made = packet(attempt, source, ip(text));
      enter_by(made, attempt.from.member);
      made.out = "eth0";
      judge(attempt, made, "to the outside", false);
      attempt.to.kind = Party::Kind::other_topology;
      made.out = "br-other";
      made.out_group = link_group("other");
      judge(attempt, made, "to another topology", false);
    }
    // Somewhere outside has a member's address: it is not the member.
    for (std::size_t m = 0; m < intent_.members.size(); m += step_) {
      const auto same = address(m, attempt.family);
      if (!same) continue;
      attempt.to = {Party::Kind::internet, 0, *same};
      Packet made = packet(attempt, source, *same);
      enter_by(made, attempt.from.member);
      made.out = "eth0";
      judge(attempt, made, "to an address outside that is a member's too", false);
    }
  }

  void to_host(Attempt attempt, const IpAddress& source) {
    attempt.to = {Party::Kind::host, 0, {}};
    Packet made = packet(attempt, source, ip(attempt.family == Family::v4 ? "198.51.100.2" : "2001:db8::2"));
    made.destination_local = true;
    enter_by(made, attempt.from.member);
    judge(attempt, made, "to the host", false);
    if (attempt.family == Family::v4) {
      Attempt guarded = attempt;
      guarded.false_source = true;
      made.destination = ip("127.0.0.1");
      judge(guarded, made, "to the host's loopback", false);
    }
  }

  /// Inside one bridge, by port. Not there where the bridge is not filtered; then nothing may be forbidden.
  void to_neighbour(const Attempt& attempt, const IpAddress& source) {
    const std::size_t a = attempt.from.member, b = attempt.to.member;
    const Segment& here = segment(a);
    if (&here != &segment(b) || !here.bridge || a == b) return;
    if (!here.filtered && attempt.false_source) return;
    Packet made = packet(attempt, source, address(b, attempt.family).value_or(nobody(attempt.family)));
    made.bridged = true;
    enter_by(made, a);
    leave_by(made, b);
    made.physical_in = intent_.members[a].port;
    made.physical_out = intent_.members[b].port;
    judge(attempt, made, "bridged", true);
    if (attempt.family == Family::v4 || attempt.false_source) return;
    made.source = ip("fe80::1");
    made.destination = ip("fe80::2");
    judge(attempt, made, "bridged, link-local", true);
    made.protocol = 58;
    for (const int type : {133, 135, 136, 130, 143}) {
      made.icmp_type = static_cast<std::uint8_t>(type);
      made.source = ip("::");
      if (!passes(strict_, made) || !passes(tables_, made)) FAIL("seed " << seed_ << ": neighbour discovery " << type << " is blocked");
    }
    if (!here.filtered) return;
    for (const int type : {134, 137}) {
      made.icmp_type = static_cast<std::uint8_t>(type);
      made.source = ip("fe80::1");
      if (passes(strict_, made) != intent_.members[a].router || passes(tables_, made) != intent_.members[a].router)
        FAIL("seed " << seed_ << ": who may say " << type << " is not who is a router");
    }
  }

  /// Through the gateway: to another segment, or back into the same one by a port map.
  void across(Attempt attempt, const IpAddress& source) {
    const std::size_t a = attempt.from.member, b = attempt.to.member;
    if (segment(a).plain || segment(b).plain) return;
    const auto destination = address(b, attempt.family);
    const bool same = &segment(a) == &segment(b);
    if (!destination) return across_to_unknown(attempt, source);
    Packet made = packet(attempt, source, *destination);
    enter_by(made, a);
    leave_by(made, b);
    if (!same) judge(attempt, made, "routed", true);
    const bool has_map = std::any_of(intent_.ports.begin(), intent_.ports.end(), [&](const PortMap& map) { return map.member == b; });
    if (!has_map || attempt.service.protocol != Protocol::tcp || attempt.service.first != 80) return;
    // Nobody takes a packet from his own address.
    if (a == b ? source != address(a, attempt.family) : source == destination) return;
    attempt.mapped = made.dnat = true;
    if (same && !segment(a).filtered && attempt.false_source) return;
    judge(attempt, made, "routed by a port map", true);
    if (!same || !segment(a).bridge) return;
    made.bridged = true;
    made.physical_in = intent_.members[a].port;
    made.physical_out = intent_.members[b].port;
    judge(attempt, made, "bridged by a port map", true);
  }

  /// A member without an address of the family that may have any is whoever is not known there.
  void across_to_unknown(const Attempt& attempt, const IpAddress& source) {
    const std::size_t a = attempt.from.member, b = attempt.to.member;
    if (!by_port(b) || &segment(a) == &segment(b)) return;
    if (!alone_by_port(b)) return;
    Packet made = packet(attempt, source, nobody(attempt.family));
    enter_by(made, a);
    leave_by(made, b);
    judge(attempt, made, "routed to no known address", true);
  }

  [[nodiscard]] bool alone_by_port(std::size_t b) const {
    for (std::size_t m = 0; m < intent_.members.size(); ++m) {
      if (m != b && by_port(m) && &segment(m) == &segment(b)) return false;
    }
    return true;
  }

  void to_member(std::size_t m, Family family, const PortRange& service) {
    if (segment(m).plain) return;
    Attempt attempt;
    attempt.family = family;
    attempt.service = service;
    attempt.to = {Party::Kind::member, m, {}};
    attempt.told = "to ns" + std::to_string(m);
    const auto destination = address(m, family);
    if (!destination) return;
    const bool has_map = std::any_of(intent_.ports.begin(), intent_.ports.end(), [&](const PortMap& map) { return map.member == m; }) &&
                         service.protocol == Protocol::tcp && service.first == 80;
    for (const char* text : {"203.0.113.7", "192.0.2.1", "2001:db8:ffff::7", "2001:db8:1::1"}) {
      if (ip(text).family() != family) continue;
      attempt.from = {Party::Kind::internet, 0, ip(text)};
      Packet made = packet(attempt, ip(text), *destination);
      made.in = "eth0";
      leave_by(made, m);
      judge(attempt, made, "from the outside", false);
      Attempt mapped = attempt;
      made.dnat = true;
      mapped.mapped = has_map;  // translated by somebody else's rule where there is no map: no way in
      judge(mapped, made, "from the outside by a port map", false);
      mapped.from.kind = Party::Kind::other_topology;
      made.in = "br-other";
      made.in_group = link_group("other");
      judge(mapped, made, "from another topology", false);
    }
    attempt.from = {Party::Kind::host, 0, {}};
    Packet made = packet(attempt, ip(family == Family::v4 ? "198.51.100.2" : "2001:db8::2"), *destination);
    leave_by(made, m);
    judge(attempt, made, "from the host", false);
    if (!has_map) return;
    made.out = "lo";
    made.out_group = 0;
    made.dnat = attempt.mapped = true;
    judge(attempt, made, "from the host by a port map", false);
  }

  const Intent& intent_;
  netfilter::Ruleset rules_;
  netfilter::Ruleset strict_;  ///< with a host that drops whatever is left to it
  nftables::Ruleset tables_;   ///< by the other backend
  std::uint64_t seed_;
  std::size_t count_ = 0;
  std::size_t step_;  ///< of many members, some
};

}  // namespace

TEST_CASE("the compiled rules decide as the language says") {
  const char* given = std::getenv("TOPO_SEED");
  const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  const std::size_t rounds = given != nullptr ? 1 : 200;
  std::size_t count = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    Dice dice(first + i);
    const Intent intent = random_intent(dice);
    Trial trial(intent, first + i);
    trial.run();
    count += trial.count();
  }
  INFO("seed " << first);
  CHECK(count > (given != nullptr ? 0 : 10000));
}
