// One mistake, one message: what only follows from something refused is not told.
#include "wanted.hpp"

using namespace topo;
using namespace topo::test;

TEST_CASE("a subnet that is none") {
  CHECK(mistakes(R"(topology: t
bridges: { lan: { subnet: 10.0.0.0/33, address: 10.0.0.1, nat: masquerade }, two: { subnet: 10.2.0.0/24 } }
namespaces:
  a: { attach: { lan: 10.0.0.5 }, routes: { default: 10.0.0.1 }, rules: [{ table: 5 }] }
  b: { attach: lan, gateway: 10.0.0.1, nat: { eth0: { snat: 10.0.0.9 } } }
ports: { 80: b:80 }
policy: { allow: [lan -> two, a -> b, two -> a], deny: [two -> b] }
)") == Lines{"2:27: subnet takes a network as ADDRESS/PREFIX, not \"10.0.0.0/33\""});
}

TEST_CASE("a bridge that is none") {
  CHECK(mistakes(R"(topology: t
bridges: { lan: { subnet: 10.0.0.0/24, nat: masquerade } }
namespaces:
  a: { attach: lam, routes: { 10.5.0.0/16: 10.0.0.7 }, sysctl: { net.ipv4.conf.eth0.rp_filter: 0 }, nat: { eth0: masquerade } }
  b: { attach: lan, routes: { 10.6.0.0/16: a } }
ports: { 80: a:80 }
policy: { allow: [b -> a:80], deny: [b -> host] }
)") == Lines{"4:16: \"lam\" is not a bridge"});
}

TEST_CASE("a section that cannot be read, or has another name") {
  const std::string rest = R"(
namespaces: { a: { attach: lan, gateway: 10.0.0.1 }, c: { attach: { lan: 10.0.0.5 } } }
links: [{ between: [lan, c] }]
zones: { z: [lan, a] }
ports: { 80: a:80 }
policy: { allow: [a -> c, z -> host, lan -> c] }
)";
  CHECK(mistakes("topology: t\nbridges: [lan]" + rest) == Lines{"2:10: bridges takes a map, not a list"});
  CHECK(mistakes("topology: t\nnetworks: { lan: { subnet: 10.0.0.0/24 } }" + rest) == Lines{"2:1: unknown key \"networks\" in a topology file"});
  CHECK(mistakes("topology: t\nbridges: { lan: { subnet: 10.0.0.0/24 } }\nrun: now" + rest) == Lines{"3:1: unknown key \"run\" in a topology file"});
  // What is near to a name that is there is told all the same.
  CHECK(mistakes("topology: t\nnetworks: { lan: }\nbridges: { lam: }\nnamespaces: { a: { attach: lan } }\n") ==
        Lines{"2:1: unknown key \"networks\" in a topology file", "4:28: \"lan\" is not a bridge"});
}

TEST_CASE("parts of a link or a route that are refused") {
  CHECK(mistakes(R"(topology: t
namespaces: { a: { routes: { default: b } }, b: {} }
links: [{ between: [a, b], subnet: 10.0.0.0/24x }]
)") == Lines{"3:36: subnet takes a network as ADDRESS/PREFIX, not \"10.0.0.0/24x\""});
  CHECK(mistakes(R"(topology: t
namespaces: { a: { routes: { default: b } }, b: {} }
links: [{ between: [a, bx] }]
)") == Lines{"3:24: \"bx\" is not a namespace or a bridge"});
  CHECK(mistakes(R"(topology: t
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: lan, routes: { 10.5.0.0/16: { via: "fd00::1" }, 10.6.0.0/16: [10.0.0.1, 10.0.0.1] } } }
)") == Lines{"3:63: fd00::1 is of another family than the route", "3:100: \"10.0.0.1\" is listed twice"});
}

