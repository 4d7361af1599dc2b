// export_round_trip FILE...: export of what each file desires, loaded again, must desire the same. Files with mistakes are passed over.
#include <iostream>

#include "desire/desire.hpp"
#include "diff/plan.hpp"
#include "report/export.hpp"
#include "report/plan_text.hpp"
#include "topo/load.hpp"

int main(int argc, char** argv) {
  int tried = 0;
  int failed = 0;
  for (int i = 1; i < argc; ++i) {
    const auto loaded = topo::load(argv[i]);
    if (!loaded.diagnostics.empty()) continue;
    const auto wanted = topo::desire(loaded.topology);
    if (!wanted.diagnostics.empty()) continue;
    ++tried;
    const std::string text = topo::report::topology_file(wanted.graph);
    const auto again = topo::load_text(text, "exported.yaml");
    const auto got = topo::desire(again.topology);
    const topo::Plan plan = topo::diff(wanted.graph, got.graph);
    if (again.diagnostics.empty() && got.diagnostics.empty() && plan.empty()) continue;
    ++failed;
    std::cout << argv[i] << ":\n" << text << "\n";
    for (const auto* diagnostics : {&again.diagnostics, &got.diagnostics}) {
      for (const auto& diagnostic : *diagnostics) std::cout << topo::render(diagnostic, again.topology.sources) << "\n";
    }
    std::cout << topo::report::plan_text(plan, again.topology.sources) << "\n";
    for (const auto& change : plan.changes) {
      for (const auto& difference : change.differences) {
        std::cout << "  " << difference.attribute << ": '" << difference.before << "' -> '" << difference.after << "'\n";
      }
    }
  }
  std::cout << tried << " files exported, " << failed << " not the same again\n";
  return failed == 0 && tried > 0 ? 0 : 1;
}
