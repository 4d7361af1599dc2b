// Addresses: given, following, next free; and what may not be twice where networks meet.
#include "wanted.hpp"

using namespace topo;
using namespace topo::test;

TEST_CASE("the next free address skips whatever the file gives anywhere") {
  const Desired d = wanted(R"(
bridges:
  lan: { subnet: 10.0.0.0/24 }
  wan: { subnet: 10.1.0.0/24, address: 10.1.0.7, nat: { snat: 10.0.0.2 } }
namespaces:
  a: { attach: lan }
  b: { attach: [lan, wan], devices: { lo: 10.0.0.3/32 } }
  c: { attach: { lan: 10.0.0.4 } }
  d: { replicas: 2, attach: { lan: 10.0.0.5 } }
  e: { attach: lan, routes: { 10.5.0.0/16: 10.0.0.7, 10.0.0.8/32: 10.0.0.7 } }
  f: { attach: lan, rules: [{ from: 10.0.0.9/32, table: 100 }] }
links: [{ between: ["a:x", "c:x"], addresses: [10.9.0.1/24, 10.9.0.2/24] }]
ports: { 10.0.0.10:80: c:80 }
)");
  CHECK(addresses(d, "", "lan") == "10.0.0.1/24");
  CHECK(addresses(d, "", "wan") == "10.1.0.7/24");
  CHECK(addresses(d, "a", "eth0") == "10.0.0.11/24");
  CHECK(addresses(d, "b", "eth0") == "10.0.0.12/24");
  CHECK(addresses(d, "b", "eth1") == "10.1.0.1/24");
  CHECK(addresses(d, "e", "eth0") == "10.0.0.13/24");
  CHECK(addresses(d, "f", "eth0") == "10.0.0.14/24");
}

TEST_CASE("an address of every subnet, unless one is given") {
  const Desired d = wanted(R"(
bridges:
  lan: { subnet: [10.0.0.0/24, "fd00::/64"] }
  sw: { subnet: 10.1.0.0/24, address: none }
  bare: {}
namespaces:
  both: { attach: lan }
  one: { attach: { lan: 10.0.0.9 } }
  none1: { attach: { lan: { address: none } } }
  s: { attach: sw }
  t: { attach: { bare: [10.2.0.1/24, "fd02::1/64"] } }
)");
  CHECK(addresses(d, "", "lan") == "10.0.0.1/24, fd00::1/64");
  CHECK(addresses(d, "both", "eth0") == "10.0.0.2/24, fd00::2/64");
  CHECK(addresses(d, "one", "eth0") == "10.0.0.9/24");
  CHECK(addresses(d, "none1", "eth0").empty());
  // A plain switch's first host is free: the gateway is not there.
  CHECK(addresses(d, "", "sw").empty());
  CHECK(addresses(d, "s", "eth0") == "10.1.0.1/24");
  CHECK(addresses(d, "t", "eth0") == "10.2.0.1/24, fd02::1/64");
  CHECK_FALSE(the<Bridge>(d, "bridge :sw").gateway_v4);
  CHECK(the<Bridge>(d, "bridge :lan").gateway_v6);
}

TEST_CASE("IPv6 comes with its link-local address, and only where it is wanted") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: "fd00::/64" }, old: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: [lan, old], devices: { lo: "fd09::1/128" } } }
)");
  const auto& veth = the<Veth>(d, "veth :a.eth0=a:eth0");
  CHECK(veth.ends[1].ipv6);
  CHECK_FALSE(veth.ends[0].ipv6);
  CHECK(d.graph.find("address a:eth0 " + veth.ends[1].mac.link_local().to_string()) != nullptr);
  CHECK(d.graph.find("address :lan " + the<Bridge>(d, "bridge :lan").mac.link_local().to_string()) != nullptr);
  CHECK_FALSE(the<Veth>(d, "veth :a.eth1=a:eth1").ends[1].ipv6);
  // bridge, its link-local, a on both, its link-local on one, lo, the other bridge
  CHECK(d.graph.all<Address>().size() == 7);
  // Members are known by the addresses that policies are about.
  CHECK(d.intent.members[0].addresses == std::vector{*IpAddress::parse("fd00::2")});
}

