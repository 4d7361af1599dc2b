#include "graph/graph.hpp"

#include <catch2/catch.hpp>

using namespace topo;

TEST_CASE("a graph keeps one resource an id") {
  Graph graph("lab");
  graph.put(Namespace{"a", false, {}}, {3, 1, 0});
  graph.put(Namespace{"a", true, {}}, {4, 1, 0});
  REQUIRE(graph.size() == 1);
  REQUIRE(graph.find("namespace a") != nullptr);
  CHECK(std::get<Namespace>(graph.find("namespace a")->resource).forwards);
  CHECK(graph.find("namespace a")->origin.line == 4);
  CHECK(graph.find("bridge a") == nullptr);
  graph.erase("namespace a");
  CHECK(graph.empty());
}

TEST_CASE("a graph finds all of a kind, and who provides a name") {
  Graph graph("lab");
  graph.put(Namespace{"a", false, {}});
  graph.put(Address{"a", "lo", *Cidr::parse("10.0.0.1/32")});
  graph.put(Address{"a", "lo", *Cidr::parse("10.0.0.2/32")});
  CHECK(graph.all<Address>().size() == 2);
  CHECK(graph.all<Bridge>().empty());
  const auto providers = graph.providers();
  CHECK(providers.at("interface a:lo") == "namespace a");
  CHECK(providers.at("namespace a") == "namespace a");
  CHECK(!providers.contains("interface a:eth0"));
}

TEST_CASE("whatever provides a name that somebody needs is made before it") {
  Bridge bridge;
  bridge.ns = "a";
  bridge.name = "x";
  Veth cable;
  cable.ends[0] = {"a", "eth0", {}, 1500, "", false, false, false, false, {}};
  cable.ends[1] = {"b", "eth0", {}, 1500, "", false, false, false, false, {}};
  const std::vector<Resource> providers{Namespace{"a", false, {}}, bridge, cable};
  Route route;
  route.ns = "a";
  route.next_hops = {{std::nullopt, "eth0", 1}};
  const std::vector<Resource> others{Address{"a", "eth0", {}},       route, Sysctl{"a", "net/ipv4/conf/eth0/rp_filter", "1"}, cable, bridge,
                                     Firewall{"a", {}, false, false}};
  for (const Resource& other : others) {
    for (const std::string& need : needs_of(other)) {
      for (const Resource& provider : providers) {
        const auto names = provides_of(provider);
        if (std::find(names.begin(), names.end(), need) != names.end()) CHECK(rank_of(provider) < rank_of(other));
      }
    }
  }
}

TEST_CASE("differences of two kinds are none") { CHECK(differences_of(Namespace{"a", false, {}}, Bridge{}).empty()); }
