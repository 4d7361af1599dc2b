// Default routes, routes and rules.
#include "wanted.hpp"

using namespace topo;
using namespace topo::test;

TEST_CASE("the default route goes by the first bridge with a way out, each family by its own") {
  const Desired d = wanted(R"(
bridges:
  plain: { address: none, subnet: 10.1.0.0/24 }
  inner: { subnet: [10.2.0.0/24, "fd02::/64"] }
  four: { subnet: [10.3.0.0/24, "fd03::/64"], nat: { snat: 198.51.100.2 } }
  both: { subnet: [10.4.0.0/24, "fd04::/64"], nat: masquerade }
namespaces:
  a: { attach: [plain, inner, four, both] }
  b: { attach: [plain, inner] }
  c: { attach: plain }
  d: { attach: [inner, both], gateway: none }
  e: { attach: [both, inner], gateway: [10.2.0.1, "fd02::1"] }
  f: { attach: [both, inner], gateway: 10.2.0.1 }
)");
  CHECK(routes(d, "a") == Lines{"0.0.0.0/0 via 10.3.0.1 dev eth2", "::/0 via fd04::1 dev eth3"});
  CHECK(the<Route>(d, "route a ::/0 table 254 metric 1024").metric == 1024);
  CHECK(routes(d, "b") == Lines{"0.0.0.0/0 via 10.2.0.1 dev eth1", "::/0 via fd02::1 dev eth1"});
  CHECK(routes(d, "c").empty());
  CHECK(routes(d, "d").empty());
  CHECK(routes(d, "e") == Lines{"0.0.0.0/0 via 10.2.0.1 dev eth1", "::/0 via fd02::1 dev eth1"});
  CHECK(routes(d, "f") == Lines{"0.0.0.0/0 via 10.2.0.1 dev eth1"});
}

TEST_CASE("an allow to the internet is a way out") {
  const auto by = [](const std::string& rule) {
    const Desired d = wanted(R"(
bridges: { one: { subnet: 10.1.0.0/24 }, two: { subnet: 10.2.0.0/24 } }
namespaces: { a: { attach: [one, two] }, b: { attach: { two: 10.2.0.77 } } }
zones: { z: [two], m: [b], office: [203.0.113.0/24] }
policy: { allow: [")" + rule +
                             "\"] }\n");
    return routes(d, "a").at(0);
  };
  const std::string first = "0.0.0.0/0 via 10.1.0.1 dev eth0";
  const std::string second = "0.0.0.0/0 via 10.2.0.1 dev eth1";
  CHECK(by("one -> two") == first);
  CHECK(by("two -> internet") == second);
  CHECK(by("internet <-> z:80") == second);
  CHECK(by("internet -> two") == first);
  CHECK(by("b -> internet") == first);
  CHECK(by("m -> internet") == first);
  CHECK(by("two -> any") == second);
  CHECK(by("any -> internet") == first);
  CHECK(by("two -> office") == first);
}

TEST_CASE("a rule that names a namespace, or everything, opens a way out by its first bridge") {
  const auto by = [](const std::string& policy) {
    const Desired d = wanted(R"(
bridges: { one: { subnet: 10.1.0.0/24 }, two: { subnet: 10.2.0.0/24, nat: masquerade } }
namespaces: { a: { attach: [one, two] }, b: { attach: one } }
zones: { z: [a] }
)" + policy);
    return routes(d, "a").at(0);
  };
  const std::string first = "0.0.0.0/0 via 10.1.0.1 dev eth0";
  const std::string second = "0.0.0.0/0 via 10.2.0.1 dev eth1";
  CHECK(by("") == second);
  CHECK(by("policy: { allow: [b -> internet] }\n") == second);
  CHECK(by("policy: { allow: [a -> internet] }\n") == first);
  CHECK(by("policy: { allow: [z -> internet:443] }\n") == first);
  CHECK(by("policy: { allow: [one -> internet] }\n") == first);
  CHECK(by("policy: { allow: [any -> internet] }\n") == first);
  CHECK(by("policy: { deny: [any -> internet] }\n") == second);
}

TEST_CASE("of two cables to one bridge the default route's answers strangers") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: [{ lan: 10.0.0.5 }, { lan: 10.0.0.6 }] }, b: { attach: lan, gateway: none, routes: { 198.51.100.0/24: 10.0.0.1 } }, c: { attach: lan, gateway: none } }
)");
  REQUIRE(d.intent.members.size() == 4);
  CHECK(d.intent.members[0].answers_by_gateway);
  CHECK_FALSE(d.intent.members[1].answers_by_gateway);
  CHECK(d.intent.members[2].answers_by_gateway);
  CHECK_FALSE(d.intent.members[3].answers_by_gateway);
}

