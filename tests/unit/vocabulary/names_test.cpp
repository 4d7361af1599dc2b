#include "topo/names.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace topo;

TEST_CASE("names that are allowed, and what is wrong with the others") {
  for (const char* good : {"web", "web-server", "Web_1.x", "0", "80"}) {
    INFO(good);
    CHECK_FALSE(namespace_name_problem(good));
    CHECK_FALSE(bridge_name_problem(good));
    CHECK_FALSE(interface_name_problem(good));
    CHECK_FALSE(zone_name_problem(good));
  }
  for (const char* bad : {"", ".", "..", "../etc", "-a", "_a", ".a", "a/b", "a b", "a\nb", "a%d", "a:b", "\x1b[0m", "\xc3\xa9", "web[*]"}) {
    INFO(bad);
    CHECK(namespace_name_problem(bad));
    CHECK(bridge_name_problem(bad));
    CHECK(interface_name_problem(bad));
    CHECK(zone_name_problem(bad));
    CHECK(topology_name_problem(bad));
  }
  CHECK(namespace_name_problem(std::string_view("a\0b", 3)));
  for (const char* reserved : {"host", "internet", "any", "all", "default", "none", "lo", "y", "n", "on", "off", "yes", "no", "true", "false", "null",
                               "Host", "OFF", "nO"}) {
    INFO(reserved);
    CHECK(namespace_name_problem(reserved).value_or("").starts_with("is reserved: "));
    CHECK(interface_name_problem(reserved).value_or("").starts_with("is reserved: "));
  }
}

TEST_CASE("names have their lengths") {
  CHECK_FALSE(bridge_name_problem(std::string(15, 'a')));
  CHECK(bridge_name_problem(std::string(16, 'a')) == "is longer than 15 characters");
  CHECK(interface_name_problem(std::string(16, 'a')));
  CHECK_FALSE(namespace_name_problem(std::string(64, 'a')));
  CHECK(namespace_name_problem(std::string(65, 'a')));
  CHECK_FALSE(topology_name_problem(std::string(32, 'a')));
  CHECK(topology_name_problem(std::string(33, 'a')));
  CHECK(topology_name_problem("3tier"));
  CHECK(topology_name_problem("Lab"));
  CHECK(topology_name_problem("a_b"));
  CHECK_FALSE(topology_name_problem("three-tier"));
}

TEST_CASE("the nearest name") {
  const std::vector<std::string> names{"frontend", "backend", "database", "db"};
  CHECK(nearest("frontnd", names) == "frontend");
  CHECK(nearest("bakcend", names) == "backend");
  CHECK(nearest("dbb", names) == "db");
  CHECK(nearest("bd", names) == "db");
  CHECK_FALSE(nearest("zzz", names));
  CHECK_FALSE(nearest("backdoor-entry", names));
  CHECK_FALSE(nearest("anything", {}));
  CHECK_FALSE(nearest(std::string(65, 'b'), names));
  CHECK(nearest("ab", {"ac", "ab"}) == "ab");
}

TEST_CASE("marks name their topology") {
  CHECK(owner_mark("lab") == "topo:v1:lab");
  CHECK(owner_of("topo:v1:lab") == "lab");
  CHECK(owner_of("topo:v1:lab:web/eth0:x") == "lab");
  CHECK(mark_ref("topo:v1:lab:web/eth0:x") == "web/eth0:x");
  CHECK(mark_ref("topo:v1:lab").empty());
  for (const char* strange : {"", "lab", "topo:v1:", "topo:v1:../x", "topo:v1:Lab", "topo:v2:lab", " topo:v1:lab"}) {
    INFO(strange);
    CHECK_FALSE(owner_of(strange));
  }
}

TEST_CASE("what is derived from names never changes") {
  // FNV-1a's published test values: a change of these would orphan what older versions made.
  CHECK(stable_hash("") == 0xcbf29ce484222325U);
  CHECK(stable_hash("a") == 0xaf63dc4c8601ec8cU);
  CHECK(stable_hash("foobar") == 0x85944171f73967e8U);
  CHECK((link_group("lab") & link_group_mask) == link_group_any);
  CHECK(link_group("lab") != link_group("lab2"));
  CHECK(chain_prefix("lab").size() == 13);
  CHECK(chain_prefix("foobar") == "TOPO-85944171");
}

TEST_CASE("names of the gateway's ends") {
  CHECK(host_end_name("web-server", "eth0") == "web-server.eth0");
  std::set<std::string> names;
  const std::pair<const char*, const char*> ends[]{
      {"web-server1", "eth0"}, {"web-server2", "eth0"}, {"web-server1", "eth1"}, {"a.b", "c"}, {"a", "b.c"}, {"a", "b"}};
  for (const auto& [ns, interface] : ends) {
    const std::string name = host_end_name(ns, interface);
    CHECK(name.size() <= interface_name_max);
    CHECK_FALSE(interface_name_problem(name));
    CHECK(name == host_end_name(ns, interface));
    names.insert(name);
  }
  CHECK(names.size() == std::size(ends));
}

TEST_CASE("what comes from outside is printed safely") {
  CHECK(printable("plain \xc3\xa9\xe2\x82\xac") == "plain \xc3\xa9\xe2\x82\xac");
  CHECK(printable("\x1b[31m") == "\\x1b[31m");
  CHECK(printable("a\nb\tc\r") == "a\\x0ab\\x09c\\x0d");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\x7f") == "\\x7f");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");
  CHECK(printable("\xff\xc3") == "\\xff\\xc3");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
}
