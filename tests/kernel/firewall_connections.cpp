// Which tracked connections are forgotten. The entries are put into the kernel by conntrack(8), as traffic would make them.
#include "firewall_scratch.hpp"

namespace topo::firewall {
namespace {

using netfilter::Maybe;
using netfilter::Ports;
using netfilter::Rule;
using netfilter::Ruleset;
using netfilter::Target;

/// The topology: br0 with 10.0.0.0/24 and br1 with 10.0.1.0/24. The host is 198.51.100.2, all else is outside by eth0.
Lookup::Way way_to(const IpAddress& address) {
  const std::uint32_t group = link_group("t");
  const auto within = [&](const char* network) { return Cidr::parse(network)->contains(address); };
  if (within("10.0.0.0/24")) return {"br0", group, "port" + std::to_string(address.bytes()[3])};
  if (within("10.0.1.0/24")) return {"br1", group, "port" + std::to_string(address.bytes()[3])};
  if (within("2001:db8:0::/64")) return {"br0", group, {}};
  if (within("198.51.100.2/32") || within("127.0.0.0/8")) return {};
  return {"eth0", 0, {}};
}

bool concerns(const IpAddress& address) { return way_to(address).group != 0; }

Rule rule_to(const char* destination, std::optional<Ports> ports, Target::Kind kind) {
  Rule rule;
  rule.destination = Maybe<Cidr>{*Cidr::parse(destination), false};
  if (ports) rule.protocol = 17;
  rule.destination_ports = ports;
  rule.target.kind = kind;
  return rule;
}

/// Forwards to br1 what goes to port 20 by UDP, and drops all else that goes there; maps 8080/tcp and 53/udp of the host.
Ruleset rules() {
  Ruleset set;
  const std::string chain = chain_prefix("t");
  Rule drop = rule_to("10.0.1.0/24", {}, Target::Kind::drop);
  Rule mapped = accept_rule();
  mapped.states = netfilter::ct_dnat;
  set.chains[{Family::v4, netfilter::Table::filter, chain}] = {rule_to("10.0.1.0/24", Ports{20, 20}, Target::Kind::accept), mapped, drop};
  set.jumps[{Family::v4, netfilter::Table::filter, "FORWARD"}] = {jump_rule("t", chain)};
  Rule map;
  map.protocol = 6;
  map.destination_type = netfilter::AddressType::local;
  map.destination_ports = Ports{8080, 8080};
  map.target = {Target::Kind::dnat, {}, {}, IpAddress::parse("10.0.1.2"), Ports{80, 80}, {}};
  Rule names = map;
  names.protocol = 17;
  names.destination_ports = Ports{53, 53};
  names.target.ports = Ports{53, 53};
  Rule masquerade;
  masquerade.source = Maybe<Cidr>{*Cidr::parse("10.0.0.0/24"), false};
  masquerade.target.kind = Target::Kind::masquerade;
  set.chains[{Family::v4, netfilter::Table::nat, chain}] = {map, names};
  set.chains[{Family::v4, netfilter::Table::nat, chain + "-m"}] = {masquerade};
  set.jumps[{Family::v4, netfilter::Table::nat, "PREROUTING"}] = {jump_rule("t", chain)};
  set.jumps[{Family::v4, netfilter::Table::nat, "POSTROUTING"}] = {jump_rule("t", chain + "-m")};
  return set;
}

/// Puts in one connection and says whether it is still there after `rules`.
bool survives(const Scratch& scratch, const std::string& connection, const Ruleset* rules) {
  shell("conntrack -F; conntrack -I " + connection + " -t 60");
  REQUIRE(shell("conntrack -C").substr(0, 2) == "1\n");
  must(forget_connections(scratch.place(), rules, {way_to}, concerns));
  return shell("conntrack -C").substr(0, 2) == "1\n";
}

}  // namespace

TEST_CASE("connections that the rules do not let begin are forgotten, the others not") {
  const Scratch scratch;
  shell("iptables-legacy -t nat -A POSTROUTING -j ACCEPT && ip6tables-legacy -t nat -A POSTROUTING -j ACCEPT");  // turns tracking on
  const Ruleset live = rules();
  const std::string tcp = "-p tcp --state ESTABLISHED ", udp = "-p udp ";
  SECTION("by the filter") {
    CHECK(survives(scratch, udp + "-s 10.0.0.2 -d 10.0.1.2 --sport 10 --dport 20", &live));
    CHECK(!survives(scratch, udp + "-s 10.0.0.2 -d 10.0.1.2 --sport 10 --dport 21", &live));
    CHECK(!survives(scratch, "-p icmp -s 10.0.0.2 -d 10.0.1.2 --icmp-type 8 --icmp-code 0 --icmp-id 5", &live));
    CHECK(survives(scratch, "-p icmp -s 10.0.1.2 -d 10.0.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 5", &live));
    CHECK(survives(scratch, udp + "-s 2001:db8::2 -d 2001:db8:9::2 --sport 10 --dport 21", &live));
  }
  SECTION("strangers' are left alone") {
    CHECK(survives(scratch, udp + "-s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 21", &live));
    CHECK(survives(scratch, tcp + "-s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 8080 --dst-nat 172.17.0.2:80", &live));
    CHECK(survives(scratch, udp + "-s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 21", nullptr));
  }
  SECTION("by the port maps") {
    CHECK(survives(scratch, tcp + "-s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 8080 --dst-nat 10.0.1.2:80", &live));
    CHECK(!survives(scratch, tcp + "-s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 8081 --dst-nat 10.0.1.2:80", &live));
    CHECK(!survives(scratch, tcp + "-s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 8080 --dst-nat 10.0.1.3:80", &live));
    CHECK(!survives(scratch, tcp + "-s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 8080 --dst-nat 10.0.1.2:81", &live));
    // An older UDP flow to the host would go past the map.
    CHECK(!survives(scratch, udp + "-s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 53", &live));
    CHECK(survives(scratch, udp + "-s 203.0.113.9 -d 198.51.100.3 --sport 10 --dport 53", &live));
  }
  SECTION("by the source NAT") {
    CHECK(survives(scratch, udp + "-s 10.0.0.2 -d 203.0.113.9 --sport 10 --dport 53 --src-nat 198.51.100.2", &live));
    CHECK(!survives(scratch, udp + "-s 10.0.0.2 -d 203.0.113.9 --sport 10 --dport 53 --src-nat 198.51.100.77", &live));
    CHECK(!survives(scratch, udp + "-s 10.0.1.2 -d 203.0.113.9 --sport 10 --dport 53 --src-nat 198.51.100.2", &live));
  }
  SECTION("without rules all that touch the topology go") {
    CHECK(!survives(scratch, udp + "-s 10.0.0.2 -d 10.0.1.2 --sport 10 --dport 20", nullptr));
    CHECK(!survives(scratch, udp + "-s 2001:db8::2 -d 2001:db8:9::2 --sport 10 --dport 21", nullptr));
  }
}

TEST_CASE("where nothing is tracked there is nothing to forget") {
  const Scratch scratch;
  must(forget_connections(scratch.place(), nullptr, {way_to}, concerns));
}

TEST_CASE("a port map of a range takes a connection to its own port only") {
  const Scratch scratch;
  shell("iptables-legacy -t nat -A POSTROUTING -j ACCEPT");
  Ruleset live = rules();
  auto& maps = live.chains[{Family::v4, netfilter::Table::nat, chain_prefix("t")}];
  maps[0].destination_ports = Ports{8000, 8010};
  maps[0].target.ports = Ports{9000, 9010};
  maps[0].target.base = 8000;
  const std::string from = "-p tcp --state ESTABLISHED -s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 8003 --dst-nat 10.0.1.2:";
  CHECK(survives(scratch, from + "9003", &live));
  CHECK(!survives(scratch, from + "9004", &live));
}

}  // namespace topo::firewall