TEST_CASE("what a namespace answers past the gateway is near it") {
  const Desired d = wanted(R"(
bridges: { front: { subnet: [10.1.0.0/24, "fd00:1::/64"] }, back: { subnet: 10.2.0.0/24 } }
namespaces:
  t:
    attach: { front: [10.1.0.5, "fd00:1::5"], back: 10.2.0.5 }
    routes: { 10.3.0.0/24: 10.1.0.1, 10.4.0.0/24: 10.1.0.9, 10.5.0.0/24: 10.2.0.1, 10.6.0.0/24: { type: blackhole } }
  far: {}
links: [{ between: [t, far], addresses: [[10.8.0.1/24, "fd00:8::1/64"], 10.8.0.2/24] }]
)");
  const auto near = [&](const std::string& interface) {
    std::string text;
    for (const auto& member : d.intent.members) {
      if (member.ns != "t" || member.interface != interface) continue;
      for (const Cidr& one : member.near) text += one.to_string() + " ";
    }
    return text;
  };
  CHECK(near("eth0") == "10.2.0.0/24 10.4.0.0/24 10.5.0.0/24 10.8.0.0/24 fd00:8::/64 ");
  CHECK(near("eth1") == "10.1.0.0/24 10.3.0.0/24 10.4.0.0/24 10.8.0.0/24 fd00:1::/64 fd00:8::/64 ");
}

TEST_CASE("an automatic default only where the gateway is reached") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: [10.0.0.0/24, 10.9.0.0/24, "fd00::/64"], nat: masquerade } }
namespaces: { a: { attach: { lan: 10.9.0.5 } }, b: { attach: { lan: { address: none } } } }
)");
  CHECK(routes(d, "a") == Lines{"0.0.0.0/0 via 10.9.0.1 dev eth0"});
  CHECK(routes(d, "b").empty());
}

TEST_CASE("a default in routes replaces the automatic one, family by family") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: [10.0.0.0/24, "fd00::/64"] } }
namespaces:
  a: { attach: lan, routes: { default: 10.0.0.9 } }
  b: { attach: lan, routes: { default: { via: "fd00::9", metric: 5 } } }
  c: { attach: lan, routes: { default: { type: unreachable } } }
  d: { attach: lan, routes: { default: { via: 10.0.0.9, table: 100 } } }
  e: { attach: lan, routes: { 0.0.0.0/0: { dev: eth0 } } }
  r: { attach: { lan: [10.0.0.9, "fd00::9"] }, router: true }
)");
  CHECK(routes(d, "a") == Lines{"0.0.0.0/0 via 10.0.0.9 dev eth0", "::/0 via fd00::1 dev eth0"});
  CHECK(routes(d, "b") == Lines{"0.0.0.0/0 via 10.0.0.1 dev eth0", "::/0 via fd00::9 dev eth0"});
  CHECK(the<Route>(d, "route b ::/0 table 254 metric 5").metric == 5);
  CHECK(routes(d, "c") == Lines{"0.0.0.0/0 unreachable", "::/0 unreachable"});
  CHECK(routes(d, "d") == Lines{"0.0.0.0/0 via 10.0.0.9 dev eth0", "0.0.0.0/0 via 10.0.0.1 dev eth0", "::/0 via fd00::1 dev eth0"});
  CHECK(the<Route>(d, "route d 0.0.0.0/0 table 100 metric 0").next_hops[0].via == IpAddress::parse("10.0.0.9"));
  CHECK(routes(d, "e") == Lines{"0.0.0.0/0 dev eth0", "::/0 via fd00::1 dev eth0"});
  // Replies to strangers come back by the gateway only where every family's default leads there.
  for (const auto& member : d.intent.members) {
    INFO(member.ns);
    CHECK(member.answers_by_gateway == (member.ns == "r" || member.ns == "d"));
  }
}

