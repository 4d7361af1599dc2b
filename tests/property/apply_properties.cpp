// All or nothing: what apply_graph says of a simulated kernel that fails, is interrupted or is changed by somebody else, and what is there then.
#include <rapidcheck/catch.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "apply/transaction.hpp"
#include "generators.hpp"

using namespace topo;
using namespace topo::test;

namespace {

const std::string topology = "lab";

/// The folder of the locks, one for the whole program.
const std::string& lock_folder() {
  static const struct Folder {
    std::string path = (std::filesystem::temp_directory_path() / ("topo-property." + std::to_string(::getpid()))).string();
    ~Folder() { std::filesystem::remove_all(path); }
  } folder;
  return folder.path;
}

ApplyOptions options() {
  ApplyOptions made;
  made.folder = lock_folder();
  made.lock_timeout = std::chrono::milliseconds(0);
  return made;
}

Result<Outcome> apply(Simulation& simulation, const Graph& desired, const ApplyOptions& with = options()) {
  simulation.operations = simulation.changes = 0;
  return apply_graph(simulation.kernels(), desired, with);
}

/// A machine with strangers, who come first, and with `graph` where they leave room for it.
Machine machine_beside(const Strangers& strangers, const Graph& graph) {
  Machine machine;
  for (const Resource& resource : strangers.things) {
    if (const auto refused = machine.create(resource, "")) RC_FAIL(refused->why);
  }
  Simulation simulation(std::move(machine));
  const auto applied = apply(simulation, graph);
  if (!applied) RC_FAIL(applied.error().to_string());
  return std::move(simulation.machine);
}

void require_same(const Machine& is, const Machine& shall, const std::string& what) {
  std::string text;
  for (const std::string& line : is.differences_from(shall)) text += "\n  " + line;
  if (!text.empty()) RC_FAIL(what + ":" + text);
}

/// What may be said of an object that differs, but for how it does.
using Words = std::vector<std::string>;

std::string short_name(const Resource& resource) { return std::string(kind_of(resource)) + " " + title_of(resource); }

/// All that differs, and how `left over` may tell it: for sure, and where it could not look.
std::map<Id, std::pair<Words, Words>> words_for(const Machine& is, const Machine& was) {
  const Graph before = was.observe(Graph(topology));
  const Graph now = is.observe(before);
  std::map<Id, std::pair<Words, Words>> words;
  const auto add = [&](const Resource& resource, const std::string& sure) {
    words[id_of(resource)].first.push_back(sure);
    words[id_of(resource)].second.push_back(short_name(resource) + " may have been changed");
  };
  const auto long_name = [](const Resource& resource) {
    const std::string summary = summary_of(resource);
    return short_name(resource) + (summary.empty() ? "" : " (" + summary + ")");
  };
  for (const auto& [id, node] : now.nodes()) {
    const Node* const earlier = before.find(id);
    if (earlier == nullptr) add(node.resource, long_name(node.resource) + " is left");
    if (earlier == nullptr || earlier->resource == node.resource) continue;
    // A cable is called after what it ties, which may be what differs.
    add(node.resource, short_name(node.resource) + " differs");
    add(earlier->resource, short_name(earlier->resource) + " differs");
  }
  for (const auto& [id, node] : before.nodes()) {
    if (now.find(id) == nullptr) add(node.resource, long_name(node.resource) + " is missing");
  }
  return words;
}

bool is_one_of(const std::string& line, const Words& words) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return line == word || line.starts_with(word + ":"); });
}

/// `error` says that something is left: it must name all of it, and, where it could look, nothing else.
void check_left(const Error& error, const Machine& is, const Machine& was) {
  const auto words = words_for(is, was);
  std::set<std::string> told;
  for (const std::string& line : error.details) {
    if (line.starts_with("  ")) told.insert(line.substr(2));
  }
  if (told.empty()) RC_FAIL("names nothing: " + error.to_string());
  const bool looked = std::none_of(told.begin(), told.end(), [](const std::string& line) { return line.ends_with("may have been changed"); });
  for (const auto& [id, ways] : words) {
    const Words& good = looked ? ways.first : ways.second;
    if (std::none_of(told.begin(), told.end(), [&](const std::string& line) { return is_one_of(line, good); }))
      RC_FAIL("does not name " + id + ":\n" + error.to_string());
  }
  for (const std::string& line : looked ? told : std::set<std::string>{}) {
    if (std::none_of(words.begin(), words.end(), [&](const auto& entry) { return is_one_of(line, entry.second.first); }))
      RC_FAIL("names what does not differ, " + line + ":\n" + error.to_string());
  }
}

