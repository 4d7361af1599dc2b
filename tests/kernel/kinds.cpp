// Create then observe is identity for each kind; every attribute can be changed in place; what is removed is gone.
#include "live.hpp"

using namespace live;

TEST_CASE("a small network comes, works, and goes without a trace") {
  const std::string before = shell("ip -d link; ip addr; ls /run/netns; ls -la /run/netns | wc -l");
  {
    const Lab lab;
    bring(small());
    CHECK(shell("ip netns exec web ping -c1 -W1 10.9.0.1 | grep -c 'bytes from'") == "1\n");
    CHECK(shell("ip -n web -d -4 route show proto 0x74") == "unicast default via 10.9.0.1 dev eth0 scope global \n");
    CHECK(shell("ip link show br0").find("alias topo:v1:lab::br0") != std::string::npos);
    CHECK(shell("ip -n web link show lo").find("alias topo:v1:lab") != std::string::npos);
    CHECK(shell("ip -6 -n web addr show eth0") == "");
  }
  CHECK(shell("ip -d link; ip addr; ls /run/netns; ls -la /run/netns | wc -l") == before);
}

TEST_CASE("every attribute of a bridge is created, and changed in place") {
  const Lab lab;
  Bridge bridge;
  bridge.name = "br0";
  bridge.mac = Mac::derived_from("one");
  Graph graph("lab");
  const auto put = [&] {
    graph.put(bridge);
    bring(graph);
  };
  put();
  const std::string index = shell("cat /sys/class/net/br0/ifindex");
  SECTION("mtu") {
    bridge.mtu = 1400;
    put();
    bridge.mtu = 1000;  // too small for IPv6
    put();
    bridge.mtu = 9000;
  }
  SECTION("mac") { bridge.mac = Mac::derived_from("two"); }
  SECTION("stp") { bridge.stp = true; }
  SECTION("ageing_time") { bridge.ageing_time_s = 7; }
  SECTION("filtered") { bridge.filtered = true; }
  SECTION("gateway_v4") { bridge.gateway_v4 = true; }
  SECTION("gateway_v6") { bridge.gateway_v6 = true; }
  SECTION("route_localnet") { bridge.route_localnet = true; }
  put();
  CHECK(shell("cat /sys/class/net/br0/ifindex") == index);
  graph = Graph("lab");
  put();
}

TEST_CASE("a bridge whose spanning tree is turned off forwards at once") {
  const Lab lab;
  Graph graph = small();
  Bridge bridge = std::get<Bridge>(graph.find("bridge :br0")->resource);
  bridge.stp = true;
  graph.put(bridge);
  bring(graph);
  CHECK(shell("ip -d link show web.eth0 | grep -c 'state listening'") == "1\n");
  bridge.stp = false;
  graph.put(bridge);
  Veth cable = attachment("web", "br0");  // one that is awaited
  cable.ends[0].hairpin = true;
  graph.put(cable);
  bring(graph);
  CHECK(shell("ip netns exec web ping -c1 -W1 10.9.0.1 | grep -c 'bytes from'") == "1\n");
}

TEST_CASE("a bridge is born with each attribute") {
  const Lab lab;
  Bridge bridge;
  bridge.name = "br0";
  bridge.mac = Mac::derived_from("one");
  bridge.mtu = GENERATE(1500U, 1400U, 9000U, 1000U);
  bridge.stp = GENERATE(false, true);
  bridge.gateway_v4 = bridge.route_localnet = bridge.filtered = bridge.stp;
  bridge.gateway_v6 = bridge.stp && bridge.mtu >= 1280;
  bridge.ageing_time_s = bridge.stp ? 0 : 300;
  Graph graph("lab");
  graph.put(bridge);
  bring(graph);
}

TEST_CASE("a bridge keeps its MTU whatever its ports have") {
  const Lab lab;
  Graph graph = small();
  Veth cable = attachment("web", "br0");
  cable.ends[0].mtu = cable.ends[1].mtu = 1300;
  graph.put(cable);
  bring(graph);
}

