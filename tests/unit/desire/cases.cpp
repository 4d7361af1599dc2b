// The tutorial's own networks, whole.
#include "topo/names.hpp"
#include "wanted.hpp"

using namespace topo;
using namespace topo::test;

TEST_CASE("a cable between two namespaces") {
  const Desired d = wanted(R"(
namespaces: { frontend: {}, backend: {} }
links:
  - between: [frontend:veth-front, backend:veth-back]
    addresses: [10.0.1.10/24, 10.0.1.20/24]
)");
  CHECK(keys<Namespace>(d) == Lines{"backend", "frontend"});
  CHECK(keys<Veth>(d) == Lines{"backend:veth-back=frontend:veth-front"});
  const auto& veth = the<Veth>(d, "veth backend:veth-back=frontend:veth-front");
  CHECK(veth.ends[0].ns == "backend");
  CHECK(veth.ends[0].mac == Mac::derived_from("t\nbackend\nveth-back"));
  CHECK(veth.ends[1].mac == Mac::derived_from("t\nfrontend\nveth-front"));
  CHECK(veth.ends[0].mtu == 1500);
  CHECK_FALSE(veth.ends[0].ipv6);
  CHECK(addresses(d, "frontend", "veth-front") == "10.0.1.10/24");
  CHECK(addresses(d, "backend", "veth-back") == "10.0.1.20/24");
  CHECK(d.graph.all<Firewall>().empty());
  CHECK(d.graph.all<Route>().empty());
  CHECK(d.graph.size() == 5);
}

TEST_CASE("apps on a bridge with port maps") {
  const Desired d = wanted(R"(
bridges:
  cloud-bridge: { subnet: 172.20.0.0/24, nat: masquerade }
namespaces:
  app1: { attach: { cloud-bridge: 172.20.0.11 } }
  app2: { attach: { cloud-bridge: 172.20.0.12 } }
ports: { 8081: app1:80 }
)");
  const auto& bridge = the<Bridge>(d, "bridge :cloud-bridge");
  CHECK(bridge.mac == Mac::derived_from("t\n\ncloud-bridge"));
  CHECK(bridge.gateway_v4);
  CHECK_FALSE(bridge.gateway_v6);
  CHECK(bridge.route_localnet);
  CHECK_FALSE(bridge.stp);
  CHECK(bridge.ageing_time_s == 300);
  CHECK(addresses(d, "", "cloud-bridge") == "172.20.0.1/24");
  const auto& mapped = the<Veth>(d, "veth :app1.eth0=app1:eth0");
  CHECK(mapped.ends[0].name == host_end_name("app1", "eth0"));
  CHECK(mapped.ends[0].bridge == "cloud-bridge");
  CHECK(mapped.ends[0].hairpin);
  CHECK_FALSE(mapped.ends[1].hairpin);
  CHECK(mapped.ends[1].bridge.empty());
  CHECK_FALSE(the<Veth>(d, "veth :app2.eth0=app2:eth0").ends[0].hairpin);
  CHECK(routes(d, "app1") == Lines{"0.0.0.0/0 via 172.20.0.1 dev eth0"});
  CHECK(the<Route>(d, "route app1 0.0.0.0/0 table 254 metric 0").table == 254);

  REQUIRE(d.intent.segments.size() == 1);
  CHECK(d.intent.segments[0].interface == "cloud-bridge");
  CHECK(d.intent.segments[0].nat.kind == Nat::Kind::masquerade);
  REQUIRE(d.intent.members.size() == 2);
  CHECK(d.intent.members[0].ns == "app1");
  CHECK(d.intent.members[0].port == "app1.eth0");
  CHECK(d.intent.members[0].answers_by_gateway);
  REQUIRE(d.intent.ports.size() == 1);
  CHECK(d.intent.ports[0].member == 0);
  CHECK(d.intent.ports[0].targets == std::vector{*IpAddress::parse("172.20.0.11")});
  CHECK(d.intent.statements == Lines{"nat cloud-bridge masquerade", "port 8081/tcp -> app1:80"});
  CHECK(the<Firewall>(d, "firewall ").ns.empty());
}

