// What a plan says of reachability, as few lines as are true.
#include "pictured.hpp"

using namespace topo;
using namespace topo::test;

namespace {

std::string shop(const std::string& rest, const std::string& more = {}) {
  return "bridges:\n"
         "  front: { subnet: 10.1.0.0/24, nat: masquerade }\n"
         "  back: { subnet: 10.2.0.0/24 }\n"
         "  data: { subnet: 10.3.0.0/24 }\n"
         "namespaces:\n"
         "  web: { attach: { front: 10.1.0.10 } }\n"
         "  shop: { attach: { front: 10.1.0.11 } }\n"
         "  api: { attach: { back: 10.2.0.10 } }\n"
         "  db: { attach: { data: 10.3.0.10 } }\n" +
         more + rest;
}

}  // namespace

TEST_CASE("what comes to be is told by the widest names that are true") {
  CHECK(first(shop("policy: { allow: [front <-> back] }\n")) ==
        Lines{"+ front <-> front all", "+ front <-> back all", "+ front -> internet all", "+ host <-> any all"});
  CHECK(first("namespaces: { a: {}, b: {} }\nlinks: [{ between: [a, b], addresses: [10.0.0.1/24, 10.0.0.2/24] }]\n") == Lines{"+ any <-> any all"});
  CHECK(first("bridges: { lan: { subnet: 10.1.0.0/16 } }\nnamespaces: { node: { replicas: 300, attach: lan } }\n"
              "policy: { deny: [node7 -> node8] }\n") ==
        Lines{"+ lan <-> host all", "+ node7 -> lan without node8 all", "+ lan without node7 -> lan all"});
}

TEST_CASE("nothing is told of what stays as it is") {
  CHECK(changes(shop(""), shop("")).empty());
  CHECK(changes(shop("policy: { allow: [front -> back] }\n"), shop("policy: { allow: [web -> api, shop -> back] }\n")).empty());
  CHECK(changes(shop(""), shop("", "  more: { attach: [] }\n")).empty());
}

TEST_CASE("newly allowed, newly denied, and who is still left out") {
  const std::string before = shop("policy: { allow: [front -> back] }\n"), after = shop("policy: { allow: [front -> back:80, back -> data] }\n");
  CHECK(changes(before, after) == Lines{"+ back -> data all", "- front -> back all but 80/tcp", "= front -> data all"});
  CHECK(changes(after, before) == Lines{"+ front -> back all but 80/tcp", "- back -> data all", "= data -> back all"});
}

TEST_CASE("a rule about some ports and one protocol") {
  CHECK(changes(shop(""), shop("policy: { allow: [{ from: web, to: db, ports: [80, 8000-8010/udp, icmp] }] }\n")) ==
        Lines{"+ web -> db 80/tcp, 8000-8010/udp, icmp"});
  CHECK(changes(shop(""), shop("policy: { deny: [web -> shop:22] }\n")) == Lines{"- web -> shop 22/tcp"});
}

TEST_CASE("what goes with a namespace is not told; what comes with one is") {
  const std::string more = "  extra: { attach: { front: 10.1.0.12 } }\n";
  CHECK(changes(shop("", more), shop("")).empty());
  CHECK(changes(shop(""), shop("", more)) == Lines{"+ web, shop, host -> extra all", "+ extra -> web, shop, host, internet all"});
  const auto there = pictured(shop(""));
  CHECK(changes(there.get(), nullptr).empty());
}

TEST_CASE("published ports that come, go and move") {
  CHECK(changes(shop(""), shop("ports: { 80: web:80 }\n")) == Lines{"+ internet -> web 80/tcp by port 80"});
  CHECK(changes(shop("ports: { 80: web:80 }\n"), shop("")) == Lines{"- internet -> web 80/tcp by port 80"});
  CHECK(changes(shop("ports: { 80: web:80 }\n"), shop("ports: { 8080: web:80 }\n")) == Lines{"~ internet -> web 80/tcp by port 80 -> 8080"});
  CHECK(changes(shop("ports: { 80: web:80 }\n"), shop("ports: { 80: shop:8080 }\n")) ==
        Lines{"~ internet -> shop 8080/tcp by port 80, which led to web:80/tcp"});
  CHECK(changes(shop("ports: { 53/udp: db:53 }\n"), shop("ports: { 53/udp: db:53 }\npolicy: { deny: [\"internet -> db:53/udp\"] }\n")) ==
        Lines{"- internet -> db 53/udp by port 53/udp"});
  CHECK(changes(shop(""), shop("ports: { \"127.0.0.1:9000\": web:80 }\n")) == Lines{"+ host -> web 80/tcp by port 127.0.0.1:9000"});
}

TEST_CASE("one family alone") {
  const std::string dual = "bridges: { a: { subnet: [10.1.0.0/24, \"fd00:1::/64\"] }, b: { subnet: [10.2.0.0/24, \"fd00:2::/64\"] } }\n";
  const std::string ends = "namespaces: { p: { attach: a }, q: { attach: b } }\npolicy: { allow: [a -> b] }\n";
  const std::string narrow = "bridges: { a: { subnet: [10.1.0.0/24, \"fd00:1::/64\"] }, b: { subnet: 10.2.0.0/24 } }\n";
  CHECK(changes(dual + ends, narrow + ends) == Lines{"- a -> b all IPv6", "- b <-> host all IPv6"});
  CHECK(changes(narrow + ends, dual + ends) == Lines{"+ a -> b all IPv6", "+ b <-> host all IPv6"});
}

TEST_CASE("a way that is gone is no denial") {
  const std::string link = "links: [{ between: [a, b], addresses: [10.0.0.1/24, 10.0.0.2/24] }]\n";
  const std::string far = "  b: { router: true, devices: { lo: 10.9.0.1/32 } }\n";
  const auto with = pictured("namespaces:\n  a: { routes: { default: b } }\n" + far + link),
             without = pictured("namespaces:\n  a: {}\n" + far + link);
  CHECK(changes(without.get(), with.get()).empty());  // b can be reached by its other address
  const auto no_router = pictured(
      "bridges: { l: { subnet: 10.1.0.0/24 }, r: { subnet: 10.2.0.0/24 } }\nnamespaces:\n  p: { attach: l }\n"
      "  q: { attach: r, gateway: none }\npolicy: { default: allow }\n");
  const auto router = pictured(
      "bridges: { l: { subnet: 10.1.0.0/24 }, r: { subnet: 10.2.0.0/24 } }\nnamespaces:\n  p: { attach: l }\n"
      "  q: { attach: r }\npolicy: { default: allow }\n");
  const auto lost = reach::compare(&router->names(), &no_router->names());
  CHECK(lost.breaks);
  CHECK_FALSE(lost.cuts);
  REQUIRE(lost.changes.size() == 1);
  CHECK(lost.changes.front().why == "the answer is lost: q has no route to 10.1.0.2");
}

TEST_CASE("what decides is told, with its line") {
  const auto before = pictured(shop("")), after = pictured(shop("policy:\n  allow:\n    - web -> db:80\n  deny:\n    - api -> host\n"));
  const auto told = reach::compare(&before->names(), &after->names());
  REQUIRE(told.changes.size() == 2);
  CHECK(told.changes[0].why == "allow web -> db:80");
  CHECK(told.changes[0].at.line == 13);
  CHECK(told.changes[1].why == "deny api -> host");
  CHECK(told.changes[1].at.line == 15);
  CHECK(told.cuts);
  CHECK_FALSE(told.breaks);
}
