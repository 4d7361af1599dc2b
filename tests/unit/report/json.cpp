#include "report/json.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace topo;

TEST_CASE("a plan as JSON has every change in its order, with what a program needs") {
  const Sources sources{{"lab.yaml", "topology: lab\n"}};
  Graph live("lab");
  live.put(Namespace{"web", false, {}});
  live.put(Namespace{"old", false, {}});
  live.put(Address{"old", "lo", *Cidr::parse("10.0.0.1/32")});
  Graph desired("lab");
  desired.put(Namespace{"web", true, {}}, {5, 3, 0});
  desired.put(Address{"web", "lo", *Cidr::parse("10.0.0.1/32")}, {6, 3, 0});

  const auto document = nlohmann::json::parse(report::plan_json(diff(live, desired), sources));
  CHECK(document["topology"] == "lab");
  CHECK(document["differs"] == true);
  CHECK(document["namespaces_recreated"] == 0);
  const auto& changes = document["changes"];
  REQUIRE(changes.size() == 4);
  CHECK(changes[0]["action"] == "remove");
  CHECK(changes[0]["implied"] == true);
  CHECK(changes[1]["id"] == "namespace old");
  CHECK(changes[2]["action"] == "modify");
  CHECK(changes[2]["differences"][0] == nlohmann::json({{"attribute", "forwarding"}, {"before", "off"}, {"after", "on"}}));
  CHECK(changes[2]["file"] == "lab.yaml");
  CHECK(changes[2]["line"] == 5);
  CHECK(changes[3]["after"] == "10.0.0.1/32");
  CHECK(document["summary"].size() == 3);
  CHECK(document["summary"][0] ==
        nlohmann::json({{"sign", "+"}, {"kind", "address"}, {"title", "web:lo"}, {"what", "10.0.0.1/32"}, {"why", "lab.yaml:6"}}));
}

TEST_CASE("an empty plan as JSON") {
  const auto document = nlohmann::json::parse(report::plan_json(Plan{"lab", {}}, {}));
  CHECK(document["differs"] == false);
  CHECK(document["changes"].empty());
}

TEST_CASE("JSON is ASCII, whatever somebody put into the kernel") {
  Graph live("lab");
  live.put(Namespace{"\xff\x1b\xc3\xa9", false, {}});
  const std::string text = report::plan_json(diff(live, Graph("lab")), {});
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c < '\x7f'); }));
  CHECK(nlohmann::json::parse(text)["changes"][0]["title"] == "\\xff\\x1b\u00e9");
}
