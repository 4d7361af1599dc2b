#include "apply/transaction.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "fake_kernel.hpp"

using namespace topo;
using namespace topo::test;

namespace {

Bridge bridge(const std::string& name, std::uint32_t mtu = 1500, bool stp = false) {
  Bridge made;
  made.name = name;
  made.mac = Mac::derived_from(name);
  made.mtu = mtu;
  made.stp = stp;
  return made;
}

Address address(const std::string& interface, const std::string& text) { return {"", interface, *Cidr::parse(text)}; }

Namespace named(const std::string& name) {
  Namespace made;
  made.name = name;
  return made;
}

Graph old_graph() {
  Graph graph("lab");
  graph.put(bridge("front"));
  graph.put(bridge("back"));
  graph.put(address("front", "10.0.1.1/24"));
  graph.put(named("web"));
  return graph;
}

/// Against old_graph(): a change in place, an addition, and removals.
Graph new_graph() {
  Graph graph("lab");
  graph.put(bridge("front", 1400, true));
  graph.put(address("front", "10.0.2.1/24"));
  graph.put(bridge("data"));
  graph.put(named("web"));
  graph.put(named("db"));
  return graph;
}

struct Fixture {
  Folder folder;
  World world;
  ApplyOptions options;
  Fixture() {
    options.folder = folder.path();
    options.lock_timeout = std::chrono::milliseconds(0);
    world.state = old_graph();
  }
  Result<Outcome> apply(const Graph& desired) { return apply_graph(world.kernels_of(), desired, options); }
  [[nodiscard]] std::string lines(const Error& error) const { return error.to_string(); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an empty plan takes no lock and performs nothing") {
  int asked = 0;
  options.agree = [&](const Plan&, const Observed&) { return ++asked > 0; };
  options.done = [&] { ++asked; };
  const auto outcome = apply(old_graph());
  REQUIRE(outcome);
  CHECK(outcome->plan.empty());
  CHECK(world.steps == 0);
  CHECK(world.kernels == 1);
  CHECK(asked == 0);
  CHECK_FALSE(std::filesystem::exists(folder.path()));
}

TEST_CASE_METHOD(Fixture, "a plan is performed, verified on fresh sockets, and recorded under the locks") {
  bool locked = false;
  options.done = [&] { locked = !Locks::take(folder.path(), "lab", std::chrono::milliseconds(0), {}); };
  const auto outcome = apply(new_graph());
  REQUIRE(outcome);
  CHECK(outcome->plan.changes.size() == static_cast<std::size_t>(world.steps));
  CHECK(equal(world.state, new_graph()));
  CHECK(world.kernels == 3);  // plan, plan under the locks, verify
  CHECK(locked);
  CHECK(Locks::take(folder.path(), "lab", std::chrono::milliseconds(0), {}));
}

TEST_CASE_METHOD(Fixture, "where nobody is asked and the locks are free, one look under them is enough") {
  options.lock_first = true;
  std::vector<bool> locked;
  options.agree = [&](const Plan&, const Observed&) {
    locked.push_back(!Locks::take(folder.path(), "lab", std::chrono::milliseconds(0), {}));
    return true;
  };
  REQUIRE(apply(new_graph()));
  CHECK(equal(world.state, new_graph()));
  CHECK(world.kernels == 2);  // plan under the locks, verify
  CHECK(locked == std::vector{true});
  // Who finds nothing to do waits for no lock that another has.
  const auto held = Locks::take(folder.path(), "lab", std::chrono::milliseconds(0), {});
  REQUIRE(held);
  REQUIRE(apply(new_graph()));
  const auto refused = apply(old_graph());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().exit == Exit::locked);
  CHECK(equal(world.state, new_graph()));
}

TEST_CASE_METHOD(Fixture, "a graph without resources destroys the topology") {
  REQUIRE(apply(Graph("lab")));
  CHECK(world.state.empty());
}

TEST_CASE("a failure at any step gives back exactly the old state") {
  World measure;
  measure.state = old_graph();
  const int count = static_cast<int>(diff(old_graph(), new_graph()).changes.size());
  REQUIRE(count >= 5);
  for (int step = 0; step < count; ++step) {
    Fixture fixture;
    fixture.world.refused_first = step;
    const auto outcome = fixture.apply(new_graph());
    INFO("refused at step " << step);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().exit == Exit::rolled_back);
    CHECK(outcome.error().kernel == "Operation not permitted");
    CHECK(equal(fixture.world.state, old_graph()));
    CHECK(Locks::take(fixture.folder.path(), "lab", std::chrono::milliseconds(0), {}));
  }
}

