// What packets have to show.
#include "reach/trials.hpp"

#include <set>

#include "pictured.hpp"

using namespace topo;
using namespace topo::reach;
using namespace topo::test;

namespace {

const std::string shop =
    "bridges: { front: { subnet: 10.1.0.0/24, nat: masquerade }, back: { subnet: 10.2.0.0/24, isolated: true } }\n"
    "namespaces: { web: { replicas: 2, attach: front }, db: { attach: back }, lone: { attach: back, gateway: none } }\n"
    "ports: { 80: web1:8080 }\n"
    "policy: { allow: [front -> back:5432], deny: [\"db -> host:80\"] }\n"
    "expect: { deny: [web2 -> db:22] }\n";

std::vector<Trial> trials(const Pictured& all, bool every_pair = false, Backend backend = Backend::iptables) {
  return trials_of(all.names(), {firewall_by(all, backend), std::nullopt}, every_pair);
}

std::size_t count(const std::vector<Trial>& all, const std::string& from, const std::string& to, const std::string& by = {}) {
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const Trial& each) { return each.from == from && each.to == to && each.by == by; }));
}

}  // namespace

TEST_CASE("what holds of everything is tried over each protocol, a port over its own") {
  const auto all = pictured(shop);
  const auto found = trials(*all);
  std::set<std::pair<Protocol, std::uint16_t>> tried;
  for (const Trial& trial : found) {
    if (trial.from == "web1" && trial.to == "db") tried.insert({trial.protocol, trial.port});
  }
  CHECK(tried == std::set<std::pair<Protocol, std::uint16_t>>{{Protocol::tcp, 5432}, {Protocol::tcp, 7}, {Protocol::udp, 7}, {Protocol::icmp, 0}});
}

TEST_CASE("a denied flow has the rule that decides; an unroutable one is not tried") {
  const auto all = pictured(shop);
  for (const Trial& trial : trials(*all, false, GENERATE(Backend::iptables, Backend::nftables))) {
    CHECK(trial.verdict != Verdict::unroutable);
    if (trial.verdict == Verdict::denied) {
      REQUIRE(trial.rule.has_value());
      CHECK(trial.rule->blocks);
    }
    CHECK((trial.from != "web1" || trial.to != "lone" || trial.verdict == Verdict::denied));
  }
}

TEST_CASE("a port map is tried from outside, the host, localhost and its own target; what it takes is no flow to the host") {
  const auto all = pictured(shop);
  const auto found = trials(*all);
  const std::string map = "port 80/tcp -> web1:8080";
  CHECK(count(found, "internet", "web1", map) == 1);
  CHECK(count(found, "host", "web1", map) == 2);
  CHECK(count(found, "web1", "web1", map) == 1);
  for (const Trial& trial : found) CHECK_FALSE((trial.to == "host" && trial.protocol == Protocol::tcp && trial.port == 80));
}

TEST_CASE("every pair on demand, and what a file expects") {
  const auto all = pictured(shop);
  CHECK(trials(*all, true).size() > trials(*all).size());
  CHECK(count(trials(*all, true), "web2", "web1") > 0);
  CHECK(count(trials(*all), "web2", "db", "expect") == 1);
}

TEST_CASE("a sign of life is something allowed of that very station") {
  const auto all = pictured(shop);
  for (const char* name : {"web2", "db", "lone"}) {
    const std::size_t station = *all->model().network().find(name);
    const auto sign = sign_of_life(all->names(), station, Family::v4);
    REQUIRE(sign.has_value());
    CHECK(sign->verdict == Verdict::allowed);
    CHECK((sign->sender == station || sign->receiver == station));
  }
  CHECK_FALSE(sign_of_life(all->names(), *all->model().network().find("db"), Family::v6).has_value());
}
