#include "resources/firewall/firewall.hpp"

#include <catch2/catch.hpp>

#include "intents.hpp"
#include "policy/verdict.hpp"
#include "topo/names.hpp"

namespace {

using namespace topo;
using namespace topo::policy;
using namespace topo::policy::test;
using netfilter::Rule;
using netfilter::Ruleset;
using netfilter::Table;
using netfilter::Target;

Rule rule(Target::Kind kind, const std::string& chain = {}) {
  Rule made;
  made.target.kind = kind;
  made.target.chain = chain;
  return made;
}

}  // namespace

TEST_CASE("equal firewalls differ in nothing") { CHECK(differences(compile(three_tier(), ""), compile(three_tier(), "")).empty()); }

TEST_CASE("a flow that is missing is told in its own words, once") {
  const Firewall whole = compile(three_tier(), "");
  Intent intent = three_tier();
  intent.allow[0].ports = {{Protocol::tcp, 80, 80}, {Protocol::tcp, 443, 443}};
  intent.allow[0].text = "frontend -> backend:80,443";
  const Differences found = differences(whole, compile(intent, ""));
  REQUIRE(found.size() == 2);
  CHECK(found[0].attribute == "rule");
  CHECK(found[0].before + found[1].before == "allow frontend -> backend");
  CHECK(found[0].after + found[1].after == "allow frontend -> backend:80,443");
}

TEST_CASE("a rule without a comment is told as iptables prints it") {
  const Firewall whole = compile(three_tier(), "");
  Firewall broken = whole;
  auto& guard = broken.rules.chains.at({Family::v4, Table::filter, chain_prefix("three-tier") + "-in"});
  guard.erase(guard.begin() + 3);
  const Differences found = differences(broken, whole);
  REQUIRE(found.size() == 1);
  CHECK(found[0].before.empty());
  CHECK(found[0].after == "iptables: " + chain_prefix("three-tier") + "-in -d 127.0.0.0/8 -j DROP");
}

TEST_CASE("another order of the same rules is a difference") {
  const Firewall whole = compile(three_tier(), "");
  Firewall turned = whole;
  auto& rules = turned.rules.chains.at({Family::v4, Table::filter, chain_prefix("three-tier") + "-fwd"});
  std::swap(rules[0], rules[1]);
  CHECK(differences(whole, turned).size() == 1);
}

TEST_CASE("whatever is unequal has a difference, and never very many") {
  const Firewall whole = compile(laboratory(500), "");
  Firewall other = whole;
  other.forwards_v6 = true;
  CHECK(differences(whole, other).size() == 1);
  other = whole;
  other.rules.jumps.clear();
  CHECK(!differences(whole, other).empty());
  other = whole;
  other.rules.chains[{Family::v6, Table::nat, "TOPO-empty"}] = {};
  CHECK(differences(whole, other).size() == 1);
  const Differences all = differences(Firewall{}, whole);
  CHECK(all.size() <= 25);
  CHECK(all.back().after.find("more") != std::string::npos);
}

TEST_CASE("rules read as iptables-save prints them") {
  Rule all = rule(Target::Kind::reject);
  all.in = {"br0", true};
  all.source = {cidr("10.0.0.9/8"), true};
  all.protocol = 6;
  all.destination_ports = netfilter::Ports{80, 90};
  all.in_group = {{0x74000001, 0xffffffff}, true};
  all.out_group = {{0x74000000, 0xff000000}, false};
  all.states = netfilter::ct_established | netfilter::ct_related;
  all.physical_in = "a.eth0";
  all.bridged = true;
  all.comment = "say \"no\"";
  all.target.reject = Target::Reject::tcp_reset;
  CHECK(to_string(all, Family::v4) ==
        "! -s 10.0.0.0/8 ! -i br0 -p tcp -m tcp --dport 80:90 -m devgroup ! --src-group 0x74000001 --dst-group 0x74000000/0xff000000 "
        "-m conntrack --ctstate RELATED,ESTABLISHED -m physdev --physdev-in a.eth0 --physdev-is-bridged "
        "-m comment --comment \"say \\\"no\\\"\" -j REJECT --reject-with tcp-reset");
  Rule map = rule(Target::Kind::dnat);
  map.target.address = ip("fd00::1");
  map.target.ports = netfilter::Ports{80, 90};
  map.target.base = 8080;
  CHECK(to_string(map, Family::v6) == "-j DNAT --to-destination [fd00::1]:80-90/8080");
}

TEST_CASE("the verdict follows jumps and gotos as the kernel does") {
  Ruleset rules;
  const auto id = [](const std::string& name) { return netfilter::ChainId{Family::v4, Table::filter, name}; };
  rules.jumps[id("INPUT")] = {rule(Target::Kind::jump, "a"), rule(Target::Kind::drop)};
  rules.chains[id("b")] = {rule(Target::Kind::return_)};
  rules.chains[id("c")] = {rule(Target::Kind::accept)};
  Packet packet;
  packet.in = "eth0";
  packet.source = packet.destination = ip("10.0.0.1");
  // Back from a chain jumped to: the next rule. Back from one gone to: the end of the caller too.
  rules.chains[id("a")] = {rule(Target::Kind::jump, "b"), rule(Target::Kind::accept)};
  CHECK(passes(rules, packet));
  rules.chains[id("a")] = {rule(Target::Kind::go_to, "b"), rule(Target::Kind::accept)};
  CHECK(!passes(rules, packet));
  rules.chains[id("a")] = {rule(Target::Kind::go_to, "c")};
  CHECK(passes(rules, packet));
  packet.out = "eth1";
  CHECK(passes(rules, packet));  // FORWARD has no rules
}