TEST_CASE_METHOD(Fixture, "a refusal in the rollback is tried once more") {
  world.refused_first = 2;
  world.refused_count = 2;
  const auto outcome = apply(new_graph());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::rolled_back);
  CHECK(equal(world.state, old_graph()));
}

TEST_CASE_METHOD(Fixture, "a rollback that fails names every object that differs") {
  world.refused_first = static_cast<int>(diff(old_graph(), new_graph()).changes.size()) - 1;
  world.refused_count = 1000;
  const auto outcome = apply(new_graph());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::left_over);
  const std::string text = lines(outcome.error());
  for (const auto& change : diff(world.state, old_graph()).changes) {
    const Resource& resource = change.before ? *change.before : *change.after;
    INFO(text);
    CHECK(text.find(std::string(kind_of(resource)) + " " + title_of(resource)) != std::string::npos);
  }
  CHECK(text.find("bridge back is missing") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "what a rollback would only have to make again is not named") {
  // The second address of the subnet goes and comes with the first.
  Address second = address("front", "10.0.1.2/24");
  second.secondary = true;
  world.state.put(second);
  Graph desired = world.state;
  desired.erase("address :front 10.0.1.1/24");
  RoutingRule last;
  last.table = 7;
  desired.put(last);
  world.refused_first = static_cast<int>(diff(world.state, desired).changes.size()) - 1;
  world.refused_count = 1000;
  const auto outcome = apply(desired);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::left_over);
  const std::string text = lines(outcome.error());
  INFO(text);
  CHECK(text.find("address front (10.0.1.1/24) is missing") != std::string::npos);
  CHECK(text.find("front differs") == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "what cannot be read after a failure is not called rolled back") {
  world.refused_first = 1;
  world.blind_after = 1;
  const auto outcome = apply(new_graph());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::left_over);
  CHECK(lines(outcome.error()).find("may have been changed") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a kernel that says yes and does something else is found out") {
  bool first = true;
  world.after_perform = [&](Graph& state) {
    if (std::exchange(first, false)) state.put(bridge("front", 9000, true));
  };
  const auto outcome = apply(new_graph());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::rolled_back);
  CHECK(lines(outcome.error()).find("mtu is 9000, not 1400") != std::string::npos);
  CHECK(equal(world.state, old_graph()));
}

TEST_CASE_METHOD(Fixture, "an error keeps its exit code where that tells more") {
  const auto kernels = world.kernels_of();
  int looked = 0;
  const Kernels unsupported = [&]() -> Result<std::unique_ptr<Kernel>> {
    if (++looked == 3) return Error{Exit::unsupported, "no table nat", {}, {}, "modprobe iptable_nat", {}};
    return kernels();
  };
  const auto outcome = apply_graph(unsupported, new_graph(), options);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::unsupported);
  CHECK(equal(world.state, old_graph()));
}

TEST_CASE_METHOD(Fixture, "obstacles are all named, and nothing is performed") {
  world.obstacles = {{"interface front", "is not made by topo", false}, {"port 80/tcp", "the host itself listens on it", true}};
  const auto outcome = apply(new_graph());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::conflict);
  CHECK(lines(outcome.error()).find("interface front: is not made by topo") != std::string::npos);
  CHECK(lines(outcome.error()).find("port 80/tcp") != std::string::npos);
  CHECK(world.steps == 0);
  CHECK(equal(world.state, old_graph()));
}

