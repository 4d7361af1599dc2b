// What a change tells its witness, and what it does while one is not confirmed.
#include <catch2/catch.hpp>

#include "apply/confirm/rendezvous.hpp"
#include "apply/transaction.hpp"
#include "fake_kernel.hpp"

using namespace topo;
using namespace topo::test;

namespace {

Graph graph_of(std::initializer_list<const char*> names) {
  Graph graph("lab");
  for (const char* name : names) {
    Bridge bridge;
    bridge.name = name;
    graph.put(bridge);
  }
  return graph;
}

struct Told : Witness {
  World& world;
  std::string folder;
  std::vector<std::string> words;
  Graph earlier{"lab"};
  bool objects_first = false, objects_last = false;

  Told(World& changed, std::string where) : world(changed), folder(std::move(where)) {}
  void note(const std::string& word) {
    const bool locked = !Locks::take(folder, "lab", std::chrono::milliseconds(0), {});
    words.push_back(word + " after " + std::to_string(world.steps) + (locked ? "" : ", unlocked"));
  }
  Result<void> begins(const Graph& there) override {
    earlier = there;
    note("begins");
    if (objects_first) return Error{Exit::rolled_back, "no", {}, {}, {}, {}};
    return {};
  }
  Result<void> succeeded() override {
    note("succeeded");
    if (objects_last) return Error{Exit::rolled_back, "gone", {}, {}, {}, {}};
    return {};
  }
  void failed() override { note("failed"); }
};

struct Fixture {
  Folder folder;
  World world;
  Told told{world, folder.path()};
  ApplyOptions options;
  bool done = false;
  const Graph before = graph_of({"a", "b"}), after = graph_of({"b", "c"});
  Fixture() {
    options.folder = folder.path();
    options.lock_timeout = std::chrono::milliseconds(0);
    options.witness = &told;
    options.done = [this] { done = true; };
    world.state = before;
  }
  Result<Outcome> apply() { return apply_graph(world.kernels_of(), after, options); }
};
using Words = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "a witness is told of a change from before its first step, under the locks") {
  REQUIRE(apply());
  CHECK(told.words == Words{"begins after 0", "succeeded after 2"});
  CHECK(equal(told.earlier, before));
  CHECK(done);
  told.words.clear();
  REQUIRE(apply());
  CHECK(told.words.empty());  // there was nothing to change
}

TEST_CASE_METHOD(Fixture, "a witness can stop a change that has not begun") {
  told.objects_first = true;
  CHECK(apply().error().what == "no");
  CHECK(told.words == Words{"begins after 0"});
  CHECK(world.steps == 0);
}

TEST_CASE_METHOD(Fixture, "a witness that will not have it has it taken back") {
  told.objects_last = true;
  CHECK(apply().error().what == "gone");
  CHECK(told.words == Words{"begins after 0", "succeeded after 2", "failed after 4"});
  CHECK(equal(world.state, before));
  CHECK_FALSE(done);
}

TEST_CASE_METHOD(Fixture, "a witness is told of a failure when all that can be done about it was") {
  world.refused_first = 1;
  CHECK(apply().error().exit == Exit::rolled_back);
  CHECK(told.words == Words{"begins after 0", "failed after 3"});
  world.steps = 0;
  world.refused_count = 100;
  told.words.clear();
  CHECK(apply().error().exit == Exit::left_over);
  CHECK(told.words.back().substr(0, 6) == "failed");
}

TEST_CASE_METHOD(Fixture, "what is not confirmed yet is changed by nobody but the one who takes it back") {
  const auto listener = rendezvous::listen(folder.path(), "lab");
  REQUIRE(listener);
  int looks = 0;
  const Kernels kernels = [&] {
    ++looks;
    return world.kernels_of()();
  };
  SECTION("also where there would be nothing to change") {
    world.state = after;
    const auto outcome = apply_graph(kernels, after, options);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().exit == Exit::conflict);
    CHECK((looks == 0 && world.steps == 0 && told.words.empty()));
  }
  SECTION("the one who takes it back") {
    options.takes_back = true;
    CHECK(apply_graph(kernels, after, options));
    CHECK(rendezvous::find(folder.path(), "lab").what == rendezvous::Found::What::socket);
  }
  SECTION("another topology") {
    Graph other("other");
    other.put(std::get<Bridge>(after.nodes().begin()->second.resource));
    world.state = Graph("other");
    CHECK(apply_graph(kernels, other, options));
  }
}

TEST_CASE_METHOD(Fixture, "what began to wait before the locks were free stops a change under them") {
  kernel::FileDescriptor listener;
  options.agree = [&](const Plan&, const Observed&) {
    if (!listener) listener = *rendezvous::listen(folder.path(), "lab");  // another topo, meanwhile
    return true;
  };
  const auto outcome = apply();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().exit == Exit::conflict);
  CHECK(world.steps == 0);
}

TEST_CASE_METHOD(Fixture, "a change wipes out what was known of the one before") {
  REQUIRE(rendezvous::listen(folder.path(), "lab"));
  REQUIRE(apply());
  CHECK(rendezvous::find(folder.path(), "lab").what == rendezvous::Found::What::nothing);
  REQUIRE(rendezvous::leave_note(folder.path(), "lab"));
  world.state = before;
  REQUIRE(apply());
  CHECK(rendezvous::find(folder.path(), "lab").what == rendezvous::Found::What::nothing);
}
