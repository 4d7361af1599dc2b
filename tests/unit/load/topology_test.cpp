// What a file says is what the Topology holds, with its place.
#include <catch2/catch.hpp>

#include "topo/load.hpp"

using topo::Loaded;
using topo::Position;

namespace {

Loaded load_lab(const std::string& text, const topo::LoadOptions& options = {}) { return topo::load_text(text, "lab.yaml", options); }

topo::Topology good(const std::string& text, const topo::LoadOptions& options = {}) {
  auto loaded = load_lab(text, options);
  for (const auto& diagnostic : loaded.diagnostics) FAIL_CHECK(topo::render(diagnostic, loaded.topology.sources));
  return std::move(loaded.topology);
}

std::string only_mistake(const std::string& text, const topo::LoadOptions& options = {}) {
  const auto loaded = load_lab(text, options);
  REQUIRE(loaded.diagnostics.size() == 1);
  const auto& found = loaded.diagnostics.front();
  return topo::to_string(found.at, loaded.topology.sources) + ": " + found.message + (found.hint.empty() ? "" : " (" + found.hint + ")");
}

std::string address_text(const topo::InterfaceAddress& address) {
  return address.address.to_string() + (address.prefix ? "/" + std::to_string(*address.prefix) : "");
}

}  // namespace

TEST_CASE("a bridge's keys") {
  const auto topology = good(
      "topology: lab\n"
      "bridges:\n"
      "  lan: { subnet: [10.0.0.0/24, \"fd00::/64\"], address: [10.0.0.9, \"fd00::9\"], nat: { snat: 198.51.100.2 },\n"
      "         isolated: true, mtu: 1400, mac: 02:00:00:00:00:01, stp: true, ageing_time: 0 }\n"
      "  plain: { address: none }\n"
      "  empty:\n");
  REQUIRE(topology.bridges.size() == 3);
  const auto& lan = topology.bridges[0];
  CHECK(topology.name.value == "lab");
  CHECK(topology.name.at == Position{1, 11, 0});
  CHECK(lan.name == "lan");
  CHECK(lan.at == Position{3, 3, 0});
  REQUIRE(lan.subnets.size() == 2);
  CHECK(lan.subnets[0].value.to_string() == "10.0.0.0/24");
  CHECK(lan.subnets[1].value.to_string() == "fd00::/64");
  CHECK(lan.subnets[1].at == Position{3, 32, 0});
  REQUIRE(lan.addresses.size() == 2);
  CHECK(lan.addresses[1].value.to_string() == "fd00::9");
  CHECK(lan.nat.kind == topo::Nat::Kind::snat);
  CHECK(lan.nat.to.to_string() == "198.51.100.2");
  CHECK(lan.isolated);
  CHECK(lan.mtu->value == 1400);
  CHECK(lan.mac->value.to_string() == "02:00:00:00:00:01");
  CHECK(lan.stp);
  CHECK(lan.ageing_time_s->value == 0);
  CHECK_FALSE(lan.plain);
  CHECK(topology.bridges[1].plain);
  CHECK_FALSE(topology.bridges[2].mtu);
  CHECK(topology.bridges[2].nat.kind == topo::Nat::Kind::none);
}

TEST_CASE("attach in all its forms") {
  const auto topology = good(
      "topology: lab\nbridges: { lan: {}, dmz: {} }\nnamespaces:\n"
      "  a: { attach: lan }\n"
      "  b: { attach: [lan, dmz] }\n"
      "  c: { attach: { dmz: 10.0.0.1, lan: [10.0.0.2/24, \"fd00::2/64\"] } }\n"
      "  d: { attach: { lan: { address: 10.0.0.3, name: up, mac: 02:00:00:00:00:03, mtu: 1300 } } }\n"
      "  e: { attach: [{ lan: 10.0.0.4 }, { lan: none }, dmz] }\n"
      "  f: { attach: { lan } }\n");
  const auto& spaces = topology.namespaces;
  REQUIRE(spaces.size() == 6);
  REQUIRE(spaces[0].attach.size() == 1);
  CHECK(spaces[0].attach[0].bridge.value == "lan");
  CHECK(spaces[0].attach[0].bridge.at == Position{4, 16, 0});
  REQUIRE(spaces[1].attach.size() == 2);
  CHECK(spaces[1].attach[1].bridge.value == "dmz");
  REQUIRE(spaces[2].attach.size() == 2);
  CHECK(spaces[2].attach[0].bridge.value == "dmz");
  CHECK(address_text(spaces[2].attach[0].addresses.at(0).value) == "10.0.0.1");
  CHECK(address_text(spaces[2].attach[1].addresses.at(1).value) == "fd00::2/64");
  const auto& full = spaces[3].attach.at(0);
  CHECK(address_text(full.addresses.at(0).value) == "10.0.0.3");
  CHECK(full.name->value == "up");
  CHECK(full.mac->value.to_string() == "02:00:00:00:00:03");
  CHECK(full.mtu->value == 1300);
  REQUIRE(spaces[4].attach.size() == 3);
  CHECK_FALSE(spaces[4].attach[0].no_address);
  CHECK(spaces[4].attach[1].no_address);
  CHECK(spaces[4].attach[2].bridge.value == "dmz");
  CHECK(spaces[5].attach.at(0).addresses.empty());
}