TEST_CASE("the smallest subnets have no network address and no broadcast") {
  const Desired d = wanted(R"(
bridges: { p: { subnet: 10.0.0.0/31 }, q: { subnet: 10.0.0.4/30 }, r: { subnet: "fd00::/127" } }
namespaces: { a: { attach: [p, q, r] }, b: {} }
links: [{ between: ["a:l", "b:l"], subnet: 10.0.1.0/31 }, { between: ["a:m", "b:m"], subnet: [10.0.2.0/24, "fd02::/64"] }]
)");
  CHECK(addresses(d, "", "p") == "10.0.0.0/31");
  CHECK(addresses(d, "a", "eth0") == "10.0.0.1/31");
  CHECK(addresses(d, "", "q") == "10.0.0.5/30");
  CHECK(addresses(d, "a", "eth1") == "10.0.0.6/30");
  CHECK(addresses(d, "", "r") == "fd00::/127");
  CHECK(addresses(d, "a", "eth2") == "fd00::1/127");
  CHECK(addresses(d, "a", "l") == "10.0.1.0/31");
  CHECK(addresses(d, "b", "l") == "10.0.1.1/31");
  CHECK(addresses(d, "a", "m") == "10.0.2.1/24, fd02::1/64");
  CHECK(addresses(d, "b", "m") == "10.0.2.2/24, fd02::2/64");
}

TEST_CASE("an address that does not fit its bridge") {
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: { lan: @10.0.1.5 } } }
)",
          "10.0.1.5 is outside the subnet of bridge \"lan\" | its subnet is 10.0.0.0/24");
  refuses_each(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: { lan: @10.0.0.0 } }, b: { attach: { lan: { address: [10.0.0.7, @10.0.0.255] } } } }
)",
               {"10.0.0.0 is the network address of 10.0.0.0/24", "10.0.0.255 is the broadcast address of 10.0.0.0/24"});
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: { lan: @10.0.0.5/25 } } }
)",
          "another prefix length than the subnet 10.0.0.0/24");
  refuses(R"(
bridges: { sw: { address: none } }
namespaces: { a: { attach: { sw: @10.0.0.5 } } }
)",
          "needs a prefix length: bridge \"sw\" has no IPv4 subnet");
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: {} }
links: [{ between: [a, lan], addresses: [@10.0.9.5/24, none] }]
)",
          "10.0.9.5 is outside the subnet");
}

TEST_CASE("the family that a bridge has no subnet for is the namespaces' own") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: { lan: [10.0.0.5, "fd00::5/64"] } } }
)");
  CHECK(addresses(d, "a", "eth0") == "10.0.0.5/24, fd00::5/64");
  CHECK(routes(d, "a") == Lines{"0.0.0.0/0 via 10.0.0.1 dev eth0"});
}

TEST_CASE("a subnet that is used up is said once") {
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/29 } }
namespaces:
  a: { replicas: 5, attach: lan }
  b: { attach: @lan }
  c: { attach: lan }
)",
          "the subnet 10.0.0.0/29 of bridge \"lan\" has no free address left");
}

TEST_CASE("replicas past the end of the subnet, or into another's address") {
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/29 } }
namespaces: { a: { replicas: 3, attach: { lan: @10.0.0.5 } } }
)",
          "replica 3 would be past the end of the subnet 10.0.0.0/29");
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces:
  a: { replicas: 3, attach: { lan: 10.0.0.5 } }
  b: { attach: { lan: @10.0.0.7 } }
)",
          "10.0.0.7 is used twice | by a3:eth0, line 5");
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { replicas: 2, attach: { lan: @10.0.0.254 } } }
)",
          "replica 2 would be past the end");
}

TEST_CASE("an address twice where networks meet") {
  SECTION("on one bridge") {
    refuses_each(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: { lan: 10.0.0.5 } }, b: { attach: { lan: @10.0.0.5 } }, c: { attach: { lan: @10.0.0.1 } } }
)",
                 {"10.0.0.5 is used twice | by a:eth0", "by the gateway's address on bridge \"lan\""});
  }
  SECTION("on bridges that a cable joins") {
    refuses(R"(
bridges: { one: { address: none }, two: { address: none } }
namespaces: { a: { attach: { one: 10.0.0.5/24 } }, b: { attach: { two: @10.0.0.5/24 } } }
links: [{ between: [one, two] }]
)",
            "10.0.0.5 is used twice");
  }
  SECTION("at both ends of a cable") {
    refuses(R"(
namespaces: { a: {}, b: {} }
links: [{ between: [a, b], addresses: [[10.0.0.5/24, 10.0.0.6/24], 10.0.0.7/24] }, { between: ["a:x", "b:x"], subnet: @10.0.0.0/24 }]
)",
            "overlaps");
  }
  SECTION("in one namespace") {
    refuses_each(R"(
bridges: { one: { address: none }, two: { address: none } }
namespaces: { a: { attach: { one: 10.0.0.5/24, two: @10.0.0.5/32 } }, b: { devices: { lo: 10.7.7.7/32 } } }
links: [{ between: [b, a], addresses: [@10.7.7.7/32, none] }]
)",
                 {"10.0.0.5 is used twice | by a:eth0", "10.7.7.7 is used twice | by an address of `lo`"});
  }
  SECTION("at the gateway") {
    refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: {} }
