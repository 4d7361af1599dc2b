#include <catch2/catch.hpp>

#include "diff/plan.hpp"

using namespace topo;
using Action = Change::Action;

namespace {

Cidr cidr(const char* text) { return *Cidr::parse(text); }

Veth cable(const char* ns, const char* bridge) {
  Veth made;
  made.ends[0].name = std::string(ns) + ".eth0";
  made.ends[0].bridge = bridge;
  made.ends[1].ns = ns;
  made.ends[1].name = "eth0";
  return made;
}

Bridge bridge(const char* name) {
  Bridge made;
  made.name = name;
  return made;
}

Route route(const char* ns, const char* via) {
  Route made;
  made.ns = ns;
  made.destination = cidr("0.0.0.0/0");
  made.next_hops = {{IpAddress::parse(via), "eth0", 1}};
  return made;
}

Graph web(const char* address = "10.0.0.2/24") {
  Graph graph("lab");
  graph.put(bridge("x"), {2, 3, 0});
  graph.put(Namespace{"web", false, {}}, {5, 3, 0});
  graph.put(cable("web", "x"), {5, 20, 0});
  graph.put(Address{"web", "eth0", cidr(address)}, {5, 30, 0});
  graph.put(route("web", "10.0.0.1"), {5, 3, 0});
  return graph;
}

/// "+namespace web", one a change: + - ~ and = for the second half of what is made again, i for an implied removal.
std::vector<std::string> told(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Change& change : plan.changes) {
    const char* signs[]{"+", "-", "~", "="};
    lines.push_back((change.implied ? "i" : "") +
                    (signs[static_cast<std::size_t>(change.action)] + id_of(change.after ? *change.after : *change.before)));
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("from nothing: everything, in the order of creation") {
  const Plan plan = diff(Graph("lab"), web());
  CHECK(told(plan) == Lines{"+namespace web", "+bridge :x", "+veth :web.eth0=web:eth0", "+address web:eth0 10.0.0.2/24",
                            "+route web 0.0.0.0/0 table 254 metric 0"});
  CHECK(plan.topology == "lab");
  CHECK(plan.changes[0].origin == Position{5, 3, 0});
  CHECK(!plan.changes[0].before);
}

TEST_CASE("to nothing: the other way round; what goes with its interface is implied, the cable is not") {
  CHECK(told(diff(web(), Graph("lab"))) == Lines{"i-route web 0.0.0.0/0 table 254 metric 0", "i-address web:eth0 10.0.0.2/24",
                                                 "-veth :web.eth0=web:eth0", "-bridge :x", "-namespace web"});
}

TEST_CASE("nothing to do is an empty plan, wherever the file says it") {
  Graph moved = web();
  moved.put(Namespace{"web", false, {}}, {99, 1, 0});
  CHECK(diff(web(), moved).empty());
}

TEST_CASE("a change in place tells how") {
  Graph desired = web();
  desired.put(cable("web", ""));
  const Plan plan = diff(web(), desired);
  REQUIRE(told(plan) == Lines{"~veth :web.eth0=web:eth0"});
  CHECK(plan.changes[0].differences == Differences{{"bridge of host:web.eth0", "x", "", false}});
}

TEST_CASE("a port outlives its bridge") {
  Graph desired = web();
  desired.erase("bridge :x");
  desired.put(bridge("y"));
  desired.put(cable("web", "y"));
  CHECK(told(diff(web(), desired)) == Lines{"-bridge :x", "+bridge :y", "~veth :web.eth0=web:eth0"});
}

TEST_CASE("routes that lean on an address that changes are made again") {
  const Plan plan = diff(web(), web("10.0.0.3/24"));
  CHECK(told(plan) == Lines{"-route web 0.0.0.0/0 table 254 metric 0", "-address web:eth0 10.0.0.2/24", "+address web:eth0 10.0.0.3/24",
                            "=route web 0.0.0.0/0 table 254 metric 0"});
  CHECK(plan.changes[3].before == plan.changes[3].after);
}

TEST_CASE("IPv6 routes do not go with an address") {
  const auto with_v6 = [](const char* address) {
    Graph graph = web();
    graph.put(Address{"web", "eth0", cidr(address)});
    Route v6 = route("web", "fd00::1");
    v6.destination = cidr("::/0");
    graph.put(v6);
    return graph;
  };
  CHECK(told(diff(with_v6("fd00::2/64"), with_v6("fd00::3/64"))) == Lines{"-address web:eth0 fd00::2/64", "+address web:eth0 fd00::3/64"});
}

TEST_CASE("the first address of a subnet is the one that packets leave with: those after it make room") {
  Graph behind = web();
  behind.put(Address{"web", "eth0", cidr("10.0.0.1/24"), true});
  CHECK(told(diff(web(), behind)) == Lines{"+address web:eth0 10.0.0.1/24"});
  CHECK(told(diff(behind, web())) == Lines{"-address web:eth0 10.0.0.1/24"});
  Graph ahead = web();
  ahead.put(Address{"web", "eth0", cidr("10.0.0.1/24")});
  ahead.put(Address{"web", "eth0", cidr("10.0.0.2/24"), true});
  const Lines remade{"-route web 0.0.0.0/0 table 254 metric 0", "-address web:eth0 10.0.0.2/24", "+address web:eth0 10.0.0.1/24",
                     "=address web:eth0 10.0.0.2/24", "=route web 0.0.0.0/0 table 254 metric 0"};
  CHECK(told(diff(web(), ahead)) == remade);
  CHECK(told(diff(behind, ahead)).size() == remade.size() + 1);
}

TEST_CASE("what stands on an interface is made again where another cable brings the interface") {
  Graph desired = web();
  desired.erase("veth :web.eth0=web:eth0");
  Veth other = cable("web", "");
  other.ends[0].name = "p0";
  desired.put(other);
  CHECK(told(diff(web(), desired)) == Lines{"i-route web 0.0.0.0/0 table 254 metric 0", "i-address web:eth0 10.0.0.2/24", "-veth :web.eth0=web:eth0",
                                            "+veth :p0=web:eth0", "=address web:eth0 10.0.0.2/24", "=route web 0.0.0.0/0 table 254 metric 0"});
}

TEST_CASE("settings of interfaces are written again after what resets them") {
  Graph live = web();
  live.put(Sysctl{"web", "net/ipv4/conf/eth0/forwarding", "0"});
  live.put(Sysctl{"web", "net/ipv4/tcp_syncookies", "0"});
  Graph desired = live;
  desired.put(Namespace{"web", true, {}});
  CHECK(told(diff(live, desired)) ==
        Lines{"-sysctl web:net/ipv4/conf/eth0/forwarding", "~namespace web", "=sysctl web:net/ipv4/conf/eth0/forwarding"});
}

TEST_CASE("drift is what the file did not ask for") {
  const Graph desired = web();
  Graph live = web();
  live.erase("address web:eth0 10.0.0.2/24");
  live.put(Address{"web", "eth0", cidr("10.0.0.9/24")});
  live.put(cable("web", ""));

  const Plan unknown = diff(live, desired);
  CHECK(std::none_of(unknown.changes.begin(), unknown.changes.end(), [](const Change& change) { return change.repair; }));

  // The route is as it shall be and is only made again for the address under it.
  for (const Change& change : diff(live, desired, &desired).changes) {
    const Resource& resource = change.after ? *change.after : *change.before;
    INFO(id_of(resource));
    CHECK(change.repair == !std::holds_alternative<Route>(resource));
  }

  const Graph earlier = web("10.0.0.9/24");
  for (const Change& change : diff(live, desired, &earlier).changes) {
    if (!std::holds_alternative<Address>(change.after ? *change.after : *change.before)) continue;
    CHECK(!change.repair);
  }
}