TEST_CASE_METHOD(Fixture, "take_port goes over listeners and nothing else") {
  options.take_port = true;
  world.obstacles = {{"port 80/tcp", "the host itself listens on it", true}};
  CHECK(apply(new_graph()));
  world.obstacles.push_back({"port 81/tcp", "belongs to topology other", false});
  const auto outcome = apply(old_graph());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::conflict);
  CHECK(lines(outcome.error()).find("port 80") == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "no agreement, no change") {
  options.agree = [](const Plan& plan, const Observed&) {
    CHECK_FALSE(plan.empty());
    return false;
  };
  const auto outcome = apply(new_graph());
  REQUIRE(outcome);
  CHECK(outcome->refused);
  CHECK(world.steps == 0);
  CHECK_FALSE(std::filesystem::exists(folder.path()));
}

TEST_CASE_METHOD(Fixture, "agreement is asked again where the plan is another one under the locks") {
  int asked = 0;
  options.agree = [&](const Plan&, const Observed&) {
    if (++asked == 1) world.state.put(bridge("stray"));
    return true;
  };
  REQUIRE(apply(new_graph()));
  CHECK(asked == 2);
  CHECK(equal(world.state, new_graph()));
}

TEST_CASE("an interrupt at any step gives back exactly the old state") {
  const int count = static_cast<int>(diff(old_graph(), new_graph()).changes.size());
  for (int step = 1; step <= count; ++step) {
    Fixture fixture;
    int interrupts = 0;
    fixture.world.on_step = [&] { interrupts += fixture.world.steps == step ? 1 : 0; };
    fixture.options.interrupts = [&] { return interrupts; };
    const auto outcome = fixture.apply(new_graph());
    INFO("interrupted after step " << step);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().exit == Exit::interrupted);
    CHECK(equal(fixture.world.state, old_graph()));
  }
}

TEST_CASE_METHOD(Fixture, "a second interrupt stops at once and says what is left") {
  int interrupts = 0;
  world.on_step = [&] { interrupts = world.steps >= 4 ? 2 : world.steps >= 3 ? 1 : 0; };
  options.interrupts = [&] { return interrupts; };
  const auto outcome = apply(new_graph());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::left_over);
  CHECK(world.steps == 4);
  CHECK(lines(outcome.error()).find("not wholly rolled back") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "locks exclude, name their holder, and go with it") {
  {
    const auto held = Locks::take(folder.path(), "lab", std::chrono::milliseconds(0), {});
    REQUIRE(held);
    const auto outcome = apply(new_graph());
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().exit == Exit::locked);
    CHECK(lines(outcome.error()).find(std::to_string(::getpid())) != std::string::npos);
    CHECK(world.steps == 0);
    // The host's shared parts are one lock for all topologies.
    const auto other = Locks::take(folder.path(), "other", std::chrono::milliseconds(0), {});
    REQUIRE_FALSE(other);
    CHECK(other.error().exit == Exit::locked);
    const auto stopped = Locks::take(folder.path(), "lab", std::chrono::minutes(1), [] { return true; });
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().exit == Exit::interrupted);
  }
  CHECK(apply(new_graph()));
}

TEST_CASE_METHOD(Fixture, "a lock file that is a link is not followed") {
  std::filesystem::create_directory(folder.path());
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  std::filesystem::create_symlink("/dev/null", folder.path() + "/host.lock");
  CHECK_FALSE(apply(new_graph()));
  CHECK(world.steps == 0);
  CHECK(std::filesystem::is_symlink(folder.path() + "/host.lock"));
}

TEST_CASE_METHOD(Fixture, "a folder that others may write to is refused") {
  std::filesystem::create_directory(folder.path());
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  const auto outcome = apply(new_graph());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::conflict);
  CHECK(world.steps == 0);
}

TEST_CASE_METHOD(Fixture, "what another topo leaves half-way for a moment is neither a conflict nor an error") {
  const auto kernels = world.kernels_of();
  int looked = 0;
  bool broken = false;
  const Kernels shaky = [&]() -> Result<std::unique_ptr<Kernel>> {
    world.obstacles.clear();
    if (++looked == 1) {
      if (broken) return Error{Exit::rolled_back, "the namespace went away", {}, {}, {}, {}};
      world.obstacles = {{"interface front", "is not made by topo", false}};
    }
    return kernels();
  };
  CHECK(apply_graph(shaky, new_graph(), options));
  broken = true;
  looked = 0;
  CHECK(apply_graph(shaky, old_graph(), options));
  CHECK(equal(world.state, old_graph()));
}
