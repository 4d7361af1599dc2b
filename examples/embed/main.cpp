// Reconciles the topology of a file as `topo apply` does, and takes it away again.
#include <iostream>
#include <topo/load.hpp>
#include <topo/reconcile.hpp>

int main(int count, char** words) {
  if (count != 2) return std::cerr << "usage: embed FILE\n", 2;
  const topo::Loaded loaded = topo::load(words[1]);
  for (const auto& mistake : loaded.diagnostics) std::cerr << topo::render(mistake, loaded.topology.sources) << '\n';
  if (!loaded.diagnostics.empty()) return 2;

  const auto fail = [](const topo::Error& error) {
    std::cerr << error.to_string() << '\n';
    return static_cast<int>(error.exit);
  };
  const auto applied = topo::apply_topology(loaded.topology);
  if (!applied) return fail(applied.error());
  for (const auto& step : applied->steps) std::cout << step.sign << ' ' << step.kind << ' ' << step.object << "  " << step.what << '\n';
  for (const auto& warning : applied->warnings) std::cerr << "warning: " << warning << '\n';

  // ... what the network is for ...

  const auto destroyed = topo::destroy_topology(loaded.topology.name.value);
  if (!destroyed) return fail(destroyed.error());
  std::cout << destroyed->steps.size() << " steps back\n";
}
