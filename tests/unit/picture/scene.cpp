// What a picture shows of a file, and of the kernel beside it.
#include "picture/scene.hpp"

#include "drawn.hpp"

using namespace topo;
using namespace topo::test;
using picture::Drift;
using Strings = std::vector<std::string>;

TEST_CASE("namespaces, bridges, the host and the internet, and cables between them") {
  const auto it = scene(R"(
bridges:
  front: { subnet: [10.1.0.0/24, "fd00:1::/64"], nat: masquerade }
  back:  { subnet: 10.2.0.0/24, isolated: true }
  lan:   { address: none }
namespaces:
  web: { attach: [{ front: 10.1.0.10 }, { back: { address: 10.2.0.10, name: side } }] }
  gw:  { router: true, attach: { lan: 192.168.1.1/24 }, devices: { lo: 10.9.9.9/32 }, nat: { eth0: masquerade } }
links: [{ between: ["web:x", "gw:y"], addresses: [10.8.0.1/30, 10.8.0.2/30] }]
)");
  CHECK(cables(it) == Strings{"internet - host", "host - front", "host - back", "front - web:eth0", "back - web:side", "lan - gw:eth0", "gw:y - web:x"});
  CHECK(node(it, "front").lines == Strings{"10.1.0.1/24", "fd00:1::1/64"});
  CHECK(node(it, "front").tags == Strings{"nat"});
  CHECK(node(it, "front").where == "lab.yaml:4");
  CHECK(node(it, "back").tags == Strings{"isolated"});
  CHECK(node(it, "lan").tags == Strings{"switch"});
  CHECK(node(it, "lan").lines.empty());
  // Without the prefix's length where the bridge tells it.
  CHECK(node(it, "web").lines == Strings{"x    10.8.0.1/30", "eth0 10.1.0.10", "side 10.2.0.10"});
  CHECK(node(it, "gw").lines == Strings{"lo   10.9.9.9/32", "y    10.8.0.2/30", "eth0 192.168.1.1/24"});
  CHECK(node(it, "gw").tags == Strings{"router", "nat eth0"});
}

TEST_CASE("no host where it has no part, and no internet where nothing leads there") {
  const auto alone = scene("namespaces: { a: {}, b: {} }\nlinks: [{ between: [a, b], addresses: [10.0.0.1/30, 10.0.0.2/30] }]\n");
  CHECK(alone.nodes.size() == 2U);
  const auto inside = scene("bridges: { lan: { subnet: 10.0.0.0/24 } }\nnamespaces: { a: { attach: lan } }\n");
  CHECK(cables(inside) == Strings{"host - lan", "lan - a:eth0"});
}

TEST_CASE("replicas that nothing tells apart are one") {
  const auto it = scene(R"(
bridges: { lan: { subnet: 10.0.0.0/24 }, wan: { subnet: 10.1.0.0/24 } }
namespaces:
  node: { replicas: 9, attach: { lan: 10.0.0.11 } }
  few:  { replicas: 3, attach: lan }
zones: { all: ["node[*]"] }
policy: { allow: ["node2 -> wan:80", "node[*] -> wan:90", all -> wan:22] }
ports: { 80: node4:80 }
)");
  Strings names;
  for (const auto& one : it.nodes) names.push_back(one.name);
  CHECK(names == Strings{"internet", "host", "lan", "wan", "node[*]", "node2", "node4", "few1", "few2", "few3"});
  CHECK(node(it, "node[*]").spaces == Strings{"node1", "node3", "node5", "node6", "node7", "node8", "node9"});
  CHECK(node(it, "node[*]").tags == Strings{"×7"});
  CHECK(node(it, "node[*]").lines == Strings{"eth0 10.0.0.11 … 10.0.0.19"});
  CHECK(flows(it) == Strings{"port host -> node4 [80]", "allow node2 -> wan [80]", "allow node[*], node2, node4 -> wan [90]", "allow zone all -> wan [22]"});
  CHECK(it.zones.front().nodes.size() == 3U);
  const Strings all = cables(it);
  CHECK(std::count(all.begin(), all.end(), "lan - node[*]:eth0") == 1);
}

TEST_CASE("replicas with links of their own are drawn one by one") {
  const auto it = scene("namespaces: { hub: { router: true }, leaf: { replicas: 5 } }\nlinks: [{ between: [hub, \"leaf[*]\"], subnet: 10.0.0.0/24 }]\n");
  CHECK(it.nodes.size() == 6U);
  CHECK(it.cables.size() == 5U);
}

