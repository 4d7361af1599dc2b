// What programs in a namespace have: files over /etc, and commands.
#include "wanted.hpp"

using namespace topo;
using namespace topo::test;

namespace {

template <class T>
const T& only(const Graph& graph, const std::string& id) {
  const Node* const node = graph.find(id);
  REQUIRE(node != nullptr);
  return std::get<T>(node->resource);
}

}  // namespace

TEST_CASE("every namespace finds the others by name, at the nearest address first") {
  const Graph graph = wanted(R"(bridges: { one: { subnet: 10.1.0.0/24 }, two: { subnet: [10.2.0.0/24, "fd02::/64"] } }
namespaces:
  a: { attach: { two: [10.2.0.10, "fd02::10"] }, hosts: true }
  b: { attach: { one: 10.1.0.20, two: 10.2.0.20 } }
  c: { attach: { one: 10.1.0.30 } }
)").graph;
  CHECK(only<Etc>(graph, "etc a").files.at("hosts").text() ==
        "# topo:v1:t hosts: true\n127.0.0.1\tlocalhost\n::1\tlocalhost\n10.2.0.10\ta\nfd02::10\ta\n10.2.0.20\tb\n10.1.0.20\tb\n10.1.0.30\tc\n");
  CHECK(graph.find("etc b") == nullptr);
}

TEST_CASE("a command's turn is after all that it comes after") {
  const Graph graph = wanted(R"(namespaces:
  a: { run: { last: { command: [z], after: [middle, b/first] }, middle: { command: [y], after: b/first } } }
  b: { run: { first: x } }
)").graph;
  CHECK(only<Command>(graph, "command b/first").turn == 0);
  CHECK(only<Command>(graph, "command a/middle").turn == 1);
  CHECK(only<Command>(graph, "command a/last").turn == 2);
  CHECK(only<Command>(graph, "command a/last").after == std::vector<std::string>{"a/middle", "b/first"});
  CHECK(only<Command>(graph, "command b/first").words == std::vector<std::string>{"/bin/sh", "-c", "x"});
}

TEST_CASE("a command is another one where what it finds in /etc is another") {
  const auto files = [](const std::string& more) {
    return only<Command>(wanted("namespaces: { a: { run: { x: x }" + more + " } }\n").graph, "command a/x").files;
  };
  CHECK(files("").empty());
  CHECK(files(", dns: 10.0.0.1") == files(", dns: 10.0.0.2"));
  CHECK(files(", dns: 10.0.0.1") != files(", hosts: true"));
  CHECK(files(", dns: 10.0.0.1") != files(""));
}

TEST_CASE("commands that come after none, or after themselves") {
  CHECK(mistakes("topology: t\nnamespaces: { a: { run: { x: { command: x, after: bse }, base: y } } }\n") ==
        Lines{"2:51: there is no command \"a/bse\""});
  CHECK(mistakes("topology: t\nnamespaces: { a: { run: { x: { command: x, after: b/y } } }, b: {} }\n") == Lines{"2:51: there is no command \"b/y\""});
  CHECK(mistakes("topology: t\nnamespaces: { a: { run: { x: { command: x, after: x } } } }\n") ==
        Lines{"2:51: commands come after one another in a circle"});
  CHECK(mistakes("topology: t\nnamespaces: { a: { run: { x: { command: x, after: z }, z: { command: z, after: x } } } }\n").size() == 1);
}
