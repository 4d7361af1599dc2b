#include "reach/names.hpp"

#include <algorithm>

namespace topo::reach {
namespace {

constexpr std::string_view all_of_them = "[*]";

void sort_unique(std::vector<std::size_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

/// Whether all that is in the region is in one of the networks.
bool covers(const std::vector<Cidr>& networks, const Region& region) {
  const auto is_in = [&](const std::optional<IpAddress>& example) {
    return !example || std::any_of(networks.begin(), networks.end(), [&](const Cidr& network) { return network.contains(*example); });
  };
  return (region.examples[0] || region.examples[1]) && is_in(region.examples[0]) && is_in(region.examples[1]);
}

}  // namespace

Zones zones_of(const Topology& topology) {
  Zones zones;
  for (const auto& zone : topology.zones) {
    std::vector<Cidr>& networks = zones.emplace_back();
    for (const auto& member : zone.members) {
      if (const auto* network = std::get_if<Cidr>(&member.value)) networks.push_back(*network);
    }
    if (networks.empty()) zones.pop_back();
  }
  return zones;
}

Names::Names(const Topology& topology, const Model& model) : topology_(topology), model_(model) {
  NamedSet any{NamedSet::Kind::any, "any", {}, {}, {}, {}, true}, internet{NamedSet::Kind::internet, "internet", {}, {}, {}, {}, false};
  for (std::size_t station = gateway + 1; station < model.network().stations().size(); ++station) any.whole.push_back(station);
  for (std::size_t region = 0; region < model.regions().size(); ++region) internet.regions.push_back(region);
  any.stations = any.whole;
  any.regions = internet.regions;
  for (const auto& zone : topology.zones) {
    NamedSet set{NamedSet::Kind::zone, zone.name, {}, {}, {}, {}, false};
    std::vector<Cidr> networks;
    for (const auto& member : zone.members) {
      if (const auto* network = std::get_if<Cidr>(&member.value)) {
        networks.push_back(*network);
      } else {
        add_named(std::get<std::string>(member.value), set);
      }
    }
    for (std::size_t region = 0; region < model.regions().size(); ++region) {
      if (covers(networks, model.regions()[region])) set.regions.push_back(region);
    }
    add(std::move(set));
  }
  for (const auto& bridge : topology.bridges) {
    NamedSet set{NamedSet::Kind::bridge, bridge.name, {}, {}, {}, {}, false};
    add_bridge(bridge.name, set);
    add(std::move(set));
  }
  for (const auto& ns : topology.namespaces) {
    if (!ns.replicas) continue;
    NamedSet set{NamedSet::Kind::replicas, ns.name + std::string(all_of_them), {}, {}, {}, {}, false};
    add_named(set.name, set);
    add(std::move(set));
  }
  for (const auto& ns : topology.namespaces) {
    for (std::uint32_t i = 1; i <= (ns.replicas ? ns.replicas->value : 1); ++i) {
      NamedSet set{NamedSet::Kind::ns, ns.replicas ? ns.name + std::to_string(i) : ns.name, {}, {}, {}, {}, false};
      if (const auto station = model.network().find(set.name)) set.stations = set.whole = {*station};
      add(std::move(set));
    }
  }
  add(std::move(internet));
  add({NamedSet::Kind::host, "host", {}, {}, {}, {}, true});
  add(std::move(any));
}

void Names::add(NamedSet set) {
  for (auto* list : {&set.stations, &set.whole, &set.segments, &set.regions}) sort_unique(*list);
  by_name_.emplace(set.name, sets_.size());
  sets_.push_back(std::move(set));
}

void Names::add_bridge(const std::string& name, NamedSet& set) const {
  const policy::Intent& intent = model_.intent();
  for (std::size_t segment = 0; segment < intent.segments.size(); ++segment) {
    if (!intent.segments[segment].bridge || intent.segments[segment].interface != name) continue;
    set.segments.push_back(segment);
    for (const std::size_t member : model_.relations().members[segment]) {
      if (const std::size_t station = model_.network().station_of(member); station != none) set.stations.push_back(station);
    }
  }
}

void Names::add_named(const std::string& name, NamedSet& set) const {
  if (std::any_of(topology_.bridges.begin(), topology_.bridges.end(), [&](const BridgeSpec& bridge) { return bridge.name == name; }))
    return add_bridge(name, set);
  std::vector<std::string> names{name};
  if (std::string_view(name).ends_with(all_of_them)) {
    const std::string base = name.substr(0, name.size() - all_of_them.size());
    names.clear();
    for (const auto& ns : topology_.namespaces) {
      for (std::uint32_t i = 1; ns.name == base && ns.replicas && i <= ns.replicas->value; ++i) names.push_back(base + std::to_string(i));
    }
  }
  for (const auto& each : names) {
    const auto station = model_.network().find(each);
    if (!station) continue;
    set.stations.push_back(*station);
    set.whole.push_back(*station);
  }
}

const NamedSet* Names::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &sets_[found->second];
}

std::vector<std::string> Names::all() const {
  std::vector<std::string> names;
  for (const auto& set : sets_) names.push_back(set.name);
  return names;
}

bool Names::contains(const NamedSet& set, std::size_t station, std::size_t interface) const {
  if (std::binary_search(set.whole.begin(), set.whole.end(), station)) return true;
  const Interface& own = model_.network().interfaces()[model_.network().stations()[station].interfaces[interface]];
  return own.member != none && std::binary_search(set.segments.begin(), set.segments.end(), own.segment);
}

std::string Names::name_of_region(std::size_t region) const {
  std::string names;
  for (const auto& set : sets_) {
    if (set.kind != NamedSet::Kind::zone || !std::binary_search(set.regions.begin(), set.regions.end(), region)) continue;
    names += (names.empty() ? "" : ", ") + set.name;
  }
  return names.empty() ? "internet" : names;
}

}  // namespace topo::reach