TEST_CASE("every attribute of a cable is changed in place") {
  const Lab lab;
  Graph graph = small();
  Bridge other;
  other.name = "br1";
  other.mac = Mac::derived_from("br1");
  graph.put(other);
  bring(graph);
  const std::string index = shell("ip -n web -o link show eth0 | cut -d: -f1");
  Veth cable = attachment("web", "br0");
  SECTION("mtu of both ends") {
    cable.ends[0].mtu = cable.ends[1].mtu = 1000;
    graph.put(cable);
    bring(graph);
    cable.ends[0].mtu = cable.ends[1].mtu = 1400;
  }
  SECTION("mac of both ends") {
    cable.ends[0].mac = Mac::derived_from("x");
    cable.ends[1].mac = Mac::derived_from("y");
  }
  SECTION("hairpin on, and off") {
    cable.ends[0].hairpin = true;
    graph.put(cable);
    bring(graph);
    cable.ends[0].hairpin = false;
  }
  SECTION("another bridge, with hairpin") {
    cable.ends[0].bridge = "br1";
    cable.ends[0].hairpin = true;
  }
  SECTION("no bridge, so a gateway's end") {
    cable.ends[0].bridge.clear();
    cable.ends[0].gateway_v4 = true;
    cable.ends[0].ipv6 = true;
    cable.ends[0].route_localnet = true;
    graph.put(cable);
    bring(graph);
    CHECK(shell("sysctl -n net.ipv4.conf.web/eth0.route_localnet") == "1\n");
    cable.ends[0].route_localnet = false;
    graph.put(cable);
    bring(graph);
    CHECK(shell("sysctl -n net.ipv4.conf.web/eth0.route_localnet") == "0\n");
    cable.ends[0].gateway_v4 = false;
    cable.ends[0].ipv6 = false;
    graph.put(cable);
    bring(graph);
    cable.ends[0].bridge = "br0";
  }
  graph.put(cable);
  bring(graph);
  CHECK(shell("ip -n web -o link show eth0 | cut -d: -f1") == index);
}

TEST_CASE("cables between namespaces, between bridges, and of one namespace with itself") {
  const Lab lab;
  Graph graph("lab");
  graph.put(Namespace{"a", false, {}});
  graph.put(Namespace{"b", true, {}});
  for (const char* name : {"br0", "br1"}) {
    Bridge bridge;
    bridge.name = name;
    bridge.mac = Mac::derived_from(name);
    graph.put(bridge);
  }
  const auto cable = [&](const std::string& ns, const std::string& name, const std::string& other, const std::string& other_name) {
    Veth made;
    made.ends[0].ns = ns;
    made.ends[0].name = name;
    made.ends[0].mac = Mac::derived_from(ns + name);
    made.ends[1].ns = other;
    made.ends[1].name = other_name;
    made.ends[1].mac = Mac::derived_from(other + other_name);
    return made;
  };
  graph.put(cable("a", "eth0", "b", "eth0"));
  graph.put(cable("a", "eth1", "b", "eth1"));
  graph.put(cable("a", "x", "a", "y"));
  Veth switches = cable("", "sw0", "", "sw1");
  switches.ends[0].bridge = "br0";
  switches.ends[1].bridge = "br1";
  switches.ends[1].hairpin = true;
  graph.put(switches);
  bring(graph);

  // A namespace more, cabled to ones that are there already.
  graph.put(Namespace{"c", false, {}});
  graph.put(cable("a", "eth2", "c", "eth0"));
  graph.put(cable("b", "eth2", "c", "eth1"));
  bring(graph);
  graph.erase("namespace b");
  graph.erase("veth a:eth0=b:eth0");
  graph.erase("veth a:eth1=b:eth1");
  graph.erase("veth b:eth2=c:eth1");
  bring(graph);
  CHECK(shell("ip -n a -o link show eth0") == "Device \"eth0\" does not exist.\n");
}