TEST_CASE("gateways, routes and rules") {
  using Kind = topo::GatewaySpec::Kind;
  using Type = topo::RouteSpec::Type;
  const auto topology = good(
      "topology: lab\nnamespaces:\n"
      "  a: {}\n  b: { gateway: none }\n  c: { gateway: auto }\n"
      "  d:\n"
      "    gateway: [10.0.0.1, \"fd00::1\"]\n"
      "    routes:\n"
      "      default: 10.0.0.1\n"
      "      10.1.0.0/16: { via: a, dev: lo, metric: 0, src: 10.0.0.2, table: 4294967295, weight: 256 }\n"
      "      10.2.0.0/16: [10.0.0.3, { dev: eth1, weight: 2 }]\n"
      "      10.3.0.0/16: { type: prohibit }\n"
      "    rules: [{ from: 10.0.0.0/8, to: 10.1.0.0/16, iif: eth0, table: 7, priority: 9 }, { table: 8 }]\n");
  const auto& spaces = topology.namespaces;
  CHECK(spaces[0].gateway.kind == Kind::automatic);
  CHECK(spaces[1].gateway.kind == Kind::none);
  CHECK(spaces[2].gateway.kind == Kind::automatic);
  CHECK(spaces[3].gateway.kind == Kind::addresses);
  REQUIRE(spaces[3].gateway.addresses.size() == 2);
  const auto& routes = spaces[3].routes;
  REQUIRE(routes.size() == 5);
  CHECK_FALSE(routes[0].destination);
  CHECK(std::get<topo::IpAddress>(routes[0].via->value).to_string() == "10.0.0.1");
  CHECK(routes[1].destination->to_string() == "10.1.0.0/16");
  CHECK(std::get<std::string>(routes[1].via->value) == "a");
  CHECK(routes[1].via->at == Position{10, 27, 0});
  CHECK(routes[1].dev->value == "lo");
  CHECK(routes[1].metric == 0U);
  CHECK(routes[1].src->value.to_string() == "10.0.0.2");
  CHECK(routes[1].table == 4294967295U);
  CHECK(routes[1].weight == 256U);
  CHECK(routes[2].destination == routes[3].destination);
  CHECK_FALSE(routes[3].via);
  CHECK(routes[3].dev->value == "eth1");
  CHECK(routes[3].type == Type::unicast);
  CHECK(routes[4].type == Type::prohibit);
  const auto& rules = spaces[3].rules;
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].from->to_string() == "10.0.0.0/8");
  CHECK(rules[0].to->to_string() == "10.1.0.0/16");
  CHECK(rules[0].iif->value == "eth0");
  CHECK(rules[0].table == 7);
  CHECK(rules[0].priority == 9U);
  CHECK_FALSE(rules[1].priority);
}

