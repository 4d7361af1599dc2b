#include "report/export.hpp"

#include <catch2/catch.hpp>

#include "report/statements.hpp"
#include "report/yaml.hpp"

using namespace topo;
using namespace topo::report;

TEST_CASE("YAML: what could be read as something else is quoted") {
  CHECK(Yaml("web-1").flow() == "web-1");
  CHECK(Yaml("10.0.0.1/24").flow() == "10.0.0.1/24");
  CHECK(Yaml("a -> b:80").flow() == "a -> b:80");
  CHECK(Yaml("02:00:00:00:00:05").flow() == "02:00:00:00:00:05");
  CHECK(Yaml("fd00::1/64").flow() == "\"fd00::1/64\"");
  CHECK(Yaml("::/0").flow() == "\"::/0\"");
  CHECK(Yaml("a[*]").flow() == "\"a[*]\"");
  CHECK(Yaml("").flow() == "\"\"");
  CHECK(Yaml("-1").flow() == "\"-1\"");
  CHECK(Yaml("a: b").flow() == "\"a: b\"");
  CHECK(Yaml("a #b").flow() == "\"a #b\"");
  CHECK(Yaml("1\t2\"\\\x1b").flow() == "\"1\\x092\\\"\\\\\\x1b\"");
}

TEST_CASE("YAML: short on one line, long on several") {
  Yaml map = Yaml::map();
  map.set("a", Yaml::list().add("x").add(Yaml::map().set("y", "z")));
  CHECK(map.flow() == "{ a: [x, { y: z }] }");
  CHECK(map.block(2) == "  a: [x, { y: z }]\n");
  CHECK(Yaml::map().flow() == "{}");
  const std::string word(70, 'w');
  Yaml wide = Yaml::map();
  wide.set("a", Yaml::list().add(Yaml::map().set(word, word).set("b", "c")));
  CHECK(wide.block(0) == "a:\n  - " + word + ": " + word + "\n    b: c\n");
}

TEST_CASE("statements are read from the record chain alone, each once") {
  Firewall firewall;
  netfilter::Rule rule;
  rule.comment = "port 80/tcp -> web:80";
  firewall.rules.chains[{Family::v4, netfilter::Table::filter, "TOPO-1-spec"}] = {rule, rule};
  firewall.rules.chains[{Family::v6, netfilter::Table::filter, "TOPO-1-spec"}] = {rule};
  rule.comment = "port 81/tcp -> web:81";
  firewall.rules.chains[{Family::v4, netfilter::Table::filter, "TOPO-1-fwd"}] = {rule};
  CHECK(statements_of(firewall) == std::vector<Statement>{{"port", "80/tcp -> web:80"}});
  Graph live("lab");
  live.put(firewall);
  CHECK(statements(live, "port") == std::vector<std::string>{"80/tcp -> web:80"});
  CHECK(statements(live, "zone").empty());
}

TEST_CASE("a command comes after none that is not there") {
  Graph live("lab");
  Command command;
  command.ns = "a";
  command.name = "db";
  command.words = {"true"};
  for (const char* ns : {"a", "b"}) live.put(Namespace{ns, false, {}});
  live.put(command);
  command.name = "cache";
  command.ns = "unnamed";  // whose namespace has lost its name
  live.put(command);
  command.ns = "b";
  command.name = "api";
  command.after = {"a/db", "a/ended", "unnamed/cache"};
  live.put(command);
  command.name = "beside";
  command.after = {"b/api", "b/ended"};
  live.put(command);
  const std::string text = topology_file(live);
  CHECK(text.find("after: a/db") != std::string::npos);
  CHECK(text.find("after: api") != std::string::npos);
  CHECK(text.find("ended") == std::string::npos);
  CHECK(text.find("cache") == std::string::npos);
}

TEST_CASE("a live state that somebody took apart is exported all the same") {
  Graph live("lab");
  live.put(Namespace{"web", false, {}});
  Veth cable;
  cable.ends[0] = {"", "p0", {}, 1500, "gone", false, false, false, false, {}};
  cable.ends[1] = {"web", "eth0", {}, 1500, "", false, false, false, false, {}};
  live.put(cable);
  Firewall firewall;
  netfilter::Rule rule;
  for (const char* comment :
       {"replicas", "replicas web x", "replicas web 4000000000", "zone", "port nonsense", "nat web snat nowhere", "allow a[*] -> b:,"}) {
    rule.comment = comment;
    firewall.rules.chains[{Family::v4, netfilter::Table::filter, "TOPO-1-spec"}].push_back(rule);
  }
  live.put(firewall);
  const std::string text = topology_file(live);
  CHECK(text.starts_with("topology: lab\n"));
  CHECK(text.find("gone:p0") != std::string::npos);
}