/// What was said of an apply of `desired` must be so.
void check_outcome(const Result<Outcome>& outcome, const Machine& is, const Machine& was, const Machine& fresh, const Graph& desired) {
  if (outcome) {
    require_same(is, fresh, "success, but not as made fresh");
    RC_ASSERT(diff(is.observe(desired), desired).empty());
  } else if (outcome.error().exit == Exit::left_over) {
    RC_TAG("left over");
    check_left(outcome.error(), is, was);
  } else {
    require_same(is, was, "said to be as before: " + outcome.error().to_string());
  }
}

/// Whatever is there, a next apply makes it right, and destroy takes all of it away.
void require_converges(Simulation& simulation, const Graph& desired, const Machine& fresh, const Machine& strangers_alone) {
  simulation.fault.reset();
  simulation.intruder = nullptr;
  if (const auto applied = apply(simulation, desired); !applied) RC_FAIL("the next apply: " + applied.error().to_string());
  require_same(simulation.machine, fresh, "after the next apply");
  const auto again = apply(simulation, desired);
  RC_ASSERT(again && again->plan.empty() && simulation.changes == 0U);
  if (const auto destroyed = apply(simulation, Graph(topology)); !destroyed) RC_FAIL("destroy: " + destroyed.error().to_string());
  require_same(simulation.machine, strangers_alone, "after destroy");
}

/// Everything that a property about going from `a` to `b` needs.
struct Case {
  Machine strangers_alone, was, fresh;
  Graph desired;
  std::size_t operations = 0;  ///< of an apply that nothing disturbs

  Case(const Strangers& strangers, const Graph& a, const Graph& b) : strangers_alone(machine_beside(strangers, Graph(topology))), desired(b) {
    const auto fits = [&](const Graph& graph) { return strangers_alone.find_hindrances(graph).obstacles.empty(); };
    RC_PRE(fits(a) && fits(b));
    was = machine_beside(strangers, a);
    fresh = machine_beside(strangers, b);
    Simulation simulation = start();
    const auto applied = apply(simulation, desired);
    if (!applied) RC_FAIL(applied.error().to_string());
    operations = simulation.operations;
    check_outcome(applied, simulation.machine, was, fresh, desired);
  }
  [[nodiscard]] Simulation start() const { return Simulation(was); }
};

}  // namespace

TEST_CASE("apply leads from anything to anything, again does nothing, and destroy leaves what was there before") {
  rc::prop("A, B, B, destroy", [](const Strangers& strangers, const Graph& a, const Graph& b) {
    const Case trial(strangers, a, b);
    Simulation simulation = trial.start();
    require_converges(simulation, b, trial.fresh, trial.strangers_alone);
  });
}

TEST_CASE("where a stranger is in the way, nothing is touched") {
  rc::prop("conflict", [](const Strangers& strangers, const Graph& a) {
    Machine machine = machine_beside(strangers, Graph(topology));
    Simulation simulation(machine);
    const bool in_the_way = !machine.find_hindrances(a).obstacles.empty();
    const auto applied = apply(simulation, a);
    RC_ASSERT(static_cast<bool>(applied) != in_the_way);
    if (applied) return;
    RC_ASSERT(applied.error().exit == Exit::conflict);
    RC_ASSERT(simulation.changes == 0U);
    require_same(simulation.machine, machine, "after a conflict");
  });
}

TEST_CASE("a failure gives back what was there, or names all that is left; the next apply is right") {
  rc::prop("one fault", [](const Strangers& strangers, const Graph& a, const Graph& b, const Moment& when, const FaultKind& kind) {
    const Case trial(strangers, a, b);
    Simulation simulation = trial.start();
    simulation.fault = Fault{when.of(trial.operations), kind.error, kind.halfway, kind.lasting};
    const auto outcome = apply(simulation, b);
    check_outcome(outcome, simulation.machine, trial.was, trial.fresh, b);
    require_converges(simulation, b, trial.fresh, trial.strangers_alone);
  });
}

