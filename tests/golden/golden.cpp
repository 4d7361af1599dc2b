// golden CASE: the plan of a case's folder, against its plan.txt.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "desire/desire.hpp"
#include "diff/plan.hpp"
#include "reach/picture.hpp"
#include "report/plan_text.hpp"
#include "topo/load.hpp"

namespace {

struct File {
  topo::Topology topology;
  topo::Graph graph;
  topo::policy::Intent intent;
};

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The graph of a file of the case; an empty one, of that name, where the file is absent.
File read(const std::filesystem::path& path, const std::string& name) {
  if (!std::filesystem::exists(path)) return {{}, topo::Graph(name), {}};
  auto loaded = topo::load_text(text_of(path), path.filename().string());
  auto desired = topo::desire(loaded.topology);
  for (const auto* diagnostics : {&loaded.diagnostics, &desired.diagnostics}) {
    for (const auto& diagnostic : *diagnostics) std::cerr << topo::render(diagnostic, loaded.topology.sources) << "\n";
    if (!diagnostics->empty()) std::exit(2);
  }
  return {std::move(loaded.topology), std::move(desired.graph), std::move(desired.intent)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path folder = argv[1];
  const File live = read(folder / "live.yaml", "");
  const File desired = read(folder / "desired.yaml", live.graph.topology());
  const bool knows_applied = std::filesystem::exists(folder / "applied.yaml");
  const File applied = read(folder / "applied.yaml", "");
  const topo::Plan plan = topo::diff(live.graph, desired.graph, knows_applied ? &applied.graph : nullptr);
  const topo::reach::Picture before(live.topology, live.graph, live.intent), after(desired.topology, desired.graph, desired.intent);
  topo::report::Reachability reachability;
  reachability.changes = compare(live.graph.empty() ? nullptr : &before.names(), desired.graph.empty() ? nullptr : &after.names());
  topo::report::PlanTextOptions options;
  options.reachability = &reachability;
  const std::string is = topo::report::plan_text(plan, desired.topology.sources, options) + "\n";
  if (std::getenv("TOPO_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(folder / "plan.txt") << is;
    return 0;
  }
  const std::string shall = text_of(folder / "plan.txt");
  if (is == shall) return 0;
  std::cout << "--- plan.txt says\n" << shall << "--- the plan is\n" << is;
  return 1;
}