links: [{ between: [a, host], addresses: [10.9.0.2/24, @10.0.0.1/32] }]
)",
            "10.0.0.1 is used twice | by the gateway's address on bridge \"lan\"");
  }
}

TEST_CASE("two homes behind their own routers may be alike") {
  const Desired d = wanted(R"(
bridges:
  street: { subnet: 203.0.113.0/24, nat: masquerade }
  home1: { subnet: 10.0.0.0/24, address: none }
  home2: { subnet: 10.0.0.0/24, address: none }
namespaces:
  router1: { router: true, attach: { street: {}, home1: 10.0.0.1 }, nat: { eth0: masquerade } }
  router2: { router: true, attach: { street: {}, home2: 10.0.0.1 }, nat: { eth0: masquerade } }
  pc1: { attach: { home1: 10.0.0.5 }, gateway: 10.0.0.1 }
  pc2: { attach: { home2: 10.0.0.5 }, gateway: 10.0.0.1 }
)");
  CHECK(routes(d, "pc1") == Lines{"0.0.0.0/0 via 10.0.0.1 dev eth0"});
  CHECK(routes(d, "router1") == Lines{"0.0.0.0/0 via 203.0.113.1 dev eth0"});
  CHECK(the<Namespace>(d, "namespace router1").forwards);
  CHECK_FALSE(the<Namespace>(d, "namespace pc1").forwards);
  CHECK(d.graph.find("firewall router1") != nullptr);
  CHECK(d.graph.find("firewall pc1") == nullptr);
}

TEST_CASE("subnets that overlap where networks meet") {
  refuses_each(R"(
bridges: { wide: { subnet: 10.0.0.0/16 }, inside: { subnet: @10.0.7.0/24 }, six: { subnet: "fd00::/64" }, seven: { subnet: @"fd00::/48" } }
)",
               {"the subnet 10.0.7.0/24 overlaps 10.0.0.0/16 | by the gateway's address on bridge \"wide\", line 3", "overlaps fd00::/64"});
  refuses(R"(
bridges: { lan: { subnet: [10.0.0.0/24, 10.1.0.0/24] } }
namespaces: { a: {} }
links: [{ between: [a, host], addresses: [10.1.0.9/24, @10.1.0.8/24] }]
)",
          "the subnet 10.1.0.0/24 overlaps 10.1.0.0/24");
  refuses(R"(
bridges: { one: { address: none }, two: { address: none } }
namespaces: { a: { attach: { one: 10.0.0.5/16, two: @10.0.1.5/24 } } }
)",
          "the subnet 10.0.1.0/24 overlaps 10.0.0.0/16");
  refuses(R"(
bridges: { lan: { subnet: [10.0.0.0/24, @10.0.0.128/25] } }
)",
          "the subnet 10.0.0.128/25 overlaps 10.0.0.0/24 | by the gateway's address on bridge \"lan\"");
  // One interface may have several addresses of one subnet.
  wanted(R"(
namespaces: { a: {} }
links: [{ between: [a, host], addresses: [[10.0.0.1/24, 10.0.0.3/24], [10.0.0.2/24, 10.0.0.4/24]] }]
)");
  // Several cables to one bridge are in its subnet all of them, and a host's own prefix is no network.
  wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: [{ lan: 10.0.0.5 }, { lan: 10.0.0.6 }], devices: { lo: 10.0.0.9/32 } } }
)");
}

