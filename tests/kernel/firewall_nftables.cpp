// The backend of nf_tables on a real kernel: what is written is what is read, whatever was there before.
#include <cstdlib>
#include <random>

#include "../unit/policy/random_intent.hpp"
#include "firewall/nftables/listing.hpp"
#include "firewall_scratch.hpp"
#include "policy/compile.hpp"

namespace topo::firewall {
namespace {

using policy::Intent;
using policy::test::Dice;

constexpr const char* strangers = R"(
table inet stranger {
  set many { type ipv4_addr; flags interval; elements = { 203.0.113.0/25, 203.0.113.200-203.0.113.210 } }
  chain forward { type filter hook forward priority 5; policy accept; ip saddr @many drop; }
}
table ip nat { chain postrouting { type nat hook postrouting priority 100; ip saddr 172.17.0.0/16 masquerade; } }
)";

std::string ruleset() { return shell("nft list ruleset"); }

/// A random intent with port maps of each form, and words of the policy that one comment does not hold.
Intent eventful(Dice& dice) {
  Intent intent = policy::test::random_intent(dice);
  for (std::size_t i = 0; i < intent.members.size() && intent.ports.size() < 6; ++i) {
    const policy::Member& member = intent.members[i];
    if (member.addresses.empty() || intent.segments[member.segment].plain) continue;
    policy::PortMap map;
    map.first = static_cast<std::uint16_t>(1000 * (i + 1));
    map.last = static_cast<std::uint16_t>(map.first + dice.below(5));
    map.protocol = dice.one_in(3) ? Protocol::udp : Protocol::tcp;
    if (dice.one_in(3)) map.address = *IpAddress::parse(dice.one_in(2) ? "127.0.0.1" : "198.51.100.2");
    map.member = i;
    map.targets = member.addresses;
    map.target_first = dice.one_in(2) ? map.first : static_cast<std::uint16_t>(map.first + 7);
    map.target_last = static_cast<std::uint16_t>(map.target_first + map.last - map.first);
    map.text = std::to_string(map.first) + " -> " + member.ns;
    intent.ports.push_back(map);
  }
  for (std::size_t i = dice.below(6); i > 0; --i)
    intent.statements.push_back("zone z" + std::to_string(i) + " " + std::string(30 * dice.below(9) + 1, static_cast<char>('a' + i)));
  if (dice.one_in(3)) intent.interface_nat.push_back({"wan", {Nat::Kind::masquerade, {}, {}}, true, dice.one_in(2)});
  if (dice.one_in(3)) intent.interface_nat.push_back({"wan2", {Nat::Kind::snat, *IpAddress::parse("203.0.113.9"), {}}, true, false});
  return intent;
}

/// Only what the filter and NAT are: forwarding is a matter of its own.
Firewall compiled(const Intent& intent, Backend backend) {
  Firewall firewall = policy::compile(intent, "", backend);
  firewall.forwards_v4 = firewall.forwards_v6 = false;
  return firewall;
}

}  // namespace

TEST_CASE("nftables: what later versions of the library add to a listing is read as well") {
  const auto tables = nftables::tables_in(R"({"nftables": [
    {"metainfo": {"version": "1.1.3", "json_schema_version": 1}},
    {"table": {"family": "inet", "name": "topo_lab", "handle": 1, "comment": "topo:v1:lab"}},
    {"chain": {"family": "inet", "table": "topo_lab", "name": "input", "handle": 1, "type": "filter", "hook": "input", "prio": -1, "policy": "accept", "comment": "x"}},
    {"set": {"family": "inet", "name": "members", "table": "topo_lab", "type": ["ifname", "ipv4_addr"], "handle": 2, "flags": "interval", "comment": "x"}},
    {"map": {"family": "inet", "name": "zones", "table": "topo_lab", "type": {"typeof": {"meta": {"key": "iifname"}}}, "handle": 3,
             "map": {"typeof": {"ct": {"key": "zone"}}}}}]})");
  REQUIRE(tables);
  const auto& table = tables->at("topo_lab");
  CHECK(table.strange.empty());
  CHECK(table.chains.at("input").base->hook == "input");
  CHECK(table.sets.at("members").interval);
  CHECK(table.sets.at("zones").data == std::vector{topo::nftables::Type::zone});
  const auto other = nftables::tables_in(R"({"nftables": [{"table": {"family": "inet", "name": "topo_lab", "handle": 1, "flags": "dormant"}}]})");
  REQUIRE(other);
  CHECK_FALSE(other->at("topo_lab").strange.empty());
}

TEST_CASE("nftables: what is written is what is read, from whatever was there to whatever shall be") {
  const char* const given = std::getenv("TOPO_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  INFO("TOPO_SEED=" << seed);
  Dice dice(seed);
  const Scratch scratch;
  shell(std::string("nft -f - <<'END'\n") + strangers + "END\n");
  const std::string before = ruleset();
  std::optional<Firewall> live;
  for (int round = 0; round < 30; ++round) {
    INFO("round " << round);
    const Firewall wanted = compiled(eventful(dice), dice.one_in(5) ? Backend::iptables : Backend::nftables);
    must(replace(scratch.place(), "lab", &wanted));
    const auto found = must(observe(scratch.place(), "lab"));
    REQUIRE(found);
    for (const Difference& difference : differences(*found, wanted)) CHECK(difference.before == difference.after);
    REQUIRE(*found == wanted);
    live = found;
    if (dice.one_in(4)) {
      must(replace(scratch.place(), "lab", nullptr));
      CHECK(ruleset() == before);
      live.reset();
    }
  }
  must(replace(scratch.place(), "lab", nullptr));
  CHECK(ruleset() == before);
  CHECK(!must(observe(scratch.place(), "lab")));
}

}  // namespace topo::firewall