TEST_CASE("a next hop by name is the neighbour's address, in both families where both are there") {
  const Desired d = wanted(R"(
bridges: { lan: { address: none, subnet: [10.0.0.0/24, "fd00::/64"] } }
namespaces:
  pc: { attach: { lan: [10.0.0.5, "fd00::5"] }, routes: { default: r1, 10.8.0.0/16: { via: r1, dev: eth1 } } }
  r1: { attach: { lan: [10.0.0.1, "fd00::1"] }, routes: { default: r2 } }
  r2: {}
links:
  - { between: [pc, r1], addresses: [10.7.0.2/24, 10.7.0.1/24] }
  - { between: [r1, r2], addresses: [[10.6.0.1/24, "fd06::1/64"], 10.6.0.2/24] }
)");
  CHECK(routes(d, "pc") == Lines{"0.0.0.0/0 via 10.0.0.1 dev eth0", "10.8.0.0/16 via 10.7.0.1 dev eth1", "::/0 via fd00::1 dev eth0"});
  CHECK(routes(d, "r1") == Lines{"0.0.0.0/0 via 10.6.0.2 dev eth2"});
}

TEST_CASE("equal metrics are one route of several ways") {
  const Desired d = wanted(R"(
namespaces:
  leaf: { routes: { 10.9.0.0/16: [{ via: s2, src: 10.1.1.1 }, { via: s1, weight: 3, src: 10.1.1.1 }, { via: s1, metric: 7, weight: 9 }] }, devices: { lo: 10.1.1.1/32 } }
  s1: {}
  s2: {}
links:
  - { between: [leaf, s1], subnet: 10.0.0.0/31 }
  - { between: [leaf, s2], subnet: 10.0.0.2/31 }
)");
  const auto& route = the<Route>(d, "route leaf 10.9.0.0/16 table 254 metric 0");
  REQUIRE(route.next_hops.size() == 2);
  CHECK(route.next_hops[0] == NextHop{*IpAddress::parse("10.0.0.1"), "eth0", 3});
  CHECK(route.next_hops[1] == NextHop{*IpAddress::parse("10.0.0.3"), "eth1", 1});
  CHECK(route.source == IpAddress::parse("10.1.1.1"));
  CHECK(the<Route>(d, "route leaf 10.9.0.0/16 table 254 metric 7").next_hops[0].weight == 1);
}

TEST_CASE("a next hop behind a route on link is reached") {
  const Desired d = wanted(R"(
namespaces: { a: { routes: { 10.5.5.5/32: { dev: eth0 }, default: 10.5.5.5 } }, b: {} }
links: [{ between: [a, b], addresses: [10.0.0.1/32, 10.5.5.5/32] }]
)");
  CHECK(routes(d, "a") == Lines{"0.0.0.0/0 via 10.5.5.5 dev eth0", "10.5.5.5/32 dev eth0"});
}

TEST_CASE("a link-local next hop needs to know where") {
  const std::string two = R"(
namespaces: { a: { routes: { "fd09::/64": ROUTE } }, b: {}, c: {} }
links:
  - { between: [a, b], addresses: ["fd01::1/64", "fd01::2/64"] }
  - { between: [a, c], addresses: ["fd02::1/64", "fd02::2/64"] }
)";
  const auto with = [&](const std::string& route) { return std::string(two).replace(two.find("ROUTE"), 5, route); };
  refuses(with(R"(@"fe80::1")"), "the next hop fe80::1 may be on any interface");
  const std::string own = Mac::derived_from("t\na\neth0").link_local().address().to_string();
  refuses(with("{ via: @\"" + own + "\", dev: eth0 }"), "is \"a\" itself");
  wanted(with("{ via: \"" + own + "\", dev: eth1 }"));
  CHECK(routes(wanted(with(R"({ via: "fe80::1", dev: eth1 })")), "a") == Lines{"fd09::/64 via fe80::1 dev eth1"});
}

