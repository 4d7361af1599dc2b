// Which tracked connections are forgotten. The entries are put into the kernel by conntrack(8), as traffic would make them.
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netlink.h>

#include "firewall/conntrack.hpp"
#include "firewall_scratch.hpp"

namespace topo::firewall {
namespace {

using netfilter::Maybe;
using netfilter::Ports;
using netfilter::Rule;
using netfilter::Ruleset;
using netfilter::Target;

Veth member(const std::string& bridge, const std::string& ns) {
  Veth cable;
  cable.ends[0].name = ns + ".eth0";
  cable.ends[0].bridge = bridge;
  cable.ends[1].ns = ns;
  cable.ends[1].name = "eth0";
  return cable;
}

Address address(const std::string& ns, const std::string& interface, const char* text) { return {ns, interface, *Cidr::parse(text)}; }

/// The topology: br0 with 10.0.0.0/24 and br1 with 10.0.1.0/24; behind router r of br0 10.9.0.0/24, behind its router s 10.8.0.0/24; `sw`, in
/// zone 7, has some of the same addresses. The host is 198.51.100.2, all else is outside by eth0.
Layout layout() {
  Layout layout;
  layout.addresses = {address("", "br0", "10.0.0.1/24"),   address("", "br0", "2001:db8::1/64"), address("", "br1", "10.0.1.1/24"),
                      address("r", "eth0", "10.0.0.5/24"), address("s", "eth0", "10.0.0.6/24"),  address("", "eth0", "198.51.100.2/24"),
                      address("r", "in", "10.9.0.1/24"),   address("s", "in", "10.8.0.1/24"),    address("x", "eth0", "10.0.0.2/24"),
                      address("y", "eth0", "10.0.1.2/24")};
  layout.cables = {member("br0", "r"), member("br0", "s"), member("sw", "x"), member("sw", "y")};
  layout.routers = {"r", "s"};
  layout.foreign = {{"eth0", 0}, {"lo", 0}};
  layout.switches = {{7, "sw"}};
  return layout;
}

Ways ways(const Layout& of = layout()) { return {"", link_group("t"), of}; }

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

/// Puts in one connection and says whether it is still there after `rules`: alone, and among more than the kernel lists in one piece.
bool survives(const Scratch& scratch, const std::string& connection, const Ruleset* rules, const Ways& before = ways()) {
  bool answers[2]{};
  for (const bool among_many : {false, true}) {
    shell("conntrack -F; conntrack -I " + connection + " -t 60");
    REQUIRE(shell("conntrack -C").substr(0, 2) == "1\n");
    if (among_many) {
      shell(
          "for n in $(seq 50); do echo \"-I -p udp -s 203.0.113.9 -d 203.0.113.10 --sport $n --dport 9 -t 60\"; done > /run/many; "
          "conntrack --load-file /run/many; rm /run/many");
      REQUIRE(shell("conntrack -C").substr(0, 3) == "51\n");
    }
    Firewall wanted;
    if (rules != nullptr) wanted.rules = *rules;
    must(forget_connections(scratch.place(), rules != nullptr ? &wanted : nullptr, before, ways()));
    answers[among_many] = shell("conntrack -C").substr(0, 3) == (among_many ? "51\n" : "1\n");
  }
  CHECK(answers[0] == answers[1]);
  return answers[0];
}

/// All of a connection that the list tells as well.
std::string told(const conntrack::Connection& connection) {
  std::string text = std::to_string(connection.zone) + (connection.has(IPS_SRC_NAT) ? " snat" : "") + (connection.has(IPS_DST_NAT) ? " dnat" : "");
  for (const auto& tuple : {connection.original, connection.reply}) {
    text += " " + tuple.source.to_string() + ":" + std::to_string(tuple.source_port) + ">" + tuple.destination.to_string() + ":" +
            std::to_string(tuple.destination_port) + "/" + std::to_string(tuple.protocol) + "." + std::to_string(tuple.icmp_type);
  }
  return text;
}

}  // namespace

TEST_CASE("the kernel's list tells of connections what netlink does") {
  const Scratch scratch;
  shell("iptables-legacy -t nat -A POSTROUTING -j ACCEPT && ip6tables-legacy -t nat -A POSTROUTING -j ACCEPT");
  for (const char* connection :
       {"-p tcp --state ESTABLISHED -s 203.0.113.9 -d 198.51.100.2 --sport 10 --dport 8080 --dst-nat 10.0.1.2:80",
        "-p tcp --state ESTABLISHED -s 203.0.113.9 -d 198.51.100.2 --sport 11 --dport 8080 --dst-nat 198.51.100.2:80",
        "-p udp -s 10.0.0.2 -d 203.0.113.9 --sport 10 --dport 53 --src-nat 198.51.100.2",
        "-p udp -s 2001:db8::2 -d 2001:db8:9::2 --sport 10 --dport 21", "-p udp -s 10.0.0.2 -d 10.0.1.2 --sport 10 --dport 20 --zone 7",
        "-p icmp -s 10.0.0.2 -d 10.0.1.2 --icmp-type 8 --icmp-code 0 --icmp-id 5",
        "-p icmpv6 -s 2001:db8::2 -d 2001:db8:9::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 5"}) {
    INFO(connection);
    shell("conntrack -F; conntrack -I " + std::string(connection) + " -t 60");
    kernel::Channel channel(scratch.place().netns_fd, scratch.place().home_fd, NETLINK_NETFILTER);
    const auto all = must(conntrack::read(channel, [](const auto&) { return true; }));
    const auto few = must(conntrack::list_few(scratch.place()));
    REQUIRE(few);
    REQUIRE(few->size() == 1);
    REQUIRE(all.size() == 1);
    CHECK(told(few->front()) == told(all.front()));
  }
}

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
  SECTION("what goes to a group has no answer to let pass") {
    CHECK(survives(scratch, "-p 2 -s 10.0.0.1 -d 224.0.0.22", &live));
    CHECK(survives(scratch, "-p 2 -s 10.0.0.1 -d 224.0.0.22", nullptr));
    CHECK(survives(scratch, udp + "-s 10.0.0.2 -d 239.0.0.1 --sport 10 --dport 21", nullptr));
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
  SECTION("by the interface that a source NAT is for") {
    Ruleset other = live;
    Rule& masquerade = other.chains[{Family::v4, netfilter::Table::nat, chain_prefix("t") + "-m"}].front();
    masquerade.out = Maybe<std::string>{"eth0", false};
    CHECK(survives(scratch, udp + "-s 10.0.0.2 -d 198.51.100.1 --sport 10 --dport 53 --src-nat 198.51.100.2", &other));
    masquerade.out = Maybe<std::string>{"eth1", false};
    CHECK(!survives(scratch, udp + "-s 10.0.0.2 -d 198.51.100.1 --sport 10 --dport 53 --src-nat 198.51.100.2", &other));
  }
  SECTION("by the way that a router's packets take") {
    CHECK(survives(scratch, udp + "-s 10.9.0.2 -d 10.8.0.2 --sport 10 --dport 21", &live));
    Ruleset other = live;
    Rule closed = rule_to("10.8.0.0/16", {}, Target::Kind::drop);
    closed.physical_in = "r.eth0";
    other.chains[{Family::v4, netfilter::Table::filter, chain_prefix("t")}] = {closed};
    CHECK(!survives(scratch, udp + "-s 10.9.0.2 -d 10.8.0.2 --sport 10 --dport 21", &other));
    CHECK(survives(scratch, udp + "-s 10.8.0.2 -d 10.9.0.2 --sport 10 --dport 21", &other));
    CHECK(survives(scratch, udp + "-s 203.0.113.9 -d 10.8.0.2 --sport 10 --dport 21", &other));
  }
  SECTION("by the ports of a plain switch, in its own zone") {
    Ruleset other = live;
    Rule closed = rule_to("10.0.1.2/32", {}, Target::Kind::drop);
    closed.physical_in = "x.eth0";
    closed.physical_out = "y.eth0";
    other.chains[{Family::v4, netfilter::Table::filter, chain_prefix("t")}] = {closed};
    const std::string flow = udp + "-s 10.0.0.2 -d 10.0.1.2 --sport 10 --dport 20";
    CHECK(survives(scratch, flow, &other));
    CHECK(!survives(scratch, flow + " --zone 7", &other));
    CHECK(survives(scratch, flow + " --zone 8", &other));
    CHECK(survives(scratch, flow + " --zone 7", &live));
    CHECK(survives(scratch, flow + " --zone 8", nullptr));
  }
  SECTION("all that an address had which is no longer there") {
    Layout earlier = layout();
    earlier.addresses.push_back(address("", "br2", "10.0.2.1/24"));
    CHECK(survives(scratch, udp + "-s 10.0.2.2 -d 203.0.113.9 --sport 10 --dport 20", &live));
    CHECK(!survives(scratch, udp + "-s 10.0.2.2 -d 203.0.113.9 --sport 10 --dport 20", &live, ways(earlier)));
    earlier.switches.emplace(8, "br2");
    CHECK(!survives(scratch, udp + "-s 10.0.0.2 -d 10.0.1.2 --sport 10 --dport 20 --zone 8", &live, ways(earlier)));
  }
  SECTION("without rules all that touch the topology go") {
    CHECK(!survives(scratch, udp + "-s 10.0.0.2 -d 10.0.1.2 --sport 10 --dport 20", nullptr));
    CHECK(!survives(scratch, udp + "-s 2001:db8::2 -d 2001:db8:9::2 --sport 10 --dport 21", nullptr));
    CHECK(!survives(scratch, udp + "-s 10.9.0.2 -d 10.8.0.2 --sport 10 --dport 21", nullptr));
    CHECK(survives(scratch, udp + "-s 10.9.0.2 -d 203.0.113.9 --sport 10 --dport 21", nullptr));
  }
}

TEST_CASE("where nothing is tracked there is nothing to forget") {
  const Scratch scratch;
  must(forget_connections(scratch.place(), nullptr, ways(), ways()));
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
