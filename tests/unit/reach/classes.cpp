// Classes of equals, packets that stand for them, and the rules that decide over these.
#include <set>

#include "pictured.hpp"
#include "reach/ruling.hpp"

using namespace topo;
using namespace topo::reach;
using namespace topo::test;

namespace {

const std::string thousand =
    "bridges: { one: { subnet: 10.1.0.0/22, nat: masquerade }, two: { subnet: 10.2.0.0/22 } }\n"
    "namespaces: { a: { replicas: 500, attach: one }, b: { replicas: 500, attach: two } }\n"
    "policy: { allow: [\"a[*] -> b7:5432\"] }\n";

/// The rule is where it is said to be.
void check_place(const DecidingRule& rule, const Firewall& firewall) {
  const auto is_there = [&](const auto& rules, const auto& wanted) { return rule.index < rules.size() && rules[rule.index] == wanted; };
  if (const auto* const own = std::get_if<netfilter::Rule>(&rule.rule)) {
    const Family family = rule.chain.table == "ip filter" ? Family::v4 : Family::v6;
    CHECK(is_there(firewall.rules.chains.at({family, netfilter::Table::filter, rule.chain.name}), *own));
  } else {
    const nftables::Table& table = rule.chain.table == "inet" ? firewall.tables.inet : firewall.tables.bridge;
    CHECK(is_there(table.chains.at(rule.chain.name).rules, std::get<nftables::Rule>(rule.rule)));
    CHECK((!rule.blocks || std::get<nftables::Rule>(rule.rule).counted));
  }
}

}  // namespace

TEST_CASE("equal namespaces are one class, on either side of flows for itself") {
  const auto all = pictured(thousand);
  std::size_t senders = 0, receivers = 0;
  for (const Party& party : all->model().senders()) senders += party.kind == Party::Kind::namespaces ? 1U : 0U;
  for (const Party& party : all->model().receivers()) receivers += party.kind == Party::Kind::namespaces ? 1U : 0U;
  CHECK(senders == 2);
  CHECK(receivers == 3);  // b7 is named by itself
  CHECK(all->model().flows().size() < 40);
}

TEST_CASE("whoever is named, has another way or may be another's way is in a class of his own") {
  const auto all = pictured(
      "bridges: { lan: { subnet: 10.1.0.0/24 } }\n"
      "namespaces:\n  a: { attach: lan }\n  b: { attach: lan }\n  lone: { attach: lan, gateway: none }\n  hop: { attach: { lan: 10.1.0.9 }, router: "
      "true }\n"
      "  far: { attach: lan, routes: { 10.9.0.0/16: hop } }\n  named: { attach: lan }\n"
      "policy: { deny: [named -> host:22] }\n");
  std::set<std::vector<std::string>> classes;
  for (const Party& party : all->model().senders()) {
    std::vector<std::string> names;
    for (const std::size_t station : party.stations) names.push_back(name_of(all->model(), station));
    classes.insert(names);
  }
  CHECK(classes == std::set<std::vector<std::string>>{{"a", "b"}, {"lone"}, {"hop"}, {"far"}, {"named"}, {"host"}, {}});
}

TEST_CASE("every class of flows has a packet that stands for it, and a rule where one decides") {
  const auto all = pictured(
      "bridges: { front: { subnet: [10.1.0.0/24, \"fd00:1::/64\"], nat: masquerade }, back: { subnet: 10.2.0.0/24, isolated: true } }\n"
      "namespaces: { web: { attach: front }, api: { attach: back }, db: { attach: back } }\n"
      "ports: { 8080-8081: web:80-81 }\n"
      "policy: { allow: [web -> db:5432], deny: [\"web -> host:22\", \"internet -> web:81\"] }\n");
  const Model& model = all->model();
  const Backend backend = GENERATE(Backend::iptables, Backend::nftables);
  const Firewall firewall = firewall_by(*all, backend);
  std::size_t blocked = 0, mapped = 0;
  for (const FlowClass& flow : model.flows()) {
    const auto witness = model.witness(flow);
    REQUIRE(witness.has_value());
    const auto rule = deciding_rule(model, {firewall, std::nullopt}, flow, *witness);
    if (flow.span.ruled.verdict == Verdict::denied) {
      ++blocked;
      REQUIRE(rule.has_value());
      CHECK(rule->blocks);
      check_place(*rule, firewall);
      if (flow.span.ruled.reason.kind == Reason::Kind::deny && backend == Backend::iptables)
        CHECK(rule->comment == text_of(model, flow.span.ruled, {}));
    } else if (rule) {
      CHECK_FALSE(rule->blocks);
    }
    if (witness->map != none) {
      ++mapped;
      CHECK(witness->port == flow.span.service.first + 8000);
    }
  }
  CHECK(blocked > 10);
  CHECK(mapped > 4);
}

TEST_CASE("the port of whatever is not named is none that is") {
  const auto all = pictured(
      "bridges: { one: { subnet: 10.1.0.0/24 }, two: { subnet: 10.2.0.0/24 } }\n"
      "namespaces: { a: { attach: one }, b: { attach: two } }\n"
      "policy: { allow: [\"a -> b:1-7000\", \"b -> a:1-65535\", \"b -> a:1-65535/udp\", \"b -> a:icmp\"] }\n");
  for (const FlowClass& flow : all->model().flows()) {
    if (flow.span.service.protocol != Protocol::any || flow.span.ruled.reason.kind != Reason::Kind::between) continue;
    const auto witness = all->model().witness(flow);
    REQUIRE(witness.has_value());
    const bool from_a = name_of(all->model(), witness->from) == "a";
    CHECK(witness->protocol == (from_a ? Protocol::tcp : Protocol::any));
    CHECK(witness->port == (from_a ? 7001 : 0));
  }
}

TEST_CASE("sets of services") {
  const auto of = [](std::vector<PortRange> ranges) { return Services::of(ranges); };
  Services some = of({{Protocol::tcp, 80, 80}, {Protocol::tcp, 81, 90}, {Protocol::icmp, 0, 65535}});
  CHECK(some.text() == "80-90/tcp, icmp");
  CHECK(of({}).text() == "all");
  CHECK(of({}).without(some).text() == "all but 80-90/tcp, icmp");
  CHECK(some.without(of({{Protocol::tcp, 85, 85}})).text() == "80-84/tcp, 86-90/tcp, icmp");
  CHECK(some.both(of({{Protocol::tcp, 1, 85}, {Protocol::udp, 1, 65535}})).text() == "80-85/tcp");
  CHECK(of({{Protocol::udp, 1, 65535}}).text() == "udp");
  CHECK(Services().empty());
  some.unite(of({{Protocol::tcp, 91, 100}}));
  CHECK(some.text() == "80-100/tcp, icmp");
  CHECK(some.without(some).empty());
}
