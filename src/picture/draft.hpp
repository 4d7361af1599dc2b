// A scene in the making: what each stage leaves for the next.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "picture/scene.hpp"

namespace topo::picture {

struct Draft {
  const Subject& subject;
  Scene scene{};
  std::unordered_map<std::string, std::size_t> bridges{};  ///< nodes by the bridge's name
  std::unordered_map<std::string, std::size_t> spaces{};   ///< nodes by the namespace's name
  std::map<Id, Drift> drift{};                             ///< of what differs
  std::size_t internet = nowhere, anyone = nowhere, host = nowhere;
  std::map<std::string, std::size_t> outside{};  ///< nodes of zones of addresses outside, by the zone's name

  [[nodiscard]] Drift drift_of(const Id& id) const;
  /// "FILE:LINE" of where the file says it; empty where it does not.
  [[nodiscard]] std::string where(const Position& at) const;
};

// The stages, in their order.
void read_drift(Draft& draft);
void add_outside(Draft& draft);  ///< internet, zones outside, anyone, host
void add_bridges(Draft& draft);
void add_spaces(Draft& draft);
void add_cables(Draft& draft);
void add_facts(Draft& draft);
void add_zones(Draft& draft);
void add_flows(Draft& draft);

/// The addresses of an interface, without the link-local one that is derived from its MAC; IPv4 first.
[[nodiscard]] std::vector<Cidr> addresses_on(const Graph& graph, const std::string& ns, const std::string& interface, const Mac& mac);

/// Calls `look` with every rule of the policy, that of the kernel too.
template <class Look>
void each_flow(const Subject& subject, Look look) {
  for (const Topology* topology : {&subject.topology, subject.live_topology}) {
    if (topology == nullptr) continue;
    for (const auto* flows : {&topology->policy.allow, &topology->policy.deny}) std::for_each(flows->begin(), flows->end(), look);
  }
}

/// Resources of one kind: the file's, and after them what only the kernel has.
template <class T>
std::vector<const T*> all_of(const Subject& subject) {
  std::vector<const T*> found = subject.desired.all<T>();
  if (subject.live == nullptr) return found;
  for (const T* live : subject.live->all<T>()) {
    if (subject.desired.find(id_of(*live)) == nullptr) found.push_back(live);
  }
  return found;
}

/// The names that "NAME" or "NAME[*]" stands for in `topology`.
[[nodiscard]] std::vector<std::string> spaces_named(const Topology& topology, const std::string& text);

}  // namespace topo::picture
