#include <catch2/catch.hpp>
#include <set>

#include "graph/graph.hpp"

using namespace topo;

namespace {

Cidr cidr(const char* text) { return *Cidr::parse(text); }
IpAddress ip(const char* text) { return *IpAddress::parse(text); }

Veth attachment() {
  Veth cable;
  cable.ends[0].name = "web.eth0";
  cable.ends[0].bridge = "frontend";
  cable.ends[1].ns = "web";
  cable.ends[1].name = "eth0";
  return cable;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("resources are known by kind and key") {
  CHECK(Namespace{"web", false, {}}.key() == "web");
  CHECK(attachment().key() == ":web.eth0=web:eth0");
  CHECK(Address{"web", "eth0", cidr("10.0.0.2/24")}.key() == "web:eth0 10.0.0.2/24");
  Route route;
  route.ns = "web";
  route.destination = cidr("0.0.0.0/0");
  CHECK(route.key() == "web 0.0.0.0/0 table 254 metric 0");
  RoutingRule rule;
  rule.ns = "web";
  rule.priority = 100;
  rule.from = cidr("10.0.0.0/24");
  RoutingRule other = rule;
  other.table = 7;
  CHECK(rule.key() != other.key());
}

TEST_CASE("resources need what they stand on") {
  CHECK(attachment().needs() == Names{"namespace web"});
  CHECK(attachment().provides() == Names{"interface :web.eth0", "interface web:eth0"});
  CHECK(Namespace{"web", false, {}}.provides() == Names{"interface web:lo"});
  CHECK(Address{"web", "lo", cidr("10.0.0.2/32")}.needs() == Names{"interface web:lo"});
  CHECK(Bridge{}.needs().empty());
  Route route;
  route.ns = "web";
  CHECK(route.needs() == Names{"namespace web"});
  route.next_hops = {{ip("10.0.0.1"), "eth0", 1}, {ip("10.0.0.3"), "eth0", 1}, {ip("10.1.0.1"), "eth1", 1}};
  CHECK(route.needs() == Names{"interface web:eth0", "interface web:eth1"});
}

TEST_CASE("a sysctl of an interface needs that interface, and each its namespace") {
  CHECK(Sysctl{"web", "net/ipv4/conf/eth0/rp_filter", "0"}.needs() == Names{"interface web:eth0", "namespace web"});
  CHECK(Sysctl{"web", "net/ipv4/conf/all/rp_filter", "0"}.needs() == Names{"namespace web"});
  CHECK(Sysctl{"web", "net/ipv6/neigh/default/gc_thresh1", "0"}.needs() == Names{"namespace web"});
  CHECK(Sysctl{"web", "net/ipv4/tcp_syncookies", "0"}.needs() == Names{"namespace web"});
}

TEST_CASE("what writes the settings of others is written first") {
  const int forwarding = Sysctl{"web", "net/ipv4/ip_forward", "1"}.order();
  const int all = Sysctl{"web", "net/ipv4/conf/all/forwarding", "1"}.order();
  const int one = Sysctl{"web", "net/ipv4/conf/eth0/forwarding", "0"}.order();
  CHECK(forwarding < all);
  CHECK(all < one);
}

TEST_CASE("what is set for all interfaces is set again when a cable comes") {
  const auto names = [](const Circumstances& circumstances) {
    std::set<std::string> found;
    for (const auto& circumstance : circumstances) found.insert(circumstance.name);
    return found;
  };
  CHECK(names(attachment().spoils(Turn::comes)) ==
        std::set<std::string>{"cables ", "cables web", "neighbours :web.eth0", "neighbours web:eth0"});
  // With a MAC that is written the kernel forgets neighbours, not what it answers for.
  const IpAddress address = *IpAddress::parse("10.0.0.1");
  CHECK(names(Neighbour{"web", "eth0", address, Mac()}.relies_on()) == std::set<std::string>{"addresses web:eth0", "neighbours web:eth0"});
  CHECK(names(Neighbour{"web", "eth0", address, {}}.relies_on()) == std::set<std::string>{"addresses web:eth0"});
  CHECK(attachment().spoils(Turn::goes).empty());
  CHECK(names(Sysctl{"web", "net/ipv6/conf/default/accept_ra", "0"}.relies_on()).count("cables web") == 1);
  CHECK(names(Sysctl{"web", "net/ipv4/conf/all/log_martians", "0"}.relies_on()).count("cables web") == 1);
  CHECK(names(Sysctl{"web", "net/ipv6/conf/all/proxy_ndp", "1"}.relies_on()).count("cables web") == 0);
  CHECK(names(Sysctl{"web", "net/ipv4/conf/eth0/log_martians", "0"}.relies_on()).count("cables web") == 0);
}

TEST_CASE("titles and summaries say what a file says") {
  CHECK(attachment().title() == "web:eth0");
  CHECK(attachment().summary() == "on frontend");
  Veth cable;
  cable.ends[0] = {"backend", "veth-back", {}, 1500, "", false, false, false, false, {}};
  cable.ends[1] = {"frontend", "veth-front", {}, 1500, "", false, false, false, false, {}};
  CHECK(cable.title() == "backend:veth-back <-> frontend:veth-front");
  CHECK(cable.summary() == "cable");
  cable.ends[0] = {"", "a.b", {}, 1500, "a", false, false, false, false, {}};
  cable.ends[1] = {"", "b.a", {}, 1500, "b", false, false, false, false, {}};
  CHECK(cable.title() == "a:a.b <-> b:b.a");
  CHECK(Sysctl{"web", "net/ipv4/conf/eth0.5/rp_filter", "0"}.title() == "web net.ipv4.conf.eth0/5.rp_filter");

  Route route;
  route.ns = "web";
  route.destination = cidr("0.0.0.0/0");
  route.next_hops = {{ip("10.0.0.1"), "eth0", 1}};
  CHECK(route.title() == "web default");
  CHECK(route.summary() == "via 10.0.0.1 dev eth0");
  route.destination = cidr("10.9.0.0/16");
  route.table = 7;
  route.metric = 5;
  route.source = ip("10.0.0.2");
  route.next_hops.push_back({std::nullopt, "eth1", 3});
  CHECK(route.title() == "web 10.9.0.0/16 table 7 metric 5");
  CHECK(route.summary() == "via 10.0.0.1 dev eth0, dev eth1 weight 3 src 10.0.0.2");
  route.destination = cidr("::/0");
  route.table = 254;
  route.metric = 1024;
  CHECK(route.title() == "web default (IPv6)");
}

TEST_CASE("every attribute of a bridge makes a difference") {
  const Bridge before;
  const auto changed = [&](auto change) {
    Bridge after = before;
    change(after);
    const Differences found = differences(before, after);
    REQUIRE(found.size() == 1);
    CHECK(found[0].before != found[0].after);
    return found[0].attribute;
  };
  CHECK(changed([](Bridge& it) { it.mtu = 1400; }) == "mtu");
  CHECK(changed([](Bridge& it) { it.mac = Mac::derived_from("x"); }) == "mac");
  CHECK(changed([](Bridge& it) { it.stp = true; }) == "stp");
  CHECK(changed([](Bridge& it) { it.ageing_time_s = 1; }) == "ageing_time");
  CHECK(changed([](Bridge& it) { it.filtered = true; }) == "filtered");
  CHECK(changed([](Bridge& it) { it.gateway_v4 = true; }) == "gateway for IPv4");
  CHECK(changed([](Bridge& it) { it.gateway_v6 = true; }) == "gateway for IPv6");
  CHECK(changed([](Bridge& it) { it.route_localnet = true; }) == "route_localnet");
  CHECK(changed([](Bridge& it) { it.amiss = "down"; }) == "state");
  CHECK(differences(before, before).empty());
}

TEST_CASE("every attribute of a cable makes a difference, one where both ends change alike") {
  const Veth before = attachment();
  const auto changed = [&](auto change) {
    Veth after = before;
    change(after);
    const Differences found = differences(before, after);
    REQUIRE(found.size() == 1);
    return found[0].attribute + ": " + found[0].before + " -> " + found[0].after;
  };
  CHECK(changed([](Veth& it) { it.ends[0].mtu = it.ends[1].mtu = 1400; }) == "mtu: 1500 -> 1400");
  CHECK(changed([](Veth& it) { it.ends[0].mtu = 1400; }) == "mtu of host:web.eth0: 1500 -> 1400");
  CHECK(changed([](Veth& it) { it.ends[0].bridge = "backend"; }) == "bridge: frontend -> backend");
  CHECK(changed([](Veth& it) { it.ends[1].mac = *Mac::parse("02:00:00:00:00:01"); }) == "mac of web:eth0: 00:00:00:00:00:00 -> 02:00:00:00:00:01");
  CHECK(changed([](Veth& it) { it.ends[0].hairpin = true; }) == "hairpin of host:web.eth0: off -> on");
  CHECK(changed([](Veth& it) { it.ends[0].gateway_v4 = true; }) == "gateway for IPv4 of host:web.eth0: off -> on");
  CHECK(changed([](Veth& it) { it.ends[0].route_localnet = true; }) == "route_localnet of host:web.eth0: off -> on");
  CHECK(changed([](Veth& it) { it.ends[1].ipv6 = true; }) == "ipv6 of web:eth0: off -> on");
  CHECK(changed([](Veth& it) { it.ends[1].amiss = "down"; }) == "state of web:eth0:  -> down");
}

TEST_CASE("every attribute of the other kinds makes a difference") {
  CHECK(differences(Namespace{"a", false, {}}, Namespace{"a", true, {}}) == Differences{{"forwarding", "off", "on", false}});
  CHECK(differences(Namespace{"a", false, "down"}, Namespace{"a", false, {}}) == Differences{{"state", "down", "", false}});
  CHECK(differences(Sysctl{"a", "n", "0"}, Sysctl{"a", "n", "1"}) == Differences{{"value", "0", "1", false}});
  Route before;
  before.next_hops = {{ip("10.0.0.1"), "eth0", 1}};
  Route after = before;
  after.type = Route::Type::blackhole;
  after.next_hops.clear();
  CHECK(differences(before, after) == Differences{{"way", "via 10.0.0.1 dev eth0", "blackhole", false}});
  after = before;
  after.source = ip("10.0.0.2");
  CHECK(differences(before, after) == Differences{{"src", "", "10.0.0.2", false}});
}