TEST_CASE("addresses of both families and routes of every form") {
  const Lab lab;
  Graph graph = small();
  Veth cable = attachment("web", "br0");
  cable.ends[1].ipv6 = true;
  graph.put(cable);
  graph.put(Address{"web", "eth0", cidr("fd00:9::2/64")});
  graph.put(Address{"web", "eth0", cable.ends[1].mac.link_local()});
  graph.put(Address{"web", "lo", cidr("10.10.10.1/32")});
  graph.put(Address{"web", "eth0", cidr("10.9.0.3/24"), true});
  const auto route = [&](const std::string& to, std::vector<NextHop> hops) {
    Route made;
    made.ns = "web";
    made.destination = cidr(to);
    made.metric = made.destination.family() == Family::v6 ? 1024 : 0;
    made.next_hops = std::move(hops);
    return made;
  };
  graph.put(route("192.0.2.0/24", {{std::nullopt, "eth0", 1}}));
  graph.put(route("::/0", {{ip("fd00:9::1"), "eth0", 1}}));
  graph.put(route("2001:db8::/64", {{ip("fd00:9::1"), "eth0", 2}, {ip("fd00:9::3"), "eth0", 1}}));
  Route many = route("198.18.0.0/15", {});
  for (int i = 10; i < 74; ++i) many.next_hops.push_back({ip("10.9.0." + std::to_string(i)), "eth0", static_cast<std::uint16_t>(i)});
  std::sort(many.next_hops.begin(), many.next_hops.end());
  graph.put(many);
  for (const char* to : {"203.0.113.0/24", "2001:db8:1::/64"}) {
    for (const auto type : {Route::Type::unreachable, Route::Type::blackhole, Route::Type::prohibit}) {
      Route none = route(to, {});
      none.type = type;
      none.metric = 100 + static_cast<std::uint32_t>(type);
      graph.put(none);
    }
  }
  Route elsewhere = route("0.0.0.0/0", {{ip("10.9.0.1"), "eth0", 1}});
  elsewhere.table = 1000;
  elsewhere.metric = 5;
  elsewhere.source = ip("10.9.0.3");
  graph.put(elsewhere);
  RoutingRule rule{"web", Family::v4, 100, cidr("10.9.0.0/24"), cidr("192.0.2.0/24"), "eth0", 1000};
  graph.put(rule);
  graph.put(RoutingRule{"web", Family::v6, 200, std::nullopt, std::nullopt, "", 7});
  bring(graph);
  CHECK(shell("ip -n web -6 addr show tentative") == "");

  many.next_hops.pop_back();
  graph.put(many);
  elsewhere.source.reset();
  graph.put(elsewhere);
  Route turned = route("203.0.113.0/24", {{ip("10.9.0.9"), "eth0", 1}});
  turned.metric = 101;
  graph.put(turned);
  graph.erase("rule " + rule.key());
  graph.erase("address web:eth0 10.9.0.2/24");
  graph.put(Address{"web", "eth0", cidr("10.9.0.3/24")});
  graph.erase("address web:eth0 fd00:9::2/64");
  graph.put(Address{"web", "eth0", cidr("fd00:9::2/80")});
  graph.put(Address{"web", "eth0", cidr("fd00:9::4/64")});
  bring(graph);
}

TEST_CASE("a sysctl is set, changed, and goes back to what a fresh namespace has") {
  const Lab lab;
  Graph graph = small();
  const std::string global = "net/ipv4/tcp_syncookies";
  const std::string own = "net/ipv4/conf/eth0/rp_filter";
  const std::string fresh =
      shell("unshare -n cat /proc/sys/" + global + " /proc/sys/net/ipv4/conf/default/rp_filter /proc/sys/net/ipv4/ip_local_port_range");
  graph.put(Sysctl{"web", global, "0"});
  graph.put(Sysctl{"web", own, "1"});
  graph.put(Sysctl{"web", "net/ipv4/ip_local_port_range", "20000\t30000"});
  bring(graph);
  CHECK(shell("ip netns exec web cat /proc/sys/" + global + " /proc/sys/" + own) == "0\n1\n");
  graph.put(Sysctl{"web", global, "2"});
  bring(graph);
  graph.erase("sysctl web:" + global);
  graph.erase("sysctl web:" + own);
  graph.erase("sysctl web:net/ipv4/ip_local_port_range");
  REQUIRE(static_cast<bool>(perform(graph)));
  CHECK(shell("ip netns exec web cat /proc/sys/" + global + " /proc/sys/" + own + " /proc/sys/net/ipv4/ip_local_port_range") == fresh);
  CHECK(shell("ip -n web link show lo").find("altname") == std::string::npos);
}

