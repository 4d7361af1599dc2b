// Any two graphs: the plan from one to the other leads there, as if it were made fresh, and there is no plan from a graph to itself.
// Bytes are decisions of a generator of graphs; what begins with "topology:" are two topology files, with a line "===" between them, or one and
// nothing.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "desire/desire.hpp"
#include "simulation/random_graph.hpp"
#include "simulation/simulated_kernel.hpp"
#include "topo/load.hpp"

namespace {

using namespace topo;
using test::Machine;

constexpr std::size_t most_resources = 300;  // more take time, and say no more

[[noreturn]] void fail(const std::string& what) {
  std::fputs((what + "\n").c_str(), stderr);
  std::abort();
}

void require_same(const Machine& is, const Machine& shall) {
  for (const std::string& line : is.differences_from(shall)) fail(line);
}

void bring(Machine& machine, const Graph& desired) {
  test::Simulation simulation(std::move(machine));
  const auto performed = test::SimulatedKernel(simulation).perform(diff(simulation.machine.observe(desired), desired), {});
  if (!performed) fail(performed.error().to_string());
  machine = std::move(simulation.machine);
  require_same(machine, test::machine_with(desired));
  if (!diff(machine.observe(desired), desired).empty()) fail("what was just made is planned again");
}

void check(const Graph& a, const Graph& b) {
  if (!diff(a, a).empty()) fail("a graph differs from itself");
  Machine machine = test::machine_with(a);
  bring(machine, b);
  bring(machine, Graph(a.topology()));
}

/// What the text asks for; nullopt where it has a mistake.
std::optional<Graph> graph_of(std::string_view text) {
  static const Sources no_files;
  LoadOptions options;
  options.max_bytes = 1U << 16U;
  options.recorded = &no_files;  // includes
  const Loaded loaded = load_text(std::string(text), "fuzz.yaml", options);
  if (!loaded.diagnostics.empty() || loaded.unreadable) return {};
  Desired desired = desire(loaded.topology);
  if (!desired.diagnostics.empty() || desired.graph.size() > most_resources) return {};
  return std::move(desired.graph);
}

void check_texts(std::string_view text) {
  constexpr std::string_view separator = "\n===\n";
  const std::size_t at = text.find(separator);
  const auto a = graph_of(text.substr(0, at));
  if (!a) return;
  const auto b = at == std::string_view::npos ? Graph(a->topology()) : graph_of(text.substr(at + separator.size()));
  if (b && b->topology() == a->topology()) check(*a, *b);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (text.find("topology:") < 256) {
    check_texts(text);
  } else {
    test::Choices choices(std::vector<std::uint8_t>(bytes, bytes + size));
    const Graph a = test::random_graph(choices);
    check(a, test::random_graph(choices));
  }
  return 0;
}