TEST_CASE("next hops that lead nowhere") {
  const std::string base = R"(
bridges: { lan: { subnet: 10.0.0.0/24 }, dark: { address: none } }
namespaces:
  a: { attach: { lan: 10.0.0.5, dark: {} }, ROUTE }
  b: { attach: { lan: 10.0.0.6, dark: "fd00::6/64" } }
  c: {}
)";
  const auto with = [&](const std::string& route) { return std::string(base).replace(base.find("ROUTE"), 5, route); };
  refuses(with("gateway: @10.0.9.1"), "the next hop 10.0.9.1 is reached by no interface of \"a\"");
  refuses(with("gateway: @\"fd00::1\""), "the next hop fd00::1 is reached by no interface of \"a\"");
  refuses(with("routes: { 10.9.0.0/16: @10.0.9.1 }"), "the next hop 10.0.9.1 is reached by no interface");
  refuses(with("routes: { 10.9.0.0/16: { via: @10.0.0.6, dev: eth1 } }"), "is reached by no network of eth1");
  refuses(with("routes: { 10.9.0.0/16: @10.0.0.5 }"), "10.0.0.5 is \"a\" itself");
  refuses(with("routes: { 10.9.0.0/16: @a }"), "\"a\" is the namespace itself");
  refuses(with("routes: { 10.9.0.0/16: @c }"), "\"a\" shares no link and no bridge with the next hop \"c\"");
  refuses(with("routes: { \"fd09::/64\": @b }"), "have no network in common");
  refuses(with("routes: { 10.9.0.0/16: { via: @b, dev: eth1 } }"), "have no network in common by \"eth1\"");
  refuses(with("routes: { 10.9.0.0/16: { dev: @eth7 } }"), "namespace \"a\" has no interface \"eth7\" | it has eth0, eth1");
  refuses(with("routes: { 10.9.0.0/16: { via: b, src: @10.0.0.6 } }"),
          "the source 10.0.0.6 is no address of \"a\" | give it to the namespace, as in devices: { lo: 10.0.0.6/32 }");
  refuses(with("routes: { @10.0.0.0/24: { dev: eth0 } }"), "10.0.0.0/24 is the network of eth0 already");
  refuses(with("routes: { 10.9.0.0/16: [b, @10.0.0.6] }"), "two equal next hops");
  refuses(with("routes: { 10.9.0.0/16: [b, @{ type: blackhole }] }"), "one leads nowhere");
  refuses(with("routes: { @default: { dev: eth1 } }"), "no family of addresses for this route on \"eth1\"");
  wanted(with("routes: { 10.9.0.0/16: [b, { type: blackhole, metric: 9 }], 10.0.0.0/24: { dev: eth0, metric: 9 } }"));
}

TEST_CASE("next hops and routes that the kernel would refuse") {
  const std::string base = R"(
bridges: { lan: { subnet: [10.0.0.0/24, "fd00::/64"] }, two: { subnet: ["fd01::/64"] } }
namespaces:
  a: { attach: { lan: [10.0.0.5, "fd00::5", "fd00::6"], two: "fd01::5" }, devices: { lo: [10.9.9.9/32, "fd07::1/64"] }, ROUTE }
)";
  const auto with = [&](const std::string& route) { return std::string(base).replace(base.find("ROUTE"), 5, route); };
  refuses(with("gateway: @10.0.0.255"), "the next hop 10.0.0.255 is the broadcast address of 10.0.0.0/24 | a next hop is a neighbour's address");
  refuses(with("routes: { 10.9.0.0/16: @10.0.0.0 }"), "the next hop 10.0.0.0 is the network address of 10.0.0.0/24");
  refuses(with("routes: { 10.0.0.255/32: { dev: eth0, metric: 1 }, 10.9.0.0/16: @10.0.0.255 }"), "is the broadcast address");
  refuses(with(R"(routes: { "fd09::/64": @"fd00::6" })"), "the next hop fd00::6 is \"a\" itself");
  refuses(with(R"(routes: { "fd09::/64": { via: @"fd01::5", dev: eth0 } })"), "the next hop fd01::5 is \"a\" itself");
  refuses(with("routes: { 10.9.9.9/32: { dev: eth0 }, 10.9.0.0/16: @10.9.9.9 }"), "the next hop 10.9.9.9 is \"a\" itself");
  refuses(with(R"(routes: { "fd09::/64": [{ dev: eth0 }, @{ dev: eth1 }] })"), "needs the address of each next hop | say `via`, or give one another");
  refuses(with(R"(routes: { "fd09::/64": [{ via: "fd01::1" }, @{ dev: eth0 }] })"), "needs the address of each next hop");
  wanted(with(R"(routes: { "fd09::/64": [{ dev: eth0 }, { dev: eth1, metric: 5 }] })"));
  refuses(with(R"(routes: { @"fd00::/64": { dev: eth0, metric: 256 } })"),
          "fd00::/64 is the network of eth0 already | give the route another `metric`");
  refuses(with(R"(routes: { @"fd07::/64": { dev: eth0, metric: 256 } })"), "fd07::/64 is the network of lo already");
  wanted(with(R"(routes: { "fd00::/64": [{ dev: eth0 }, { dev: eth0, metric: 256, table: 9 }] })"));
}

