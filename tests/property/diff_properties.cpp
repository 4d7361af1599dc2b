// Plans over random pairs of graphs, performed on a simulated host.
#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

#include "generators.hpp"

using namespace topo;
using test::Machine;

namespace {

void perform(const Plan& plan, Machine& machine) {
  test::Simulation simulation(machine);
  const auto performed = test::SimulatedKernel(simulation).perform(plan, {});
  if (!performed) RC_FAIL(performed.error().to_string());
  machine = std::move(simulation.machine);
}

void require_same(const Machine& is, const Machine& shall) {
  std::string text;
  for (const std::string& line : is.differences_from(shall)) text += "\n" + line;
  if (!text.empty()) RC_FAIL(text);
}

}  // namespace

TEST_CASE("a plan leads from any graph to any other, and back, and each is as if made fresh") {
  rc::prop("A to B to A", [](const Graph& a, const Graph& b) {
    Machine machine = test::machine_with(a);
    const auto bring = [&](const Graph& graph) {
      perform(diff(machine.observe(graph), graph), machine);
      require_same(machine, test::machine_with(graph));
      RC_ASSERT(diff(machine.observe(graph), graph).empty());
    };
    bring(b);
    bring(a);
    bring(Graph("lab"));
    RC_ASSERT(machine.things().empty());
  });
}

TEST_CASE("a graph does not differ from itself") {
  rc::prop("diff(B, B) is empty", [](const Graph& b) { RC_ASSERT(diff(b, b).empty()); });
}

TEST_CASE("a plan is in order") {
  rc::prop("removals by falling rank, then the rest by rising rank; nothing twice", [](const Graph& live, const Graph& desired) {
    const Plan plan = diff(live, desired);
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
  rc::prop("repair", [](const Graph& live, const Graph& desired, const Graph& other, bool same) {
    const Graph& applied = same ? desired : other;
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