TEST_CASE("a sysctl of the file wins over what topo sets by itself") {
  const Lab lab;
  Graph graph = small();
  graph.put(Namespace{"web", true, {}});
  graph.put(Sysctl{"web", "net/ipv4/conf/eth0/rp_filter", "1"});
  graph.put(Sysctl{"web", "net/ipv4/conf/eth0/forwarding", "0"});
  graph.put(Sysctl{"web", "net/ipv6/conf/eth0/addr_gen_mode", "0"});
  graph.put(Sysctl{"web", "net/ipv4/ip_forward", "1"});
  bring(graph);
  Veth cable = attachment("web", "br0");
  cable.ends[1].mac = Mac::derived_from("other");
  graph.put(cable);
  bring(graph);
}

namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

Graph with_sysctls(bool routes, const Settings& settings) {
  Graph graph = small();
  graph.put(Namespace{"web", routes, {}});
  for (const auto& [name, value] : settings) graph.put(Sysctl{"web", "net/" + name, value});
  return graph;
}

}  // namespace

TEST_CASE("sysctls that change or go leave what there would be had they never been") {
  struct Case {
    bool routed, routes;
    Settings before, after;
  };
  const std::string own = "ipv4/conf/eth0/log_martians", every = "ipv4/conf/default/log_martians";
  const std::vector<Case> cases{{true, true, {{"ipv4/conf/eth0/forwarding", "0"}, {"ipv6/conf/eth0/forwarding", "0"}}, {}},
                                {true, true, {{"ipv4/ip_forward", "1"}, {"ipv6/conf/all/forwarding", "1"}}, {}},
                                {true, false, {{"ipv4/ip_forward", "1"}}, {}},
                                {true, false, {{"ipv4/ip_forward", "1"}}, {{"ipv4/ip_forward", "0"}}},
                                {false, true, {{"ipv6/conf/all/forwarding", "0"}}, {}},
                                {true, true, {{"ipv4/conf/all/accept_redirects", "1"}}, {}},
                                {false, false, {{own, "1"}}, {{every, "1"}}},
                                {false, false, {{own, "1"}, {every, "0"}}, {{every, "1"}}},
                                {false, false, {{own, "0"}, {every, "1"}}, {{every, "1"}}},
                                {false, false, {{own, "0"}, {every, "0"}}, {{own, "0"}, {every, "1"}}},
                                {false, false, {}, {{"ipv4/conf/default/rp_filter", "1"}}},
                                {false, false, {{own, "0"}, {every, "1"}}, {}},
                                {false, false, {{every, "1"}}, {}},
                                {false, false, {{"ipv4/conf/default/rp_filter", "1"}, {"ipv4/conf/eth0/rp_filter", "2"}}, {}},
                                {false, false, {{"ipv6/conf/eth0/addr_gen_mode", "0"}}, {}}};
  const std::string read = "ip netns exec web sysctl -a --pattern '^net.ipv[46].(conf|ip_forward)' | grep -v stable_secret";
  for (const auto& [routed, routes, before, after] : cases) {
    INFO((before.empty() ? "" : before.front().first) << ", " << (after.empty() ? "" : after.front().first));
    const Lab lab;
    const Graph desired = with_sysctls(routes, after);
    bring(with_sysctls(routed, before));
    bring(desired);
    const std::string changed = shell(read);
    bring(Graph("lab"));
    bring(desired);
    CHECK(shell(read) == changed);
  }
}

