// What becomes of flows, and what decides: one case a rule of docs/language.md, and one a way to get lost.
#include "pictured.hpp"

using namespace topo;
using namespace topo::test;

namespace {

const std::string two_bridges =
    "bridges:\n"
    "  front: { subnet: [10.1.0.0/24, \"fd00:1::/64\"], nat: masquerade }\n"
    "  back: { subnet: 10.2.0.0/24 }\n"
    "namespaces:\n"
    "  web: { attach: front }\n"
    "  shop: { attach: front }\n"
    "  db: { attach: back }\n";

}  // namespace

TEST_CASE("what holds by default") {
  const auto all = pictured(two_bridges);
  CHECK(verdict(*all, "web", "db", "80") == "denied (no allow names it, and between bridges the default is deny)");
  CHECK(verdict(*all, "web", "shop", "80") == "allowed (within front nothing forbids it)");
  CHECK(verdict(*all, "web", "host", "22") == "allowed (between members and the host everything passes that no deny names)");
  CHECK(verdict(*all, "host", "db", "icmp") == "allowed (between members and the host everything passes that no deny names)");
  CHECK(verdict(*all, "web", "192.0.2.1", "443") == "allowed (bridge front has nat)");
  CHECK(verdict(*all, "db", "192.0.2.1", "443") == "denied (bridge back has no nat for it, and no allow names it)");
  CHECK(verdict(*all, "192.0.2.1", "web", "80") == "denied (no allow and no port map lets it in from outside)");
  CHECK(verdict(*all, "db", "db", "80").empty());
  CHECK(verdict(*all, "host", "192.0.2.1", "80").empty());
}

TEST_CASE("a deny beats an allow, each for the services that it names") {
  const auto all =
      pictured(two_bridges + "policy:\n  default: allow\n  allow: [front -> db:5500-6500]\n  deny: [front -> db:5000-6000, \"any -> db:icmp\"]\n");
  CHECK(verdict(*all, "web", "db", "5500") == "denied (deny front -> db:5000-6000)");
  CHECK(verdict(*all, "web", "db", "4999") == "allowed (default: allow)");
  CHECK(verdict(*all, "web", "db", "6001") == "allowed (allow front -> db:5500-6500)");
  CHECK(verdict(*all, "web", "db", "5500/udp") == "allowed (default: allow)");
  CHECK(verdict(*all, "web", "db", "icmp") == "denied (deny any -> db:icmp)");
  CHECK(verdict(*all, "host", "db", "icmp") == "denied (deny any -> db:icmp)");
  CHECK(verdict(*all, "web", "db", "other") == "allowed (default: allow)");
}

TEST_CASE("an allow to the outside takes the place of what nat implies") {
  const auto all = pictured(two_bridges + "zones: { office: [203.0.113.0/24] }\npolicy: { allow: [web -> office:443, office -> db:22] }\n");
  CHECK(verdict(*all, "web", "203.0.113.9", "443") == "allowed (allow web -> office:443)");
  CHECK(verdict(*all, "web", "192.0.2.1", "443") ==
        "denied (an allow to the outside takes the place of what nat of front implies, and does not name it)");
  CHECK(verdict(*all, "shop", "192.0.2.1", "443") == "allowed (bridge front has nat)");
  CHECK(verdict(*all, "203.0.113.9", "db", "22") == "allowed (allow office -> db:22)");
  CHECK(verdict(*all, "203.0.113.9", "db", "23") == "denied (no allow and no port map lets it in from outside)");
  CHECK(all->model().regions().size() == 2);
}

TEST_CASE("isolated bridges and plain switches") {
  const auto all = pictured(
      "bridges: { apart: { subnet: 10.1.0.0/24, isolated: true }, sw: { address: none } }\n"
      "namespaces:\n  a: { attach: apart }\n  b: { attach: apart }\n"
      "  p: { attach: { sw: 10.9.0.1/24 } }\n  q: { attach: { sw: 10.9.0.2/24 } }\n"
      "policy: { allow: [a -> b:80], deny: [p -> q:22] }\n");
  CHECK(verdict(*all, "a", "b", "80") == "allowed (allow a -> b:80)");
  CHECK(verdict(*all, "b", "a", "80") == "denied (bridge apart is isolated)");
  CHECK(verdict(*all, "p", "q", "22") == "denied (deny p -> q:22)");
  CHECK(verdict(*all, "q", "p", "22") == "allowed (within sw nothing forbids it)");
  CHECK(verdict(*all, "p", "a", "80") == "unroutable (p has no route to 10.1.0.2)");
  CHECK(verdict(*all, "p", "host", "80") == "unroutable (p has no route to 10.1.0.1)");
}