TEST_CASE("three tiers") {
  const std::string text = R"(
bridges:
  frontend-bridge: { subnet: 192.168.10.0/24, nat: masquerade }
  backend-bridge:  { subnet: 192.168.20.0/24 }
  database-bridge: { subnet: 192.168.30.0/24 }
namespaces:
  web-server: { attach: { frontend-bridge: 192.168.10.10 } }
  api-server: { attach: { backend-bridge: 192.168.20.10 } }
  db-server:  { attach: { database-bridge: 192.168.30.10 } }
zones:
  frontend: [frontend-bridge]
  backend:  [backend-bridge]
  data:     [database-bridge]
ports:
  80: web-server:80
policy:
  allow:
    - frontend <-> backend
    - backend -> data:3306
)";
  const Desired d = wanted(text);
  REQUIRE(d.intent.segments.size() == 3);
  CHECK(d.intent.segments[0].interface == "backend-bridge");
  CHECK(d.intent.segments[1].interface == "database-bridge");
  CHECK(d.intent.segments[2].interface == "frontend-bridge");
  REQUIRE(d.intent.allow.size() == 3);
  CHECK(d.intent.allow[0].text == "backend -> data:3306");
  CHECK(d.intent.allow[0].ports == std::vector{PortRange{Protocol::tcp, 3306, 3306}});
  CHECK(d.intent.allow[1].text == "backend -> frontend");
  CHECK(d.intent.allow[2].text == "frontend -> backend");
  CHECK(d.intent.allow[2].from.segments == std::vector<std::size_t>{2});
  CHECK(d.intent.allow[2].to.segments == std::vector<std::size_t>{0});
  CHECK(d.intent.statements == Lines{"allow backend -> data:3306", "allow frontend <-> backend", "nat frontend-bridge masquerade",
                                     "port 80/tcp -> web-server:80", "zone backend backend-bridge", "zone data database-bridge",
                                     "zone frontend frontend-bridge"});
  CHECK(routes(d, "db-server") == Lines{"0.0.0.0/0 via 192.168.30.1 dev eth0"});

  SECTION("the same twice") {
    const Desired again = wanted(text);
    REQUIRE(again.graph.size() == d.graph.size());
    for (const auto& [id, node] : d.graph.nodes()) {
      REQUIRE(again.graph.find(id) != nullptr);
      CHECK(again.graph.find(id)->resource == node.resource);
      CHECK(again.graph.find(id)->origin == node.origin);
    }
  }
}

TEST_CASE("the order of rules, zones, ports and bridges is of no account") {
  const Desired a = wanted(R"(
bridges: { front: { subnet: 10.1.0.0/24, nat: masquerade }, back: { subnet: 10.2.0.0/24 } }
namespaces: { web: { attach: { front: 10.1.0.5 } }, db: { attach: { back: 10.2.0.5 } } }
zones: { z: [front, db], w: [web] }
ports: { 80: web:80, 81: web:81 }
policy: { allow: [front -> back:80, w -> internet, front <-> db:22], deny: [db -> web, back -> w:1] }
)");
  const Desired b = wanted(R"(
policy: { deny: [back -> w:1, db -> web], allow: [front <-> db:22, w -> internet, front -> back:80] }
ports: { 81: web:81, 80: web:80 }
zones: { w: [web], z: [db, front] }
namespaces: { db: { attach: { back: 10.2.0.5 } }, web: { attach: { front: 10.1.0.5 } } }
bridges: { back: { subnet: 10.2.0.0/24 }, front: { subnet: 10.1.0.0/24, nat: masquerade } }
)");
  REQUIRE(a.graph.size() == b.graph.size());
  for (const auto& [id, node] : a.graph.nodes()) {
    INFO(id);
    REQUIRE(b.graph.find(id) != nullptr);
    CHECK(b.graph.find(id)->resource == node.resource);
  }
  CHECK(a.intent.statements == b.intent.statements);
  REQUIRE(a.intent.allow.size() == b.intent.allow.size());
  for (std::size_t i = 0; i < a.intent.allow.size(); ++i) {
    CHECK(a.intent.allow[i].text == b.intent.allow[i].text);
    CHECK(a.intent.allow[i].from.members == b.intent.allow[i].from.members);
    CHECK(a.intent.allow[i].to.segments == b.intent.allow[i].to.segments);
  }
}
