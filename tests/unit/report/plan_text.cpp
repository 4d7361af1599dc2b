#include "report/plan_text.hpp"

#include <catch2/catch.hpp>

#include "report/rows.hpp"

using namespace topo;
using namespace topo::report;
using netfilter::ChainId;
using netfilter::Table;

namespace {

const Sources sources{{"lab.yaml", "topology: lab\n"}};

netfilter::Rule rule(const std::string& comment) {
  netfilter::Rule made;
  made.comment = comment;
  return made;
}

Firewall firewall(const std::vector<std::string>& statements, const std::vector<std::string>& rules = {}) {
  Firewall made;
  auto& spec = made.rules.chains[ChainId{Family::v4, Table::filter, "TOPO-00000000-spec"}];
  for (const auto& statement : statements) spec.push_back(rule(statement));
  auto& forward = made.rules.chains[ChainId{Family::v4, Table::filter, "TOPO-00000000-fwd"}];
  for (const auto& comment : rules) forward.push_back(rule(comment));
  return made;
}

Graph with(const Resource& resource) {
  Graph graph("lab");
  graph.put(resource, {7, 3, 0});
  return graph;
}

/// "+ policy|allow a -> b||lab.yaml:2"
std::vector<std::string> told(const Plan& plan, const Sources& files = sources) {
  std::vector<std::string> lines;
  for (const Row& row : rows_of(plan, files).rows)
    lines.push_back(std::string(to_text(row.sign)) + " " + row.kind + "|" + row.title + "|" + row.what + "|" + row.why);
  CHECK(count_of_rows(plan) == lines.size());
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an empty plan is one line") { CHECK(plan_text(Plan{"lab", {}}, sources) == "lab: no changes"); }

TEST_CASE("a rule that somebody removed is named by its flow") {
  const Graph desired = with(firewall({"allow backend -> data"}, {"backend -> data"}));
  const Plan plan = diff(with(firewall({"allow backend -> data"})), desired, &desired);
  CHECK(told(plan) == Lines{"! policy|rule \"backend -> data\" is missing||removed by someone else"});
  CHECK(plan_text(plan, sources).ends_with("plan: 1 to repair; no namespace is recreated"));
  CHECK(told(diff(desired, with(firewall({"allow backend -> data"})), nullptr)) == Lines{"~ firewall|host|rules follow|"});
}

TEST_CASE("a rule that somebody added is told, and a whole firewall that is gone") {
  const Graph desired = with(firewall({"allow a -> b"}));
  CHECK(told(diff(with(firewall({"allow a -> b"}, {"mine"})), desired, &desired)) ==
        Lines{"! policy|rule \"mine\" is too much||added by someone else"});
  CHECK(told(diff(Graph("lab"), desired, &desired)) == Lines{"! policy|allow a -> b||removed by someone else"});
}

TEST_CASE("statements are told at the line that says them") {
  const Sources files{
      {"lab.yaml",
       "# a -> b:80\nnat: no\nbridges:\n  x: { nat: masquerade }\nports:\n  8080: b:80 # 9090\npolicy:\n  default: allow\n  allow: [a -> b:80]\n"}};
  const Graph desired = with(firewall({"allow a -> b:80", "port 8080/tcp -> b:80", "nat x masquerade", "default allow", "deny p -> q"}));
  CHECK(told(diff(Graph("lab"), desired), files) == Lines{"+ policy|allow a -> b:80||lab.yaml:9", "+ policy|default allow||lab.yaml:8",
                                                          "+ policy|deny p -> q||", "+ nat|x masquerade||lab.yaml:4",
                                                          "+ port|8080/tcp -> b:80||lab.yaml:6"});
}

TEST_CASE("what is no longer allowed is said to be cut, what only comes new is not") {
  const auto hit = [](const std::vector<std::string>& before, const std::vector<std::string>& after) {
    return rows_of(diff(with(firewall(before)), with(firewall(after))), sources).hit;
  };
  CHECK(hit({"allow a -> b"}, {"allow a -> b", "allow c -> d"}).empty());
  CHECK(hit({"allow a -> b", "allow c -> d"}, {"allow a -> b"}).size() == 1);
  CHECK(hit({"allow a -> b"}, {"allow a -> b", "deny c -> d"}).size() == 1);
  CHECK(rows_of(diff(Graph("lab"), with(firewall({"deny c -> d"}))), sources).hit.empty());
}

TEST_CASE("without a file there is no reason for a removal") {
  CHECK(told(diff(with(Namespace{"a", false, {}}), Graph("lab"))) == Lines{"- namespace|a||not in the file"});
  CHECK(told(diff(with(Namespace{"a", false, {}}), Graph("lab")), {}) == Lines{"- namespace|a||"});
}

TEST_CASE("control characters never reach the text") {
  const Plan plan = diff(with(Namespace{"a\x1b[31m\n", false, {}}), with(firewall({"allow \x1b]0;x\a -> b"})));
  const std::string text = plan_text(plan, sources);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\\x1b") != std::string::npos);
}

TEST_CASE("signs are coloured only where wanted") {
  const Plan plan = diff(Graph("lab"), with(Namespace{"a", false, {}}));
  CHECK(plan_text(plan, sources).find('\x1b') == std::string::npos);
  CHECK(plan_text(plan, sources, {Paint::colored, 200}).find("\x1b[32m+\x1b[0m namespace") != std::string::npos);
}

TEST_CASE("people count 2 before 10") {
  Graph desired("lab");
  for (const char* name : {"node10", "node9", "node1", "node2a", "node2"}) desired.put(Namespace{name, false, {}});
  std::vector<std::string> titles;
  for (const Row& row : rows_of(diff(Graph("lab"), desired), sources).rows) titles.push_back(row.title);
  CHECK(titles == Lines{"node1", "node2", "node2a", "node9", "node10"});
}

TEST_CASE("a long plan shows a few of each and how many more") {
  Graph desired("lab");
  for (int i = 0; i < 50; ++i) desired.put(Namespace{"n" + std::to_string(i), false, {}});
  const std::string text = plan_text(diff(Graph("lab"), desired), sources, {Paint::plain, 20});
  CHECK(std::count(text.begin(), text.end(), '\n') == 2 + 10 + 1 + 1);
  CHECK(text.find("and 40 more") != std::string::npos);
  CHECK(text.ends_with("plan: 50 to add"));
}