TEST_CASE("a namespace's other keys") {
  const auto topology = good(
      "topology: lab\nnamespaces:\n"
      "  r:\n"
      "    router: true\n"
      "    replicas: 3\n"
      "    nat: { wan: masquerade, eth1: { snat: \"2001:db8::1\" } }\n"
      "    devices: { lo: [10.10.10.1/32, \"fd00::1/128\"] }\n"
      "    sysctl: { net.ipv4.ip_forward: 1, net/ipv4/conf/eth0.5/rp_filter: \"0\", net.ipv4.tcp_rmem: 4096 87380 6291456 }\n");
  const auto& r = topology.namespaces.at(0);
  CHECK(r.router);
  CHECK(r.replicas->value == 3);
  CHECK(r.replicas->at == Position{5, 15, 0});
  REQUIRE(r.nat.size() == 2);
  CHECK(r.nat[0].first.value == "wan");
  CHECK(r.nat[0].second.kind == topo::Nat::Kind::masquerade);
  CHECK(r.nat[1].second.to.to_string() == "2001:db8::1");
  REQUIRE(r.loopback_addresses.size() == 2);
  CHECK(address_text(r.loopback_addresses[0].value) == "10.10.10.1/32");
  REQUIRE(r.sysctls.size() == 3);
  CHECK(r.sysctls[0].first.value == "net/ipv4/ip_forward");
  CHECK(r.sysctls[0].second == "1");
  CHECK(r.sysctls[1].first.value == "net/ipv4/conf/eth0.5/rp_filter");
  CHECK(r.sysctls[2].second == "4096 87380 6291456");
}

TEST_CASE("links") {
  const auto topology = good(
      "topology: lab\nbridges: { lan: {} }\nnamespaces: { a: {}, b: {}, w: { replicas: 2 } }\nlinks:\n"
      "  - { between: [a:veth-a, host], addresses: [[10.0.1.1/24, \"fd00::1/64\"], 10.0.1.2/24], mtu: 9000,\n"
      "      macs: [02:00:00:00:00:01, 02:00:00:00:00:02] }\n"
      "  - { between: [\"w[*]\", b], subnet: [10.1.0.0/24, \"fd01::/64\"] }\n"
      "  - { between: [lan:x, w2], addresses: [none, 10.0.0.2/24] }\n"
      "  - { between: [a, b], addresses: none }\n");
  REQUIRE(topology.links.size() == 4);
  const auto& [a, host] = topology.links[0].ends;
  CHECK(a.node == "a");
  CHECK(a.interface->value == "veth-a");
  CHECK(a.interface->at == Position{5, 19, 0});
  CHECK(host.node == "host");
  CHECK_FALSE(host.interface);
  REQUIRE(a.addresses.size() == 2);
  CHECK(a.addresses[1].value.to_string() == "fd00::1/64");
  CHECK(host.addresses.at(0).value.to_string() == "10.0.1.2/24");
  CHECK(a.mac->value.to_string() == "02:00:00:00:00:01");
  CHECK(host.mac->value.to_string() == "02:00:00:00:00:02");
  CHECK(topology.links[0].mtu->value == 9000);
  CHECK(topology.links[1].ends[0].node == "w[*]");
  CHECK(topology.links[1].subnets.size() == 2);
  CHECK(topology.links[2].ends[0].addresses.empty());
  CHECK(topology.links[3].no_address);
}

TEST_CASE("ports") {
  const auto topology = good(
      "topology: lab\nnamespaces: { web: {}, dns: { replicas: 2 } }\nports:\n"
      "  80: web:8080\n"
      "  53/udp: dns1:53\n"
      "  127.0.0.1:8000-8010/tcp: web:9000-9010\n"
      "  \"[fd00::1]:8080/udp\": web:80\n");
  const auto& ports = topology.ports;
  REQUIRE(ports.size() == 4);
  CHECK(ports[0].text == "80/tcp -> web:8080");
  CHECK(ports[0].first == 80);
  CHECK(ports[0].last == 80);
  CHECK(ports[0].target == "web");
  CHECK(ports[0].target_first == 8080);
  CHECK(ports[0].at == Position{4, 3, 0});
  CHECK(ports[0].target_at == Position{4, 7, 0});
  CHECK_FALSE(ports[0].address);
  CHECK(ports[1].protocol == topo::Protocol::udp);
  CHECK(ports[2].text == "127.0.0.1:8000-8010/tcp -> web:9000-9010");
  CHECK(ports[2].address->to_string() == "127.0.0.1");
  CHECK(ports[2].last == 8010);
  CHECK(ports[2].target_last == 9010);
  CHECK(ports[3].text == "[fd00::1]:8080/udp -> web:80");
  CHECK(ports[3].address->family() == topo::Family::v6);
}

