// Plans over random pairs of graphs, performed on a simulated host.
#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

#include "random_graph.hpp"
#include "simulated_host.hpp"

using namespace topo;
using test::RandomGraph;
using test::SimulatedHost;

namespace {

void require_same(const Graph& is, const Graph& shall) {
  for (const auto& [id, node] : shall.nodes()) {
    if (is.find(id) == nullptr) RC_FAIL("lacks " + id);
    if (!(is.find(id)->resource == node.resource)) RC_FAIL("is different: " + id + " " + summary_of(is.find(id)->resource));
  }
  for (const auto& [id, node] : is.nodes()) {
    if (shall.find(id) == nullptr) RC_FAIL("is left: " + id);
  }
}

void require_same(const SimulatedHost& is, const SimulatedHost& fresh) {
  require_same(is.graph(), fresh.graph());
  RC_ASSERT(is.first_addresses() == fresh.first_addresses());
  RC_ASSERT(is.settings() == fresh.settings());
}

}  // namespace

TEST_CASE("a plan leads from any graph to any other, and back, and each is as if made fresh") {
  rc::prop("A to B to A", [] {
    const Graph a = RandomGraph{}();
    const Graph b = RandomGraph{}();
    SimulatedHost host(a);
    require_same(host.graph(), a);
    host.perform(diff(host.graph(), b));
    require_same(host.graph(), b);
    require_same(host, SimulatedHost(b));
    RC_ASSERT(diff(host.graph(), b).empty());
    host.perform(diff(host.graph(), a));
    require_same(host, SimulatedHost(a));
    host.perform(diff(host.graph(), Graph{}));
    require_same(host, SimulatedHost());
  });
}

TEST_CASE("a graph does not differ from itself") {
  rc::prop("diff(B, B) is empty", [] {
    const Graph b = RandomGraph{}();
    RC_ASSERT(diff(b, b).empty());
  });
}

TEST_CASE("a plan is in order") {
  rc::prop("removals by falling rank, then the rest by rising rank; nothing twice", [] {
    const Plan plan = diff(RandomGraph{}(), RandomGraph{}());
    bool coming = false;
    int rank = 1000;
    std::set<std::pair<bool, Id>> seen;
    for (const Change& change : plan.changes) {
      const bool comes = change.action != Change::Action::remove;
      if (comes && !coming) rank = 0;
      RC_ASSERT(comes >= coming);
      coming = comes;
      const Resource& resource = comes ? *change.after : *change.before;
      RC_ASSERT((comes ? rank_of(resource) >= rank : rank_of(resource) <= rank));
      rank = rank_of(resource);
      RC_ASSERT(seen.emplace(comes, id_of(resource)).second);
    }
  });
}

TEST_CASE("what is neither in the file nor in what was applied is drift, and what was in it is a change") {
  rc::prop("repair", [] {
    const Graph live = RandomGraph{}();
    const Graph desired = RandomGraph{}();
    const Graph applied = *rc::gen::inRange(0, 2) == 0 ? desired : RandomGraph{}();
    for (const Change& change : diff(live, desired, &applied).changes) {
      const Id id = id_of(change.after ? *change.after : *change.before);
      const Node* was = applied.find(id);
      const Node* shall = desired.find(id);
      const bool same_file = was == nullptr ? shall == nullptr : shall != nullptr && was->resource == shall->resource;
      const bool made_again = change.before && shall != nullptr && *change.before == shall->resource;
      RC_ASSERT(change.repair == (same_file && !made_again));
    }
    for (const Change& change : diff(live, desired).changes) RC_ASSERT(!change.repair);
  });
}
