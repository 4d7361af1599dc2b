// What others on the host hold or forbid: ports of other topologies, listening programs, a FORWARD that drops.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "firewall_scratch.hpp"

namespace topo::firewall {
namespace {

using netfilter::Maybe;
using netfilter::Ports;
using netfilter::Rule;
using netfilter::Target;

/// A socket bound to `address` and `port` in the test's namespace; TCP ones listen.
kernel::FileDescriptor bound(int type, const char* address, std::uint16_t port, bool v6_only = false) {
  const bool v6 = std::string(address).find(':') != std::string::npos;
  kernel::FileDescriptor fd(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  REQUIRE(fd);
  const int on = v6_only ? 1 : 0;
  if (v6) REQUIRE(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
  sockaddr_in6 to6{};
  sockaddr_in to4{};
  to6.sin6_family = AF_INET6;
  to4.sin_family = AF_INET;
  to6.sin6_port = to4.sin_port = htons(port);
  REQUIRE(::inet_pton(v6 ? AF_INET6 : AF_INET, address, v6 ? static_cast<void*>(&to6.sin6_addr) : &to4.sin_addr) == 1);
  REQUIRE(::bind(fd.get(), v6 ? reinterpret_cast<sockaddr*>(&to6) : reinterpret_cast<sockaddr*>(&to4), v6 ? sizeof to6 : sizeof to4) == 0);
  if (type == SOCK_STREAM) REQUIRE(::listen(fd.get(), 1) == 0);
  return fd;
}

/// A firewall of `topology` that maps ports to an address of its own.
Firewall mapping(const std::string& topology, Ports ports, std::uint8_t protocol = 6, const char* address = nullptr, Family family = Family::v4) {
  Rule map;
  map.protocol = protocol;
  map.destination_ports = ports;
  if (address != nullptr) {
    map.destination = Maybe<Cidr>{*Cidr::parse(address), false};
  } else {
    map.destination_type = netfilter::AddressType::local;
  }
  map.target.kind = Target::Kind::dnat;
  map.target.address = IpAddress::parse(family == Family::v4 ? "10.0.0.1" : "2001:db8::10");
  Firewall firewall;
  firewall.rules.chains[{family, netfilter::Table::nat, chain_prefix(topology) + "-p"}] = {map};
  firewall.rules.jumps[{family, netfilter::Table::nat, "PREROUTING"}] = {jump_rule(topology, chain_prefix(topology) + "-p")};
  return firewall;
}

std::vector<std::string> texts(const std::vector<PortConflict>& conflicts) {
  std::vector<std::string> found;
  for (const auto& conflict : conflicts) found.push_back(conflict.port + ": " + conflict.holder + (conflict.listener ? " (listener)" : ""));
  return found;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a port that another topology maps is a conflict, by protocol, address and range") {
  const Scratch scratch;
  const Firewall lab = mapping("lab", {8000, 8010});
  must(replace(scratch.place(), "lab", &lab));
  const auto conflicts = [&](const Firewall& wanted) { return texts(must(port_conflicts(scratch.place(), "t", wanted, nullptr))); };
  CHECK(conflicts(mapping("t", {8005, 8005})) == Texts{"8005/tcp: topology lab"});
  CHECK(conflicts(mapping("t", {8008, 8020})) == Texts{"8008-8010/tcp: topology lab"});
  CHECK(conflicts(mapping("t", {8005, 8005}, 6, "198.51.100.2/32")) == Texts{"8005/tcp: topology lab"});
  CHECK(conflicts(mapping("t", {8011, 8020})).empty());
  CHECK(conflicts(mapping("t", {8005, 8005}, 17)).empty());
  CHECK(conflicts(mapping("t", {8005, 8005}, 6, nullptr, Family::v6)).empty());
  const Firewall office = mapping("office", {443, 443}, 6, "198.51.100.2/32");
  must(replace(scratch.place(), "office", &office));
  CHECK(conflicts(mapping("t", {443, 443}, 6, "198.51.100.3/32")).empty());
  CHECK(conflicts(mapping("t", {443, 443}, 6, "198.51.100.2/32")) == Texts{"443/tcp: topology office"});
  // What the topology has already is its own.
  CHECK(must(port_conflicts(scratch.place(), "lab", lab, &lab)).empty());
  CHECK(must(port_conflicts(scratch.place(), "lab", lab, nullptr)).empty());
}

TEST_CASE("a program that listens on a wanted port is a conflict") {
  const Scratch scratch;
  shell("ip address add 198.51.100.2/24 dev lo && ip address add 2001:db8:51::2/64 dev lo nodad");
  const auto any = bound(SOCK_STREAM, "0.0.0.0", 80);
  const auto one = bound(SOCK_STREAM, "198.51.100.2", 81);
  const auto both = bound(SOCK_STREAM, "::", 82);
  const auto six_only = bound(SOCK_STREAM, "::", 83, true);
  const auto datagrams = bound(SOCK_DGRAM, "127.0.0.1", 53);
  const auto six = bound(SOCK_DGRAM, "2001:db8:51::2", 54);
  const auto conflicts = [&](const Firewall& wanted, const Firewall* live = nullptr) {
    return texts(must(port_conflicts(scratch.place(), "t", wanted, live)));
  };
  const auto held = [](const char* port, const char* at) {
    return Texts{std::string(port) + ": the host itself listens on it (" + at + ") (listener)"};
  };
  CHECK(conflicts(mapping("t", {80, 80})) == held("80/tcp", "0.0.0.0:80"));
  CHECK(conflicts(mapping("t", {70, 80}, 6, "198.51.100.2/32")) == held("80/tcp", "0.0.0.0:80"));
  CHECK(conflicts(mapping("t", {80, 80}, 17)).empty());
  CHECK(conflicts(mapping("t", {80, 80}, 6, nullptr, Family::v6)).empty());
  CHECK(conflicts(mapping("t", {81, 81})) == held("81/tcp", "198.51.100.2:81"));
  CHECK(conflicts(mapping("t", {81, 81}, 6, "127.0.0.1/32")).empty());
  CHECK(conflicts(mapping("t", {82, 82})) == held("82/tcp", "[::]:82"));
  CHECK(conflicts(mapping("t", {82, 82}, 6, nullptr, Family::v6)) == held("82/tcp", "[::]:82"));
  CHECK(conflicts(mapping("t", {83, 83})).empty());
  CHECK(conflicts(mapping("t", {83, 83}, 6, nullptr, Family::v6)) == held("83/tcp", "[::]:83"));
  CHECK(conflicts(mapping("t", {53, 53}, 17)) == held("53/udp", "127.0.0.1:53"));
  CHECK(conflicts(mapping("t", {54, 54}, 17, nullptr, Family::v6)) == held("54/udp", "[2001:db8:51::2]:54"));
  // A map that is live has won against the listener already.
  const Firewall live = mapping("t", {80, 80});
  CHECK(conflicts(live, &live).empty());
}

TEST_CASE("a FORWARD that drops is told with a remedy, and told no more once the remedy is used") {
  const Scratch scratch;
  Firewall wanted = small_firewall("t");
  wanted.forwards_v4 = true;
  const auto told = [&] { return must(warnings(scratch.place(), "t", wanted)); };
  CHECK(told().empty());
  shell("iptables-legacy -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
  SECTION("the policy") { shell("iptables-legacy -P FORWARD DROP"); }
  SECTION("a rule at the end") {
    shell("iptables-legacy -A FORWARD -s 10.0.0.0/8 -j DROP && iptables-legacy -A FORWARD -j REJECT --reject-with icmp-host-prohibited");
  }
  SECTION("a drop") { shell("iptables-legacy -A FORWARD -j DROP"); }
  SECTION("a drop in a chain that all goes to, by any interface") {
    shell(
        "iptables-legacy -N Z && iptables-legacy -N Y && iptables-legacy -A Z -i + -g Y && iptables-legacy -A Y -j DROP && iptables-legacy -A "
        "FORWARD -j Z");
  }
  const auto before = told();
  REQUIRE(before.size() == 1);
  INFO(before[0].to_string());
  CHECK(before[0].aim == "to let it pass");
  shell(before[0].remedy);
  CHECK(told().empty());
  must(replace(scratch.place(), "t", &wanted));
  CHECK(told().empty());
  CHECK(shell("iptables-legacy -S FORWARD 2>&1").find("-j TOPO\n-A FORWARD -m comment") != std::string::npos);
}

TEST_CASE("an INPUT that drops what is for the host is told with a remedy, and told no more once the remedy is used") {
  const Scratch scratch;
  Firewall wanted = small_firewall("t");
  const auto told = [&] { return must(warnings(scratch.place(), "t", wanted)); };
  SECTION("the policy") { shell("iptables-legacy -P INPUT DROP"); }
  SECTION("a rule at the end") { shell("iptables-legacy -A INPUT -i lo -j ACCEPT && iptables-legacy -A INPUT -j REJECT"); }
  SECTION("of firewalld's kind") {
    shell("nft add table inet strict && nft 'add chain inet strict f { type filter hook forward priority 0; }'");
    shell("nft 'add chain inet strict i { type filter hook input priority 0; policy drop; }'");
    // The remedy of another chain is none for this one.
    shell("nft 'add rule inet strict f accept comment \"topo:v1:t\"'");
  }
  SECTION("of iptables-nft") { shell("iptables-nft -P INPUT DROP"); }
  CHECK(told().empty());  // nothing of it is for the host
  Rule member;
  member.in = Maybe<std::string>{"lan", false};
  member.target.kind = Target::Kind::return_;
  wanted.rules.chains[{Family::v4, netfilter::Table::filter, "TOPO-t-in"}] = {member};
  wanted.rules.jumps[{Family::v4, netfilter::Table::filter, "INPUT"}] = {jump_rule("t", "TOPO-t-in")};
  const auto before = told();
  REQUIRE(before.size() == 1);
  INFO(before[0].to_string());
  CHECK(before[0].aim == "to let it in");
  CHECK(before[0].may_go_well);
  shell(before[0].remedy);
  CHECK(told().empty());
  shell("nft flush ruleset");
}

TEST_CASE("a rule in front of a topology's that may accept is told with a remedy, and told no more once the remedy is used") {
  const Scratch scratch;
  const Firewall wanted = small_firewall("t");
  const auto told = [&] { return must(warnings(scratch.place(), "t", wanted)); };
  const std::string insert = "iptables-legacy -I FORWARD ";
  shell(insert + "-j ACCEPT");
  must(replace(scratch.place(), "t", &wanted));
  shell("iptables-legacy -N Z && iptables-legacy -A Z -j DROP");
  for (const char* harmless : {"-i lo -j ACCEPT", "-i z0 -o z0 -j ACCEPT", "-m conntrack --ctstate ESTABLISHED -j ACCEPT", "-j Z", "-i z0 -j DROP",
                               "-m devgroup --src-group 9 --dst-group 9 -j ACCEPT", "-m recent --set -j REJECT"})
    shell(insert + harmless);
  CHECK(told().empty());
  SECTION("what comes from somebody else") { shell(insert + "-i z0 ! -o z0 -j ACCEPT"); }
  SECTION("in a chain") { shell("iptables-legacy -I Z -s 192.0.2.0/24 -i z0 -j ACCEPT"); }
  SECTION("what cannot be read") { shell(insert + "-m ttl --ttl-gt 5 -j ACCEPT"); }
  const auto before = told();
  REQUIRE(before.size() == 1);
  INFO(before[0].to_string());
  CHECK(before[0].aim == "to have the topology decide first");
  shell(before[0].remedy);
  CHECK(told().empty());
  CHECK(must(observe(scratch.place(), "t")) == wanted);
}

TEST_CASE("an nft chain that drops is told with a remedy, and told no more once the remedy is used") {
  const Scratch scratch;
  Firewall wanted = small_firewall("t");
  wanted.forwards_v4 = true;
  const auto told = [&] { return must(warnings(scratch.place(), "t", wanted)); };
  shell("nft add table ip6 other && nft 'add chain ip6 other f { type filter hook forward priority 0; policy drop; }'");
  shell("nft add table ip in && nft 'add chain ip in inp { type filter hook input priority 0; policy drop; }'");
  CHECK(told().empty());
  SECTION("of firewalld's kind") {
    shell("nft add table inet strict && nft 'add chain inet strict f { type filter hook forward priority 0; policy drop; }'");
  }
  SECTION("of iptables-nft") { shell("iptables-nft -P FORWARD DROP"); }
  const auto before = told();
  REQUIRE(before.size() == 1);
  INFO(before[0].to_string());
  CHECK(before[0].aim == "to let it pass");
  shell(before[0].remedy);
  INFO(shell("nft list ruleset"));
  CHECK(told().empty());
  shell("nft flush ruleset");
}

}  // namespace topo::firewall
