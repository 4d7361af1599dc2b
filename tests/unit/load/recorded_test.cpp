#include <catch2/catch.hpp>

#include "topo/load.hpp"

using namespace topo;

TEST_CASE("what was recorded is loaded without the disk, includes too") {
  const Sources recorded{{"no/such/lab.yaml", "topology: lab\ninclude: [parts/lan.yaml]\nnamespaces: { web: { attach: lan } }\n"},
                         {"no/such/parts/lan.yaml", "bridges: { lan: { subnet: 10.0.0.0/24 } }\n"}};
  LoadOptions options;
  options.recorded = &recorded;
  const Loaded loaded = load("no/such/lab.yaml", options);
  CHECK(loaded.diagnostics.empty());
  REQUIRE(loaded.topology.bridges.size() == 1);
  CHECK(loaded.topology.namespaces.size() == 1);
  CHECK(loaded.topology.sources.size() == 2);

  const Sources from_input{{"-", "topology: lab\n"}};
  options.recorded = &from_input;
  CHECK(load("-", options).topology.name.value == "lab");
}

TEST_CASE("what was not recorded is not taken from the disk") {
  const Sources recorded{{"lab.yaml", "topology: lab\ninclude: [/dev/null]\n"}};
  LoadOptions options;
  options.recorded = &recorded;
  const Loaded loaded = load("lab.yaml", options);
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(loaded.diagnostics.front().message.find("was not recorded") != std::string::npos);
  CHECK(load("/dev/null", options).unreadable);
}