TEST_CASE("a sysctl for interfaces to come leaves alone what the file sets for one that is there") {
  const Lab lab;
  const Graph both = with_sysctls(false, {{"ipv4/conf/eth0/log_martians", "1"}, {"ipv4/conf/default/log_martians", "1"}});
  bring(both);
  Change change;
  change.action = Change::Action::remove;
  change.before = Sysctl{"web", "net/ipv4/conf/default/log_martians", "1"};
  LinuxKernel kernel;
  REQUIRE(static_cast<bool>(kernel.observe(both)));
  REQUIRE(static_cast<bool>(kernel.perform(Plan{"lab", {change}}, {})));
  CHECK(shell("ip netns exec web sysctl -n net.ipv4.conf.default.log_martians net.ipv4.conf.eth0.log_martians") == "0\n1\n");
}

TEST_CASE("a sysctl of an interface is forgotten with it, whoever removed it") {
  const Lab lab;
  const Graph with = with_sysctls(false, {{"ipv4/conf/eth0/log_martians", "1"}});
  bring(with);
  SECTION("by the file") {
    Graph without = small();
    without.erase("veth " + attachment("web", "br0").key());
    without.erase("address web:eth0 10.9.0.2/24");
    without.erase("route web 0.0.0.0/0 table 254 metric 0");
    bring(without);
  }
  SECTION("by somebody") { REQUIRE(shell("ip -n web link del eth0") == ""); }
  bring(small());
  CHECK(shell("ip netns exec web cat /proc/sys/net/ipv4/conf/eth0/log_martians") == "0\n");
  CHECK(shell("ip -n web link show lo").find("altname") == std::string::npos);
}

TEST_CASE("an interface that is made again obeys no sysctl that the file has no more") {
  const Lab lab;
  bring(with_sysctls(false, {{"ipv4/conf/eth0/rp_filter", "1"}, {"ipv6/conf/eth0/addr_gen_mode", "0"}}));
  Graph graph = with_sysctls(false, {{"ipv4/conf/default/rp_filter", "1"}});
  graph.erase("veth " + attachment("web", "br0").key());
  Veth other = attachment("web", "br0");
  other.ends[0].name = "other";
  graph.put(other);
  bring(graph);
}

TEST_CASE("an interface that comes later has what it would have had from the start") {
  const Lab lab;
  const Settings every{{"ipv4/conf/default/log_martians", "1"}, {"ipv6/conf/default/accept_ra", "0"}};
  const std::string read = "ip netns exec web sysctl -a --pattern 'conf.eth1' | grep -v stable_secret";
  Graph graph = with_sysctls(false, every);
  bring(graph);
  Veth second = attachment("web", "br0");
  second.ends[0].name = "second";
  second.ends[1].name = "eth1";
  graph.put(second);
  bring(graph);
  const std::string later = shell(read);
  bring(Graph("lab"));
  bring(graph);
  CHECK(shell(read) == later);
}

TEST_CASE("a link's end equals one made so, whatever it was before") {
  const Lab lab;
  const std::string state = "sysctl -a --pattern 'conf.web/eth0' | grep -v stable_secret";
  Graph graph = small();
  bring(graph);
  const std::string port = shell(state);
  Veth cable = attachment("web", "br0");
  cable.ends[0].bridge.clear();
  cable.ends[0].gateway_v4 = cable.ends[0].ipv6 = GENERATE(false, true);
  graph.put(cable);
  bring(graph);
  CHECK(shell(state) != port);
  graph.put(attachment("web", "br0"));
  bring(graph);
  CHECK(shell(state) == port);
}

TEST_CASE("a router forwards both families, and stops when told") {
  const Lab lab;
  Graph graph = small();
  const std::string read =
      "ip netns exec web cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv4/conf/eth0/forwarding";
  graph.put(Namespace{"web", true, {}});
  bring(graph);
  CHECK(shell(read) == "1\n1\n1\n");
  graph.put(Namespace{"web", false, {}});
  bring(graph);
  CHECK(shell(read) == "0\n0\n0\n");
}