TEST_CASE("zones and policy") {
  using topo::PortRange;
  using topo::Protocol;
  const auto topology = good(
      "topology: lab\nbridges: { lan: {} }\nnamespaces: { a: {}, w: { replicas: 2 } }\n"
      "zones: { dmz: [lan, \"w[*]\", w1, a], office: [203.0.113.0/24] }\n"
      "policy:\n  default: allow\n  reject: true\n"
      "  allow:\n"
      "    - a   <->  dmz:3306\n"
      "    - \"office -> a:8000-8010/udp\"\n"
      "  deny:\n"
      "    - any -> host:icmp\n"
      "    - { from: \"w[*]\", to: internet, ports: [53/udp, 53, icmp] }\n"
      "    - a -> lan\n");
  const auto& zone = topology.zones.at(0);
  REQUIRE(zone.members.size() == 4);
  CHECK(std::get<std::string>(zone.members[1].value) == "w[*]");
  CHECK(std::get<topo::Cidr>(topology.zones[1].members.at(0).value).to_string() == "203.0.113.0/24");
  const auto& policy = topology.policy;
  CHECK(policy.default_allow);
  CHECK(policy.reject);
  REQUIRE(policy.allow.size() == 2);
  CHECK(policy.allow[0].text == "a <-> dmz:3306");
  CHECK(policy.allow[0].both_ways);
  CHECK(policy.allow[0].from.at == Position{9, 7, 0});
  CHECK(policy.allow[0].to.at == Position{9, 16, 0});
  CHECK(policy.allow[0].to.value == "dmz");
  CHECK(policy.allow[0].ports == std::vector<PortRange>{{Protocol::tcp, 3306, 3306}});
  CHECK(policy.allow[1].from.at == Position{10, 8, 0});
  CHECK(policy.allow[1].ports == std::vector<PortRange>{{Protocol::udp, 8000, 8010}});
  REQUIRE(policy.deny.size() == 3);
  CHECK(policy.deny[0].ports == std::vector<PortRange>{{Protocol::icmp, 0, 65535}});
  CHECK(policy.deny[1].text == "w[*] -> internet:53/udp,53,icmp");
  CHECK(policy.deny[1].ports.size() == 3);
  CHECK(policy.deny[2].ports.empty());
  CHECK_FALSE(policy.deny[2].both_ways);
}

TEST_CASE("defaults stand where nothing explicit does") {
  const auto topology = good(
      "topology: lab\n"
      "defaults:\n"
      "  bridge: { mtu: 1400, nat: masquerade, address: none }\n"
      "  attach: { mtu: 1300, address: none, name: up }\n"
      "  namespace: { router: true, sysctl: { net.ipv4.ip_forward: 1 } }\n"
      "  link: { mtu: 9000, addresses: none }\n"
      "bridges:\n  a: {}\n  b: { mtu: 1500, address: 10.0.0.1, subnet: 10.0.0.0/24 }\n  c: { subnet: 10.1.0.0/24, nat: masquerade }\n"
      "namespaces:\n"
      "  one: { attach: { a: , b: 10.0.0.2, c: { mtu: 1200, name: lan } } }\n"
      "  two: { router: false, sysctl: {} }\n"
      "links: [{ between: [one, two], subnet: 10.9.0.0/31 }, { between: [one, two], mtu: 1280 }]\n");
  CHECK(topology.bridges[0].mtu->value == 1400);
  CHECK(topology.bridges[0].plain);
  CHECK(topology.bridges[0].nat.kind == topo::Nat::Kind::none);
  CHECK(topology.bridges[1].mtu->value == 1500);
  CHECK_FALSE(topology.bridges[1].plain);
  CHECK(topology.bridges[1].nat.kind == topo::Nat::Kind::masquerade);
  CHECK_FALSE(topology.bridges[2].plain);
  const auto& attach = topology.namespaces[0].attach;
  CHECK(attach[0].no_address);
  CHECK(attach[0].mtu->value == 1300);
  CHECK_FALSE(attach[1].no_address);
  CHECK(attach[1].name->value == "up");
  CHECK(attach[2].no_address);
  CHECK(attach[2].mtu->value == 1200);
  CHECK(attach[2].name->value == "lan");
  CHECK(topology.namespaces[0].router);
  CHECK_FALSE(topology.namespaces[1].router);
  CHECK(topology.namespaces[0].sysctls.size() == 1);
  CHECK(topology.namespaces[1].sysctls.empty());
  CHECK_FALSE(topology.links[0].no_address);
  CHECK(topology.links[0].mtu->value == 9000);
  CHECK(topology.links[1].no_address);
  CHECK(topology.links[1].mtu->value == 1280);
}