TEST_CASE("a route on link reaches the next hops of its own table") {
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: lan, routes: { 192.168.9.9/32: { dev: eth0, table: 99 }, default: @192.168.9.9 } } }
)",
          "the next hop 192.168.9.9 is reached by no interface of \"a\"");
  const Desired d = wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces:
  a:
    attach: lan
    gateway: none
    routes: { 192.168.9.9/32: { dev: eth0, table: 99 }, default: { via: 192.168.9.9, table: 99 }, 10.9.0.0/16: { via: 10.0.0.1, table: 99 } }
)");
  CHECK(routes(d, "a") == Lines{"0.0.0.0/0 via 192.168.9.9 dev eth0", "10.9.0.0/16 via 10.0.0.1 dev eth0", "192.168.9.9/32 dev eth0"});
}

TEST_CASE("a rule for all addresses of a family has no selector") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: [10.0.0.0/24, "fd00::/64"] } }
namespaces: { a: { attach: lan, rules: [{ from: 0.0.0.0/0, table: 5 }, { to: "::/0", table: 6 }, { from: 0.0.0.0/0, to: 10.1.0.0/16, table: 7 }] } }
)");
  CHECK(keys<RoutingRule>(d) == Lines{"a v4 10000 all table 5", "a v4 10002 to 10.1.0.0/16 table 7", "a v6 10001 all (IPv6) table 6"});
  refuses_each(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces:
  a: { attach: lan, rules: [{ from: 0.0.0.0/0, table: 5, priority: 7 }, @{ to: 0.0.0.0/0, table: 5, priority: 7 }, { from: 0.0.0.0/0, table: 6, priority: 7 }] }
  b: { rules: [{ from: 0.0.0.0/0, table: 5 }, @{ table: 5 }] }
)",
               {"this rule is written twice", "no family of addresses for this rule: \"b\" has no address | give the rule a `from` or `to`"});
}

TEST_CASE("routing rules come in the order written") {
  const Desired d = wanted(R"(
bridges: { lan: { subnet: [10.0.0.0/24, "fd00::/64"] } }
namespaces:
  a:
    attach: lan
    rules: [{ from: 10.0.0.0/24, table: 100 }, { iif: eth0, table: 101 }, { to: "fd09::/64", priority: 5, table: 102 }, { to: 10.3.0.0/16, priority: 10002, table: 103 },
            { iif: lo, table: 104 }]
  b: { attach: { lan: 10.0.0.9 }, rules: [{ iif: eth0, table: 7 }] }
)");
  std::vector<std::string> lines;
  for (const auto* rule : d.graph.all<RoutingRule>()) {
    lines.push_back(rule->ns + " " + std::to_string(rule->priority) + " v" + std::to_string(static_cast<int>(rule->family)) + " " +
                    std::to_string(rule->table));
  }
  std::sort(lines.begin(), lines.end());
  CHECK(lines == Lines{"a 10000 v4 100", "a 10001 v4 101", "a 10001 v6 101", "a 10002 v4 103", "a 10003 v4 104", "a 10003 v6 104", "a 5 v6 102",
                       "b 10000 v4 7"});
  refuses_each(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: lan, rules: [{ iif: @eth3, table: 100 }, { table: 5, priority: 6 }, @{ table: 5, priority: 6 }] } }
)",
               {"has no interface \"eth3\"", "this rule is written twice"});
}
