#include "resources/namespace/namespace.hpp"

namespace topo {

Circumstances Namespace::spoils(Turn) const { return {{"settings " + name, ""}}; }

std::string Namespace::title() const { return name; }

std::string Namespace::summary() const { return forwards ? "router" : ""; }

Differences differences(const Namespace& before, const Namespace& after) {
  Differences found;
  compare(found, "forwarding", before.forwards ? "on" : "off", after.forwards ? "on" : "off");
  compare(found, "state", before.amiss, after.amiss);
  return found;
}

}  // namespace topo
