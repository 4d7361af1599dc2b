#include "apply/bridge_filter.hpp"

#include <algorithm>

#include "firewall/bridge_filter.hpp"
#include "kernel/netns.hpp"
#include "resources/firewall/meaning.hpp"

namespace topo {

bool filters_in_bridges(const Graph& graph) {
  const auto firewalls = graph.all<Firewall>();
  return std::any_of(firewalls.begin(), firewalls.end(), [](const Firewall* firewall) { return matches_bridge_ports(*firewall); });
}

Result<void> provide_bridge_filter(bool may_load) {
  const auto home = kernel::own_namespace();
  if (!home) return home.error();
  return firewall::provide_bridge_filter({"", home->get(), home->get()}, may_load);
}

}  // namespace topo