TEST_CASE("an address that is refused") {
  CHECK(mistakes(R"(topology: t
bridges: { lan: { subnet: 10.0.0.0/24 }, tiny: { subnet: 10.1.0.0/30 }, own: }
namespaces:
  a: { attach: { lan: 10.0.1.5 }, gateway: 10.0.0.1 }
  b: { attach: tiny }
  c: { attach: tiny, gateway: 10.1.0.1 }
  d: { routes: { default: 10.9.0.2 } }
  e: { attach: { own: 10.3.0.5 }, routes: { 10.5.0.0/16: 10.3.0.1, 10.6.0.0/16: a } }
links: [{ between: [d, e], addresses: [10.9.0.0/24, 10.9.0.1/24] }]
ports: { 80: a:80, 81: c:80 }
policy: { allow: [a -> tiny, c -> lan] }
)") == Lines{"4:23: 10.0.1.5 is outside the subnet of bridge \"lan\"", "6:16: the subnet 10.1.0.0/30 of bridge \"tiny\" has no free address left",
             "8:23: 10.3.0.5 needs a prefix length: bridge \"own\" has no IPv4 subnet", "9:40: 10.9.0.0/24 is the network's own address"});
}

TEST_CASE("a key that is misspelt is not missing as well") {
  CHECK(mistakes("topolgy: t\nbridges: {}\n") == Lines{"1:1: unknown key \"topolgy\" in a topology file"});
  CHECK(mistakes("topology: t\nnamespaces: { a: , b: }\nlinks: [{ betwen: [a, b] }, { endpoints: [a, b] }]\n") ==
        Lines{"3:11: unknown key \"betwen\" in a link", "3:31: unknown key \"endpoints\" in a link"});
  CHECK(mistakes("topology: t\nnamespaces: { a: { rules: [{ tabel: 5 }], routes: { default: { vai: 10.0.0.1 } } } }\n") ==
        Lines{"2:30: unknown key \"tabel\" in a rule", "2:64: unknown key \"vai\" in a route"});
  CHECK(mistakes("topology: t\nbridges: { lan: }\npolicy: { allow: [{ form: lan, to: host }] }\n") == Lines{"3:21: unknown key \"form\" in a flow"});
}

TEST_CASE("replicas that cannot be counted") {
  CHECK(mistakes(R"(topology: t
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { web: { replicas: many, attach: lan } }
ports: { 80: web1:80 }
policy: { allow: ["web[*] -> host", web2 -> host] }
)") == Lines{"3:32: replicas takes a number from 1 to 10000, not \"many\""});
}

TEST_CASE("two interfaces of one name") {
  CHECK(mistakes(R"(topology: t
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: [lan, lan: { name: eth0 }] } }
)") == Lines{"3:47: namespace \"a\" has two interfaces \"eth0\""});
}

TEST_CASE("an unknown variable and mistaken defaults") {
  CHECK(mistakes(R"(topology: t
bridges: { lan: { subnet: "${net}" } }
namespaces: { a: { attach: { lan: 10.0.0.5 }, gateway: 10.0.0.1 } }
)") == Lines{"2:27: unknown variable \"net\""});
  CHECK(mistakes(R"(topology: t
defaults: { namespace: { attach: [lam] } }
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { a: { gateway: 10.0.0.1 }, b: {} }
)") == Lines{"2:35: \"lam\" is not a bridge"});
}

TEST_CASE("only the token is underlined") {
  const auto lengths = [](const std::string& text) {
    std::vector<int> found;
    for (const auto& one : desired_by(text).diagnostics) found.push_back(one.length);
    return found;
  };
  // An address that nobody wrote, where the bridge's name stands; a network's text where an address of it stands.
  CHECK(lengths("bridges: { one: { subnet: 10.0.0.0/24, address: none }, two: { subnet: 10.0.0.0/24, address: none } }\n"
                "namespaces: { a: { attach: [one, two] } }\n") == std::vector{3});
  CHECK(lengths("bridges: { lan: { subnet: [\"fd00::/64\", \"fd00::/48\"], address: [\"fd00::1\"] } }\n") == std::vector{9});
  CHECK(lengths("bridges:\n  lan: { subnet: 10.0.0.0/24, nat: masquerade }\nnamespaces:\n  a:\n    attach:\n      lan: 10.0.1.5\n") ==
        std::vector{8});
  CHECK(lengths("bridges: { lan: { subnet: 10.0.0.0/24 }, dmz: { subnet: 10.1.0.0/24 } }\npolicy: { allow: [lan -> dmz], deny: [any -> any] }\n") ==
        std::vector{10});
}
