// Machines compared, and made of graphs.
#include <algorithm>
#include <stdexcept>

#include "simulation/machine.hpp"

namespace topo::test {

std::vector<std::string> Machine::differences_from(const Machine& other) const {
  std::vector<std::string> found;
  for (const auto& [id, thing] : things_) {
    const auto twin = other.things_.find(id);
    if (twin == other.things_.end()) {
      found.push_back(id + " (" + summary_of(thing.resource) + ") is left");
    } else if (!(twin->second == thing)) {
      std::string line = id + " differs";
      for (const auto& difference : differences_of(thing.resource, twin->second.resource))
        line += ", " + difference.attribute + " is '" + difference.before + "', not '" + difference.after + "'";
      found.push_back(std::move(line));
    }
  }
  for (const auto& [id, thing] : other.things_) {
    if (!things_.contains(id)) found.push_back(id + " is missing");
  }
  if (leftovers_ != other.leftovers_) found.emplace_back("files of namespaces differ");
  for (const auto& [subnet, addresses] : subnets_) {
    const auto twin = other.subnets_.find(subnet);
    if (twin != other.subnets_.end() && twin->second.front() != addresses.front()) found.push_back("first of " + subnet + " is " + addresses.front());
  }
  std::set<std::pair<std::string, std::string>> names;
  for (const Machine* machine : {this, &other}) {
    for (const auto& [ns, settings] : machine->settings_) {
      for (const auto& [name, value] : settings) names.emplace(ns, name);
    }
  }
  for (const auto& [ns, name] : names) {
    if (setting(ns, name) != other.setting(ns, name))
      found.push_back(ns + " " + name + " is " + setting(ns, name) + ", not " + other.setting(ns, name));
  }
  return found;
}

namespace {

std::vector<const Node*> in_order(const Graph& graph) {
  std::vector<const Node*> nodes;
  for (const auto& [id, node] : graph.nodes()) nodes.push_back(&node);
  std::stable_sort(nodes.begin(), nodes.end(), [](const Node* a, const Node* b) {
    return std::pair(rank_of(a->resource), order_of(a->resource)) < std::pair(rank_of(b->resource), order_of(b->resource));
  });
  return nodes;
}

}  // namespace

Machine machine_with(const Graph& graph) {
  Machine machine;
  for (const Node* node : in_order(graph)) {
    if (const auto refused = machine.create(node->resource, graph.topology())) throw std::logic_error(refused->why);
  }
  return machine;
}

Graph pruned(const Graph& graph) {
  Machine machine;
  Graph taken(graph.topology());
  for (const Node* node : in_order(graph)) {
    if (!machine.create(node->resource, graph.topology())) taken.put(node->resource, node->origin);
  }
  return taken;
}

}  // namespace topo::test