TEST_CASE("a failure of a destroy gives back what was there, or names all that is left") {
  rc::prop("one fault", [](const Strangers& strangers, const Graph& a, const Moment& when, const FaultKind& kind) {
    const Case trial(strangers, a, Graph(topology));
    Simulation simulation = trial.start();
    simulation.fault = Fault{when.of(trial.operations), kind.error, kind.halfway, kind.lasting};
    const auto outcome = apply(simulation, trial.desired);
    check_outcome(outcome, simulation.machine, trial.was, trial.fresh, trial.desired);
    require_converges(simulation, trial.desired, trial.fresh, trial.strangers_alone);
  });
}

TEST_CASE("an interrupt gives back what was there; a second one may leave some of it, and says what") {
  rc::prop("interrupts", [](const Strangers& strangers, const Graph& a, const Graph& b, const Moment& first, const Moment& second, bool twice) {
    const Case trial(strangers, a, b);
    Simulation simulation = trial.start();
    ApplyOptions with = options();
    // The way back is about as long again.
    const std::size_t one = first.of(trial.operations), two = one + second.of(2 * trial.operations);
    with.interrupts = [&] { return (simulation.operations > one ? 1 : 0) + (twice && simulation.operations > two ? 1 : 0); };
    const auto outcome = apply(simulation, b, with);
    if (!outcome) RC_ASSERT(outcome.error().exit == Exit::interrupted || (twice && outcome.error().exit == Exit::left_over));
    check_outcome(outcome, simulation.machine, trial.was, trial.fresh, b);
    require_converges(simulation, b, trial.fresh, trial.strangers_alone);
  });
}

TEST_CASE("a name that somebody takes meanwhile is left to them, and all else given back") {
  rc::prop("intruder", [](const Strangers& strangers, const Graph& a, const Graph& b, const Moment& when) {
    const Case trial(strangers, a, b);
    Simulation simulation = trial.start();
    simulation.intrudes_at = when.of(trial.operations);
    Bridge theirs;
    theirs.name = "p1";
    bool intruded = false;
    simulation.intruder = [&](Machine& machine) { intruded = !machine.create(theirs, ""); };
    const auto outcome = apply(simulation, b);
    Machine was = trial.was, fresh = trial.fresh, alone = trial.strangers_alone;
    if (!intruded) return check_outcome(outcome, simulation.machine, was, fresh, b);
    if (outcome) {
      RC_ASSERT(!fresh.create(theirs, ""));
    } else {
      const auto left = was.create(theirs, "");
      if (left) {
        RC_TAG("what was there before had that name");
        RC_ASSERT(outcome.error().exit == Exit::left_over);
        was = trial.was;
      }
    }
    RC_ASSERT(simulation.machine.things().contains(id_of(theirs)));
    check_outcome(outcome, simulation.machine, was, fresh, b);
    RC_ASSERT(!simulation.machine.remove(theirs));
    require_converges(simulation, b, trial.fresh, alone);
  });
}

TEST_CASE("whatever somebody has spoilt, the next apply is right") {
  rc::prop("drift", [](const Strangers& strangers, const Graph& a, const Graph& b, const std::vector<Moment>& which, const Graph& added) {
    const Case trial(strangers, a, b);
    Simulation simulation = trial.start();
    Machine& machine = simulation.machine;
    for (const Moment& moment : which) {
      const Graph live = machine.observe(Graph(topology));
      if (live.empty()) break;
      const Resource& resource = std::next(live.nodes().begin(), static_cast<std::ptrdiff_t>(moment.of(live.size())))->second.resource;
      if (moment.part % 2 == 0) {
        (void)machine.remove(resource);  // refused where it cannot go alone
      } else {
        machine.spoil(id_of(resource), "down");
      }
    }
    for (const auto& [id, node] : added.nodes()) {
      // In the host what bears no mark is somebody's own; in our namespaces it is drift, unless it is just what is wanted.
      if (b.find(id) != nullptr) continue;
      const auto* address = std::get_if<Address>(&node.resource);
      const auto* route = std::get_if<Route>(&node.resource);
      const std::string ns = address != nullptr ? address->ns : route != nullptr ? route->ns : "";
      const auto space = machine.things().find("namespace " + ns);
      if (space != machine.things().end() && space->second.owner == topology) (void)machine.create(node.resource, "");
    }
    const Machine spoilt = machine;
    const auto outcome = apply(simulation, b);
    if (!outcome) RC_FAIL(outcome.error().to_string());
    check_outcome(outcome, machine, spoilt, trial.fresh, b);
    require_converges(simulation, b, trial.fresh, trial.strangers_alone);
  });
}
