// Why, hop by hop.
#include "pictured.hpp"
#include "reach/explanation.hpp"

using namespace topo;
using namespace topo::reach;
using namespace topo::test;

namespace {

const std::string shop =
    "bridges: { front: { subnet: [10.1.0.0/24, \"fd00:1::/64\"], nat: masquerade }, back: { subnet: 10.2.0.0/24 } }\n"
    "namespaces:\n"
    "  web: { replicas: 3, attach: front }\n"
    "  db: { attach: back }\n"
    "  lone: { attach: back, gateway: none }\n"
    "ports: { 8080: db:80 }\n"
    "policy:\n"
    "  allow: [front -> back:5432, front -> lone:22]\n";

std::vector<Explanation> ask(const Pictured& all, const std::string& from, const std::string& to, std::optional<PortRange> service = {},
                             bool live = false, const Firewall* firewall = nullptr) {
  const auto sender = subject_of(all.names(), from), receiver = subject_of(all.names(), to);
  REQUIRE(sender.has_value());
  REQUIRE(receiver.has_value());
  const Firewalls firewalls = firewall != nullptr ? Firewalls{*firewall, std::nullopt} : firewalls_by(all, Backend::iptables);
  return explain(all.names(), firewalls, *sender, *receiver, service, live);
}

/// "web1 >eth0; t-gateway front>uplink.front allow front -> host": where it is, in and out by what, and the comments of the rules that it meets.
std::vector<std::string> way_there(const Explanation& it) {
  std::vector<std::string> lines;
  for (const Hop& hop : it.hops) {
    if (hop.back) break;
    std::string line = hop.node + " " + hop.in + ">" + hop.out + (hop.mapped.empty() ? "" : " map " + hop.mapped);
    for (const Filtering& filter : hop.filters) {
      CHECK(filter.ns == (hop.node == "host" ? "" : hop.node));
      const std::string comment = "--comment \"";
      const std::size_t found = filter.rule.find(comment), begins = found + comment.size();
      const std::string by = found == std::string::npos ? "" : " by " + filter.rule.substr(begins, filter.rule.find('"', begins) - begins);
      line += filter.blocks ? " blocked" : " passes" + by;
    }
    lines.push_back(line);
  }
  return lines;
}

constexpr PortRange tcp(std::uint16_t port) { return {Protocol::tcp, port, port}; }

}  // namespace

TEST_CASE("an allowed flow is followed there and back") {
  const auto all = pictured(shop);
  const auto found = ask(*all, "web1", "db", tcp(5432));
  REQUIRE(found.size() == 1);
  const Explanation& it = found.front();
  CHECK(it.verdict == Verdict::allowed);
  CHECK(it.why == "allow front -> back:5432");
  CHECK(it.at.line == 9);
  REQUIRE(it.hops.size() == 6);
  CHECK(it.hops[0].node == "web1");
  CHECK(it.hops[0].route == "default via 10.1.0.1");
  CHECK(it.hops[1].node == "host");
  CHECK(it.hops[1].in == "front");
  CHECK(it.hops[1].out == "back");
  REQUIRE(it.hops[1].filters.size() == 1);
  CHECK_FALSE(it.hops[1].filters.front().blocks);
  CHECK(it.hops[2].node == "db");
  CHECK(it.hops[3].back);
}

TEST_CASE("a denied flow is followed to the rule that stops it") {
  const auto all = pictured(shop);
  const auto found = ask(*all, "web1", "db", tcp(80));
  REQUIRE(found.size() == 1);
  CHECK(found.front().verdict == Verdict::denied);
  REQUIRE(found.front().hops.size() == 2);
  REQUIRE(found.front().hops.back().filters.size() == 1);
  const Filtering& filter = found.front().hops.back().filters.front();
  CHECK(filter.blocks);
  CHECK(filter.chain.starts_with("TOPO-"));
}

TEST_CASE("by nftables the rule is the one of its tables, and what of its set it found") {
  const auto all = pictured(shop);
  const Firewall firewall = firewall_by(*all, Backend::nftables);
  const auto allowed = ask(*all, "web1", "db", tcp(5432), false, &firewall), denied = ask(*all, "web1", "db", tcp(80), true, &firewall);
  REQUIRE(allowed.front().hops[1].filters.size() == 1);
  CHECK(allowed.front().hops[1].filters.front().chain == "judge/front");
  CHECK(allowed.front().hops[1].filters.front().rule ==
        "oifname . meta l4proto . th dport @allow/front/all/opt accept comment \"allow front -> back:5432\"");
  CHECK(denied.front().verdict == Verdict::denied);
  REQUIRE(denied.front().hops.back().filters.size() == 1);
  CHECK(denied.front().hops.back().filters.front().chain == "judge/front");
  CHECK(denied.front().hops.back().filters.front().rule == "counter drop");
  CHECK(denied.front().hops.back().filters.front().blocks);
}

TEST_CASE("a flow that is lost is followed to where it is") {
  const auto all = pictured(shop);
  const auto found = ask(*all, "web2", "lone", tcp(22));
  REQUIRE(found.size() == 1);
  CHECK(found.front().verdict == Verdict::unroutable);
  CHECK(found.front().why == "the answer is lost: lone has no route to 10.1.0.3");
  CHECK(found.front().hops.back().node == "lone");
}

