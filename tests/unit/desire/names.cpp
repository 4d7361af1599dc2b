// Names of interfaces, replicas and what they may be called.
#include "topo/names.hpp"

#include "wanted.hpp"

using namespace topo;
using namespace topo::test;

TEST_CASE("interfaces are counted attachments first, then links, and named ones do not count") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24 }, wan: { subnet: 10.1.0.0/24 } }
links:
  - { between: [r, x], addresses: [10.9.0.1/24, 10.9.0.2/24] }
  - { between: ["r:up", x], addresses: [10.8.0.1/24, 10.8.0.2/24] }
  - { between: [x, r], addresses: [10.7.0.1/24, 10.7.0.2/24] }
namespaces:
  r: { attach: { lan: { name: inside, address: 10.0.0.9 }, wan: 10.1.0.9 } }
  x: {}
)");
  CHECK(addresses(d, "r", "inside") == "10.0.0.9/24");
  CHECK(addresses(d, "r", "eth0") == "10.1.0.9/24");
  CHECK(addresses(d, "r", "eth1") == "10.9.0.1/24");
  CHECK(addresses(d, "r", "up") == "10.8.0.1/24");
  CHECK(addresses(d, "r", "eth2") == "10.7.0.2/24");
  CHECK(addresses(d, "x", "eth2") == "10.7.0.1/24");
}

TEST_CASE("replicas are as many namespaces") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces:
  web: { replicas: 3, attach: { lan: 10.0.0.10 }, devices: { lo: 10.9.9.1/32 } }
)");
  CHECK(keys<Namespace>(d) == Lines{"web1", "web2", "web3"});
  CHECK(addresses(d, "web1", "eth0") == "10.0.0.10/24");
  CHECK(addresses(d, "web3", "eth0") == "10.0.0.12/24");
  CHECK(addresses(d, "web3", "lo") == "10.9.9.3/32");
  CHECK(the<Veth>(d, "veth :web2.eth0=web2:eth0").ends[1].mac == Mac::derived_from("t\nweb2\neth0"));
  CHECK(d.intent.statements == Lines{"replicas web 3"});
}

TEST_CASE("[*] in a link is every combination, its subnet carved into pairs") {
  const Desired d = wanted(R"(
namespaces: { leaf: { replicas: 2 }, spine: { replicas: 2 } }
links:
  - { between: ["leaf[*]", "spine[*]"], subnet: [10.0.0.0/29, "fd00::/125"] }
)");
  CHECK(d.graph.all<Veth>().size() == 4);
  CHECK(addresses(d, "leaf1", "eth0") == "10.0.0.0/31, fd00::/127");
  CHECK(addresses(d, "spine1", "eth0") == "10.0.0.1/31, fd00::1/127");
  CHECK(addresses(d, "leaf1", "eth1") == "10.0.0.2/31, fd00::2/127");
  CHECK(addresses(d, "spine2", "eth0") == "10.0.0.3/31, fd00::3/127");
  CHECK(addresses(d, "leaf2", "eth1") == "10.0.0.6/31, fd00::6/127");
  CHECK(addresses(d, "spine2", "eth1") == "10.0.0.7/31, fd00::7/127");
  refuses(R"(
namespaces: { leaf: { replicas: 3 }, spine: {} }
links: [{ between: ["leaf[*]", spine], subnet: @10.0.0.0/30 }]
)",
          "10.0.0.0/30 holds too few /31");
  refuses_each(R"(
namespaces: { leaf: { replicas: 2 }, spine: {} }
links: [{ between: ["leaf[*]", spine], addresses: [@10.0.0.1/24, @10.0.0.2/24] }]
)",
               {"cables of all replicas", "cables of all replicas"});
}

TEST_CASE("a cable from all replicas to a bridge is an attachment in other words") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24, mtu: 1400 } }
namespaces: { web: { replicas: 2 } }
links: [{ between: ["web[*]:up", lan], addresses: [10.0.0.10/24, none] }]
policy: { deny: ["web[*] -> web[*]"] }
)");
  const auto& veth = the<Veth>(d, "veth :web2.up=web2:up");
  CHECK(veth.ends[0].bridge == "lan");
  CHECK(veth.ends[0].mtu == 1400);
  CHECK(veth.ends[1].mtu == 1400);
  CHECK(addresses(d, "web2", "up") == "10.0.0.11/24");
  CHECK(d.intent.members.size() == 2);
  CHECK(d.intent.deny[0].from.members.size() == 2);
  // Only an attachment gives a default route.
  CHECK(d.graph.all<Route>().empty());
}