TEST_CASE("every kind of rule") {
  const auto it = scene(R"(
bridges:
  front: { subnet: 10.1.0.0/24, nat: masquerade }
  cafe:  { subnet: 10.2.0.0/24, nat: { snat: 198.51.100.9 } }
  shut:  { subnet: 10.3.0.0/24, isolated: true }
namespaces: { web: { attach: front }, guest: { attach: cafe } }
zones: { office: [203.0.113.0/24], both: [front, guest] }
policy:
  default: allow
  reject: true
  allow: [office -> web:443, "web -> guest:53/udp", "shut -> shut:22", front -> internet, host -> web:icmp]
  deny: [guest <-> both, "any -> guest:8000-8010"]
ports: { "127.0.0.1:8080": web:80, "53/udp": web:53, 3000-3002: web:4000-4002 }
)");
  CHECK(flows(it) == Strings{"port host -> web [127.0.0.1:8080 → 80]", "port host -> web [53/udp]", "port host -> web [3000-3002 → 4000-4002]",
                             "allow office -> web [443]", "allow web -> guest [53/udp]", "allow front -> internet", "allow host -> web [icmp]",
                             "deny guest <-> zone both", "deny any -> guest [8000-8010]", "nat cafe -> internet"});
  CHECK(node(it, "shut").tags == Strings{"isolated", "allow within 22"});
  CHECK(node(it, "cafe").tags == Strings{"nat 198.51.100.9"});
  CHECK(node(it, "office").lines == Strings{"203.0.113.0/24"});
  CHECK(it.notes.size() == 2U);
  CHECK(it.flows[3].where == "lab.yaml:11");
  CHECK(it.flows[3].text == "allow office -> web:443");
}

TEST_CASE("what there is to know of a thing") {
  const auto it = scene(R"(
bridges: { lan: { subnet: 10.0.0.0/24, mtu: 1400 } }
namespaces:
  web: { attach: { lan: 10.0.0.10 }, routes: { 10.9.0.0/16: 10.0.0.1 }, sysctl: { net.ipv4.tcp_syncookies: 0 } }
)");
  Strings facts;
  for (const auto& fact : node(it, "web").facts) facts.push_back(fact.kind + ": " + fact.text + " @" + fact.where);
  CHECK(std::count(facts.begin(), facts.end(), "address: eth0 10.0.0.10/24 @lab.yaml:4") == 1);
  CHECK(std::count(facts.begin(), facts.end(), "route: 10.9.0.0/16 via 10.0.0.1 dev eth0 @lab.yaml:4") == 1);
  CHECK(std::any_of(facts.begin(), facts.end(), [](const std::string& text) { return text.starts_with("sysctl: net.ipv4.tcp_syncookies"); }));
  CHECK(std::any_of(facts.begin(), facts.end(), [](const std::string& text) { return text.starts_with("veth: eth0 on lan"); }));
}

TEST_CASE("drift: what is missing, changed or extra in the kernel") {
  const std::string head = "bridges: { lan: { subnet: 10.0.0.0/24 }, dmz: { subnet: 10.1.0.0/24 } }\n";
  const auto it = live_scene(head + R"(
namespaces: { a: { attach: { lan: 10.0.0.10 } }, b: { attach: { lan: 10.0.0.11 } }, c: { attach: dmz } }
policy: { allow: [lan -> dmz:80, "dmz -> lan:22"] }
ports: { 80: a:80 }
)",
                             head + R"(
namespaces: { a: { attach: { lan: 10.0.0.20 } }, c: { attach: dmz }, stray: { attach: dmz } }
policy: { allow: [lan -> dmz:80, lan -> dmz:443], deny: [a -> dmz] }
ports: { 81: a:81 }
)");
  CHECK(it.live);
  CHECK(node(it, "a").drift == Drift::changed);
  CHECK(node(it, "b").drift == Drift::missing);
  CHECK(node(it, "c").drift == Drift::none);
  CHECK(node(it, "stray").drift == Drift::extra);
  CHECK(node(it, "lan").drift == Drift::none);
  const Strings lines = cables(it);
  CHECK(std::count(lines.begin(), lines.end(), "lan - b:eth0 missing") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "dmz - stray:eth0 extra") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "lan - a:eth0") == 1);
  CHECK(flows(it) == Strings{"port host -> a [80] missing", "allow lan -> dmz [80]", "allow dmz -> lan [22] missing", "port host -> a [81] extra",
                             "allow lan -> dmz [443] extra", "deny a -> dmz extra"});
}

TEST_CASE("replicas that have drifted stand apart from the others") {
  const std::string head = "bridges: { lan: { subnet: 10.0.0.0/24 } }\nnamespaces: { node: { attach: lan, replicas: ";
  const auto it = live_scene(head + "9 } }\n", head + "5 } }\n");
  CHECK(it.nodes.size() == 4U);
  CHECK(it.nodes[2].spaces.size() == 5U);
  CHECK(it.nodes[3].spaces == Strings{"node6", "node7", "node8", "node9"});
  CHECK(it.nodes[3].drift == Drift::missing);
  const auto more = live_scene(head + "4 } }\n", head + "9 } }\n");
  CHECK(more.nodes[3].spaces == Strings{"node5", "node6", "node7", "node8", "node9"});
  CHECK(more.nodes[3].drift == Drift::extra);
}

TEST_CASE("what is as the file says does not drift") {
  const std::string text = "bridges: { lan: { subnet: 10.0.0.0/24, nat: masquerade } }\nnamespaces: { a: { attach: lan } }\nports: { 80: a:80 }\n"
                           "policy: { deny: [\"a -> internet:25,465\"] }\n";
  const auto it = live_scene(text, text);
  for (const auto& one : it.nodes) CHECK(one.drift == Drift::none);
  for (const auto& one : it.flows) CHECK(one.drift == Drift::none);
}