TEST_CASE("what is lost is not denied, and the policy is asked first") {
  const auto all = pictured(
      "bridges: { front: { subnet: 10.1.0.0/24 }, back: { subnet: 10.2.0.0/24 } }\n"
      "namespaces:\n  web: { attach: front }\n  lone: { attach: back, gateway: none }\n  db: { attach: back }\n"
      "policy: { allow: [web -> lone:80] }\n");
  CHECK(verdict(*all, "lone", "web", "80") == "unroutable (lone has no route to 10.1.0.2)");
  CHECK(verdict(*all, "web", "lone", "80") == "unroutable (the answer is lost: lone has no route to 10.1.0.2)");
  CHECK(verdict(*all, "web", "lone", "81") == "denied (no allow names it, and between bridges the default is deny)");
  CHECK(verdict(*all, "lone", "db", "80") == "allowed (within back nothing forbids it)");
  CHECK(verdict(*all, "lone", "host", "80").starts_with("allowed"));
}

TEST_CASE("an answer is lost by a namespace that hides sources and has not seen what is answered") {
  const auto all = pictured(
      "bridges: { lan: { subnet: 10.1.0.0/24, nat: masquerade } }\n"
      "namespaces:\n"
      "  gate: { router: true, nat: { eth0: masquerade }, attach: { lan: 10.1.0.10 } }\n"
      "  box: { attach: { lan: 10.1.0.20 }, routes: { default: gate } }\n"
      "policy: { allow: [internet -> lan:22] }\n");
  CHECK(verdict(*all, "192.0.2.1", "box", "22") ==
        "unroutable (the answer is lost: gate gives it another source than 10.1.0.20, as it has not seen what is answered)");
  CHECK(verdict(*all, "192.0.2.1", "gate", "22") == "allowed (allow internet -> lan:22)");
  CHECK(verdict(*all, "box", "192.0.2.1", "443") == "allowed (bridge lan has nat)");
}

TEST_CASE("a router's port map, cable and translation") {
  const auto all = pictured(
      "bridges: { street: { subnet: 10.64.0.0/24, nat: masquerade }, lan: { address: none } }\n"
      "namespaces:\n"
      "  isp: { attach: street }\n"
      "  router: { router: true, nat: { wan: masquerade }, attach: [{ street: { address: 10.64.0.9, name: wan } }, { lan: 192.168.1.1/24 }] }\n"
      "  laptop: { attach: { lan: 192.168.1.10/24 }, gateway: 192.168.1.1 }\n"
      "  bare: { attach: { lan: 192.168.1.11/24 } }\n"
      "  box: {}\n"
      "links: [{ between: [router, box], addresses: [10.7.0.1/24, 10.7.0.2/24] }]\n");
  CHECK(verdict(*all, "laptop", "isp", "80") == "allowed (within street nothing forbids it)");
  CHECK(verdict(*all, "laptop", "192.0.2.1", "443") == "allowed (bridge street has nat)");
  CHECK(verdict(*all, "bare", "isp", "80") == "unroutable (bare has no route to 10.64.0.2)");
  CHECK(verdict(*all, "router", "box", "80") == "allowed (nothing filters on its way)");
  CHECK(verdict(*all, "laptop", "box", "80") == "unroutable (the answer is lost: box has no route to 192.168.1.10)");
}

TEST_CASE("with a gateway of its own an answer by a bridge to what came by a link to the host is not known there") {
  const std::string file =
      "bridges: { lan: { subnet: 10.1.0.0/24, nat: masquerade } }\n"
      "namespaces: { web: { attach: lan }, gate: { router: true, attach: lan } }\n"
      "links: [{ between: [host, web], addresses: [10.5.0.1/24, 10.5.0.2/24] }, { between: [host, gate], addresses: [10.6.0.1/24, 10.6.0.2/24] }]\n"
      "policy: { allow: [internet -> web:80, internet -> gate:80] }\n";
  CHECK(verdict(*pictured(file), "192.0.2.1", "web", "80") == "allowed (allow internet -> web:80)");
  CHECK(verdict(*pictured("gateway: own\n" + file), "192.0.2.1", "web", "80") ==
        "allowed (allow internet -> web:80), denied (the source address is not the sender's own)");
  CHECK(verdict(*pictured("gateway: own\n" + file), "192.0.2.1", "gate", "80") == "allowed (allow internet -> gate:80)");  // known by its port
}