TEST_CASE("ends in the gateway that the file does not name") {
  const Desired d = wanted(R"(
bridges: { front: { subnet: 10.0.0.0/24 }, back: { address: none, mtu: 1400 } }
namespaces: { web: {} }
links:
  - { between: [front, back] }
  - { between: [front, "back:second"] }
  - { between: [front, back] }
  - { between: [web, host], addresses: [10.5.0.2/24, [10.5.0.1/24, "fd00::1/64"]] }
  - { between: ["web:up", "host:to-web"], subnet: 10.6.0.0/30 }
)");
  CHECK(d.graph.all<Veth>().size() == 5);
  const auto& trunk = the<Veth>(d, "veth :" + host_end_name("back", "front") + "=:" + host_end_name("front", "back"));
  CHECK(trunk.ends[0].bridge == "back");
  CHECK(trunk.ends[1].bridge == "front");
  CHECK(trunk.ends[0].mtu == 1400);
  CHECK(d.graph.find("veth :" + host_end_name("front", "back-2") + "=:second") != nullptr);
  CHECK(d.graph.find("veth :" + host_end_name("back", "front-2") + "=:" + host_end_name("front", "back-3")) != nullptr);
  const auto& end = the<Veth>(d, "veth :web.eth0=web:eth0").ends[0];
  CHECK(end.bridge.empty());
  CHECK(end.gateway_v4);
  CHECK(end.ipv6);
  CHECK(addresses(d, "", "web.eth0") == "10.5.0.1/24, fd00::1/64");
  CHECK(addresses(d, "", "to-web") == "10.6.0.2/30");
  CHECK(addresses(d, "web", "up") == "10.6.0.1/30");
  // The host's ends are networks of their own, and cables between bridges are known at both ends.
  REQUIRE(d.intent.segments.size() == 4);
  CHECK(d.intent.segments[2].interface == "to-web");
  CHECK_FALSE(d.intent.segments[2].bridge);
  CHECK(d.intent.segments[2].gateway == std::vector{*Cidr::parse("10.6.0.2/30")});
  CHECK(d.intent.segments[0].interface == "back");
  REQUIRE(d.intent.segments[0].cables.size() == 3);
  CHECK(d.intent.segments[0].cables[2].port == "second");
  CHECK(d.intent.segments[0].cables[2].to == 1);
  CHECK(d.intent.segments[1].cables.size() == 3);
  CHECK(d.intent.members.size() == 2);
}

TEST_CASE("interfaces with one name") {
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 }, wan: { subnet: 10.1.0.0/24 } }
namespaces: { web: { attach: { lan: { name: eth0 }, @wan: {} } } }
)",
          "namespace \"web\" has two interfaces \"eth0\"");
  refuses(R"(
bridges: { web.eth0: { subnet: 10.0.0.0/24 } }
namespaces: { web: { attach: [@web.eth0] } }
)",
          "is to be \"web.eth0\", as a bridge is");
  refuses(R"(
namespaces: { a: {}, b: {} }
links:
  - { between: [a, "host:up"], subnet: 10.0.0.0/31 }
  - { between: [b, "host:@up"], subnet: 10.0.0.2/31 }
)",
          "another cable's end");
}

TEST_CASE("a fixed MAC is one interface's") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24, mac: "02:00:00:00:00:01" } }
namespaces: { web: { attach: { lan: { mac: "02:00:00:00:00:02", mtu: 1300 } } } }
)");
  CHECK(the<Bridge>(d, "bridge :lan").mac == Mac::parse("02:00:00:00:00:01"));
  CHECK(the<Veth>(d, "veth :web.eth0=web:eth0").ends[1].mac == Mac::parse("02:00:00:00:00:02"));
  CHECK(the<Veth>(d, "veth :web.eth0=web:eth0").ends[0].mtu == 1300);
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { web: { replicas: 2, attach: { lan: { mac: @"02:00:00:00:00:02" } } } }
)",
          "a fixed MAC cannot be given to replicas");
}