TEST_CASE("ends may be many, addresses, the outside and published ports") {
  const auto all = pictured(shop);
  CHECK(ask(*all, "web[*]", "db", tcp(5432)).front().equal_senders == 2);
  CHECK(ask(*all, "10.1.0.2", "10.2.0.2", tcp(5432)).front().from == "web1");
  CHECK(ask(*all, "web1", "198.18.0.1").front().destination == *IpAddress::parse("198.18.0.1"));
  CHECK(ask(*all, "web1", "internet").size() == 2);  // both families
  CHECK(ask(*all, "db", "internet").front().verdict == Verdict::denied);
  const auto mapped = ask(*all, "internet", "host", tcp(8080));
  REQUIRE_FALSE(mapped.empty());
  CHECK(mapped.front().verdict == Verdict::allowed);
  CHECK(mapped.front().hops.front().mapped == "8080/tcp -> db:80");
  CHECK(mapped.front().hops.front().mapped_at.line == 7);
  CHECK(ask(*all, "db", "host", tcp(8080)).front().verdict == Verdict::allowed);  // by itself
  CHECK(ask(*all, "web1", "host", tcp(8080)).front().verdict == Verdict::denied);
  CHECK_FALSE(subject_of(all->names(), "wbe").has_value());
}

TEST_CASE("without a port every service is told; live the rules decide") {
  const auto all = pictured(shop);
  CHECK(ask(*all, "web1", "db").front().others.size() == 2);
  Firewall lost;
  const auto open = ask(*all, "web1", "db", tcp(80), true, &lost);
  CHECK(open.front().verdict == Verdict::allowed);
  CHECK(open.front().why == "no rule in the kernel stops it");
}

TEST_CASE("with a gateway of its own, a packet passes that, the host, or both in turn") {
  const auto all = pictured("gateway: own\n" + shop);
  CHECK(way_there(ask(*all, "web1", "db", tcp(5432)).front()) ==
        Lines{"web1 >eth0", "t-gateway front>back passes by allow front -> back:5432", "db eth0>"});
  CHECK(way_there(ask(*all, "web1", "db", tcp(80)).front()) == Lines{"web1 >eth0", "t-gateway front>back blocked"});
  CHECK(way_there(ask(*all, "web1", "198.18.0.1", tcp(80)).front()) ==
        Lines{"web1 >eth0", "t-gateway front>uplink.front passes by allow front -> host", "host front>the outside passes"});
  CHECK(way_there(ask(*all, "host", "db", tcp(80)).front()) ==
        Lines{"host >back passes by topo:v1:t", "t-gateway uplink.back>back passes by allow host -> back", "db eth0>"});
  CHECK(way_there(ask(*all, "db", "host", tcp(22)).front()) ==
        Lines{"db >eth0", "t-gateway back>uplink.back passes by allow back -> host", "host back> passes"});
  CHECK(way_there(ask(*all, "internet", "host", tcp(8080)).front()) ==
        Lines{"host the outside>back map 8080/tcp -> db:80 passes by port 8080/tcp -> db:80",
              "t-gateway uplink.back>back passes by allow host -> back"});
  CHECK(way_there(ask(*all, "db", "host", tcp(8080)).front()) ==
        Lines{"db >eth0", "t-gateway back>uplink.back passes by allow back -> host", "host back>back map 8080/tcp -> db:80 passes",
              "t-gateway uplink.back>back passes by allow host -> back"});
  CHECK(way_there(ask(*all, "web1", "host", tcp(8080)).front()) ==
        Lines{"web1 >eth0", "t-gateway front>uplink.front passes by allow front -> host", "host front>back map 8080/tcp -> db:80 blocked"});
}

TEST_CASE("with a gateway of its own the host cannot tell a router from others, and lets none by a port map for its own sake") {
  const std::string file =
      "bridges: { lan: { subnet: 10.1.0.0/24 }, dmz: { subnet: 10.2.0.0/24 } }\n"
      "namespaces:\n"
      "  gate: { router: true, attach: lan }\n"
      "  pc: { attach: lan }\n"
      "  web: { attach: dmz }\n"
      "ports: { 80: web:80, 81: gate:80 }\n"
      "policy: { allow: [gate -> dmz, pc -> dmz] }\n";
  const auto on_host = pictured(file), own = pictured("gateway: own\n" + file);
  const auto verdict = [](const Pictured& all, const char* from, const char* to, std::uint16_t port) {
    return ask(all, from, to, tcp(port)).front().verdict;
  };
  CHECK(verdict(*on_host, "gate", "host", 80) == Verdict::allowed);
  CHECK(verdict(*own, "gate", "host", 80) == Verdict::denied);
  CHECK(verdict(*own, "gate", "host", 81) == Verdict::allowed);  // itself
  CHECK(verdict(*own, "gate", "web", 80) == Verdict::allowed);
  CHECK(verdict(*own, "pc", "host", 80) == Verdict::allowed);
}
