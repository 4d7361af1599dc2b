// Intents in the terms of nf_tables. That the rules mean what they shall, oracle_test.cpp proves.
#include <algorithm>

#include "golden.hpp"
#include "intents.hpp"
#include "policy/verdict.hpp"
#include "topo/names.hpp"

namespace {

using namespace topo;
using namespace topo::policy;
using namespace topo::policy::test;
using nftables::Ruleset;

Ruleset tables_of(const Intent& intent) { return compile(intent, "", Backend::nftables).tables; }

std::string text_of(const Intent& intent) { return nftables::to_text(tables_of(intent), table_name(intent.topology), owner_mark(intent.topology)); }

std::size_t rule_count(const Ruleset& rules) {
  std::size_t count = 0;
  for (const nftables::Table* table : {&rules.inet, &rules.bridge}) {
    for (const auto& [name, chain] : table->chains) count += chain.rules.size();
  }
  return count;
}

/// The lines of what leads from one to the other.
std::vector<std::string> changes_between(const Intent& before, const Intent& after) {
  std::istringstream commands(nftables::changes(tables_of(before), tables_of(after), "t", "m"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(commands, line);) lines.push_back(line);
  return lines;
}

bool only_elements(const std::vector<std::string>& lines) {
  return !lines.empty() && std::all_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.starts_with("add element ") || line.starts_with("delete element ");
  });
}

}  // namespace

TEST_CASE("the tutorial's networks compile to these tables") {
  check_golden("three-tier.nft", text_of(three_tier()));
  check_golden("apps.nft", text_of(apps()));
  check_golden("zones.nft", text_of(zones()));
  check_golden("database.nft", text_of(database()));
  check_golden("home-router.nft", text_of(home_router()));
}

TEST_CASE("every chain and set that is spoken of is there, and is spoken of") {
  for (const Intent& intent : {three_tier(), apps(), zones(), database(), home_router(), laboratory(600)})
    CHECK(form_problem(tables_of(intent)).empty());
}

TEST_CASE("members, port maps and flows are elements, and rules as many as there are bridges") {
  Intent intent = laboratory(1000);
  for (std::size_t i = 0; i + 1 < intent.members.size(); ++i)
    intent.allow.push_back({member_ends(i), member_ends(i + 1), {{Protocol::tcp, 80, 80}}, "n" + std::to_string(i)});
  needs_bridge_filter(intent);
  const Ruleset rules = tables_of(intent);
  CHECK(rule_count(rules) < 100);
  CHECK(form_problem(rules).empty());
  CHECK(rules.inet.sets.at("ports4").elements.size() == 1000);
}

TEST_CASE("one more member, port or flow is a matter of elements") {
  Intent before = laboratory(600);
  before.allow.push_back({member_ends(0), member_ends(300), {{Protocol::tcp, 80, 80}}, "n0 -> n300:80"});
  Intent after = before;
  const auto added = add_member(after, "one-more", 0, {"10.50.0.254"});
  CHECK(only_elements(changes_between(before, after)));
  before = after;
  add_port(after, 30000, 30000, added, 80);
  const auto lines = changes_between(before, after);
  CHECK(only_elements(lines));
  CHECK(lines.size() == 2);
  before = after;
  after.allow.push_back({member_ends(1), member_ends(301), {{Protocol::tcp, 443, 443}}, "n1 -> n301:443"});
  CHECK(changes_between(before, after) ==
        std::vector<std::string>{"add element inet t allow/br0/sodpt4 { 10.50.0.3 . \"br1\" . 10.50.1.53 . tcp . 443 comment "
                                 "\"allow n1 -> n301:443\" }"});
}

TEST_CASE("many to many are groups, not pairs") {
  Intent intent = laboratory(1000);
  Ends some, others;
  for (std::size_t i = 0; i < 200; ++i) some.members.push_back(i);
  for (std::size_t i = 300; i < 500; ++i) others.members.push_back(i);
  intent.allow.push_back({some, others, {{Protocol::tcp, 80, 80}, {Protocol::udp, 53, 53}}, "some -> others"});
  needs_bridge_filter(intent);
  const Ruleset rules = tables_of(intent);
  std::size_t elements = 0;
  for (const auto& [name, set] : rules.inet.sets) {
    if (name.starts_with("allow/")) elements += set.elements.size();
  }
  CHECK(elements == 200 + 400);
  CHECK(form_problem(rules).empty());
}

TEST_CASE("ranges that overlap are in sets of their own, for none may hold both") {
  Intent intent = three_tier();
  intent.allow = {{bridge_ends(0), bridge_ends(1), {{Protocol::tcp, 80, 90}}, "a"},
                  {bridge_ends(0), bridge_ends(1), {{Protocol::tcp, 85, 100}}, "b"},
                  {bridge_ends(0), bridge_ends(1), {{Protocol::tcp, 91, 95}}, "c"},
                  {bridge_ends(0), bridge_ends(1), {{Protocol::tcp, 80, 80}}, "d"}};
  const Ruleset rules = tables_of(intent);
  const std::string ranges = "allow/frontend-bridge/all/opT";
  CHECK(rules.inet.sets.at(ranges).elements.size() == 2);
  CHECK(rules.inet.sets.at(ranges + "/2").elements.size() == 1);
  CHECK(rules.inet.sets.at("allow/frontend-bridge/all/opt").elements.size() == 1);
}

TEST_CASE("a range of ports that moves is a map of each") {
  Intent intent = apps();
  intent.ports.clear();
  add_port(intent, 9000, 9003, 0, 80);
  add_port(intent, 7000, 7003, 0, 7000, {}, Protocol::udp);
  const Ruleset rules = tables_of(intent);
  CHECK(rules.inet.sets.at("ports4").elements.size() == 4);
  CHECK(rules.inet.sets.at("ports4/ranges").elements.size() == 1);
}

TEST_CASE("nothing of a file's words gets into a rule but as a comment without quotation marks") {
  Intent intent = three_tier();
  intent.allow.front().text = "a\" ; flush ruleset # -> b\n" + std::string(300, 'x');
  const std::string text = text_of(intent);
  CHECK(text.find("a ; flush ruleset # -> bxxx") != std::string::npos);
  CHECK(text.find("flush ruleset\n") == std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '"') % 2 == 0);
}

TEST_CASE("equal intents compile to equal tables") { CHECK(tables_of(laboratory(300)) == tables_of(laboratory(300))); }