TEST_CASE("networks and addresses of lo against those of the interfaces") {
  refuses_each(R"(
bridges: { lan: { subnet: [10.0.0.0/24, "fd00::/64"] } }
namespaces:
  a: { attach: { lan: 10.0.0.5 }, devices: { lo: [@10.0.0.9/24, 10.7.0.1/24, 10.7.0.2/24] } }
  b: { attach: { lan: "fd00::5" }, devices: { lo: @"fd00::9/48" } }
  c: { attach: { lan: 10.0.0.6 }, devices: { lo: [@10.0.0.5/32, @10.0.0.1/32, 10.0.0.7/32] } }
)",
               {"the network 10.0.0.0/24 of lo overlaps 10.0.0.0/24 of eth0: all of it would be local | for the address alone: 10.0.0.9/32",
                "the network fd00::/48 of lo overlaps fd00::/64 of eth0", "10.0.0.5 is used twice | by a:eth0",
                "10.0.0.1 is used twice | by the gateway's address on bridge \"lan\""});
  refuses(R"(
namespaces: { a: {}, b: { devices: { lo: @10.0.0.0/32 } } }
links: [{ between: [a, b], subnet: 10.0.0.0/31 }]
)",
          "10.0.0.0 is used twice");
  // Neighbours may share an address of their `lo`, and networks that no cable joins may be alike.
  wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces:
  a: { attach: lan, devices: { lo: [10.9.9.9/32, 10.8.0.1/24] } }
  b: { attach: lan, devices: { lo: [10.9.9.9/32, 10.8.0.1/24] } }
  c: { devices: { lo: 10.0.0.2/24 } }
)");
}

TEST_CASE("what replicas derive on lo stays in its network") {
  refuses(R"(
namespaces: { a: { replicas: 3, devices: { lo: @10.3.0.253/24 } } }
)",
          "replica 3 would be past the end of the subnet 10.3.0.0/24");
  const Desired d = wanted(R"(
namespaces: { a: { replicas: 2, devices: { lo: [10.3.0.253/24, 10.4.0.255/32] } } }
)");
  CHECK(addresses(d, "a2", "lo") == "10.3.0.254/24, 10.4.1.0/32");
}

TEST_CASE("automatic addresses on bridges that a cable joins") {
  const Desired d = wanted(R"(
bridges:
  s1: { subnet: 10.0.0.0/24, address: none }
  s2: { subnet: 10.0.0.0/24, address: none }
  s3: { subnet: 10.0.0.0/25, address: none }
  s4: { subnet: 10.0.0.0/24, address: none }
namespaces: { a: { attach: s1 }, b: { attach: s2 }, c: { attach: s3 }, d: { attach: s1 }, e: { attach: s4 } }
links: [{ between: [s1, s2] }, { between: [s2, s3] }]
)");
  CHECK(addresses(d, "a", "eth0") == "10.0.0.1/24");
  CHECK(addresses(d, "b", "eth0") == "10.0.0.2/24");
  CHECK(addresses(d, "c", "eth0") == "10.0.0.3/25");
  CHECK(addresses(d, "d", "eth0") == "10.0.0.4/24");
  CHECK(addresses(d, "e", "eth0") == "10.0.0.1/24");
}

TEST_CASE("a MAC twice on one bridge") {
  refuses_each(R"(
bridges: { lan: { subnet: 10.0.0.0/24, mac: "02:00:00:00:00:01" }, wan: { subnet: 10.1.0.0/24 } }
namespaces:
  a: { attach: { lan: { mac: "02:00:00:00:00:02" }, wan: { mac: "02:00:00:00:00:02" } } }
  b: { attach: { lan: { mac: @"02:00:00:00:00:02" } } }
  c: { attach: { lan: { mac: @"02:00:00:00:00:01" } } }
)",
               {"02:00:00:00:00:02 is used twice on one network | by a:eth0", "by bridge \"lan\""});
}

TEST_CASE("more members than a bridge can have") {
  refuses(R"(
bridges: { @lan: { subnet: 10.0.0.0/16 } }
namespaces: { a: { replicas: 1024, attach: lan } }
)",
          "bridge \"lan\" would have 1024 members");
  wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/16 } }
namespaces: { a: { replicas: 1023, attach: lan } }
)");
}

TEST_CASE("an MTU too small for IPv6") {
  refuses(R"(
bridges: { lan: { subnet: [10.0.0.0/24, "fd00::/64"] } }
namespaces: { a: { attach: { lan: { mtu: @1279 } } }, b: { attach: { lan: { address: 10.0.0.9, mtu: 576 } } } }
)",
          "an MTU of 1279 is too small for IPv6");
}