TEST_CASE("variables and --set") {
  const std::string file = "topology: ${name}\nvars: { name: lab, m: 1400 }\nbridges: { lan: { mtu: \"${m}\" } }\n";
  CHECK(good(file).name.value == "lab");
  CHECK(good(file).bridges[0].mtu->value == 1400);
  topo::LoadOptions options;
  options.set = {{"m", "9000"}};
  CHECK(good(file, options).bridges[0].mtu->value == 9000);
  options.set = {{"m", "big"}};
  CHECK(only_mistake(file, options) == "lab.yaml:3:24: mtu takes a number from 68 to 65535, not \"big\" (${m} is big, by --set)");
  options.set = {{"nam", "x"}};
  CHECK(only_mistake(file, options) == "lab.yaml: --set \"nam\": the file has no such variable (did you mean \"name\"?)");
  options.set = {{"m", "${name}"}};
  CHECK(only_mistake(file, options) == "lab.yaml:3:24: mtu takes a number from 68 to 65535, not \"${name}\" (${m} is ${name}, by --set)");
}

TEST_CASE("the name alone") {
  topo::LoadOptions options;
  options.name_only = true;
  const auto name = [&](const std::string& text) { return topo::load_text(text, "lab.yaml", options); };
  CHECK(name("topology: lab\nbridges: { lan: { mtu: 5 } }\nzzz: 1\n").topology.name.value == "lab");
  CHECK(name("topology: lab\nbridges: { lan: { mtu: 5 }\n").diagnostics.empty());
  CHECK(name("topology: lab\nbridges: { lan: { mtu: 5 }\n").topology.name.value == "lab");
  CHECK(name("include: [gone.yaml]\ntopology: lab\n").topology.name.value == "lab");
  CHECK(name("topology: ${n}\nvars: { n: lab }\n").topology.name.value == "lab");
  CHECK(name("bridges: {}\n").unreadable);
  CHECK(name("bridges: {}\n").diagnostics.at(0).message == "the file has no \"topology\"");
  CHECK(name("topology: Lab\n").diagnostics.at(0).at == Position{1, 11, 0});
  CHECK(name("bridges: {\n").diagnostics.size() == 1);
}

TEST_CASE("mistakes leave what was understood") {
  const auto loaded = load_lab("topology: lab\nbridges: { lan: { subnet: 10.0.0.0/24, mtu: 5 } }\nnamespaces: { web: { attach: lan, foo: 1 } }\n");
  CHECK(loaded.diagnostics.size() == 2);
  CHECK_FALSE(loaded.unreadable);
  REQUIRE(loaded.topology.bridges.size() == 1);
  CHECK(loaded.topology.bridges[0].subnets.size() == 1);
  CHECK(loaded.topology.namespaces.at(0).attach.size() == 1);
  CHECK(load_lab("topology: [\n").unreadable);
}

TEST_CASE("a file that cannot be read") {
  const auto missing = topo::load("/nonexistent/lab.yaml");
  CHECK(missing.unreadable);
  REQUIRE(missing.diagnostics.size() == 1);
  CHECK(topo::render(missing.diagnostics[0], missing.topology.sources) == "/nonexistent/lab.yaml: No such file or directory");
  CHECK(topo::load("/").diagnostics.at(0).message == "is a directory");
}

TEST_CASE("size is bounded, of the text and of what it makes") {
  topo::LoadOptions options;
  options.max_bytes = 100;
  const std::string padding(200, '#');
  CHECK(only_mistake("topology: lab\n" + padding, options) == "lab.yaml: longer than 100 bytes (--max-size allows more)");
  CHECK(topo::load("/dev/zero", options).diagnostics.at(0).message == "longer than 100 bytes");
  const std::size_t mega = std::size_t{1} << 20;
  const auto hostile = [](const std::string& part, std::size_t size) {
    std::string text = "topology: lab\n";
    while (text.size() + part.size() <= size) text += part;
    return text;
  };
  for (const auto& part :
       {"[", "{", "{a: ", "[a,", "- [a]\n", "? ", "&a ", "!a ", "*a ", "a: b: ", "- ", "-\n", "- a\n", "[? ", "\"a\" ", "{\n", "[\n", "'", "|\n"}) {
    INFO(part);
    CHECK_FALSE(load_lab(hostile(part, mega - 1)).diagnostics.empty());
  }
}
