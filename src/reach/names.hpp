// The names of a topology file, and whom each means among the stations of a model.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reach/model.hpp"
#include "topo/topology.hpp"

namespace topo::reach {

/// The networks outside that a topology has names for: Model tells them apart.
[[nodiscard]] Zones zones_of(const Topology& topology);

/// Whom one name means.
struct NamedSet {
  enum class Kind : std::uint8_t { any, zone, bridge, replicas, ns, internet, host } kind = Kind::ns;
  std::string name;                   ///< as the file writes it: "web[*]" for all replicas
  std::vector<std::size_t> stations;  ///< sorted; namespaces that it means, whole or by what they have on a bridge
  std::vector<std::size_t> whole;     ///< sorted; of these every address
  std::vector<std::size_t> segments;  ///< sorted; of all others what they have there
  std::vector<std::size_t> regions;   ///< sorted
  bool host = false;
};

class Names {
 public:
  /// `topology` may be one that was read back from a kernel. Both must outlive it.
  Names(const Topology& topology, const Model& model);

  /// In the order of the file: zones, bridges, replicas, then every single namespace; at the end internet, host and any.
  [[nodiscard]] const std::vector<NamedSet>& sets() const { return sets_; }
  /// nullptr: no such name.
  [[nodiscard]] const NamedSet* find(const std::string& name) const;
  /// All names, to suggest from.
  [[nodiscard]] std::vector<std::string> all() const;
  /// Whether the interface, by its place among the station's, is of what the set means of that station.
  [[nodiscard]] bool contains(const NamedSet& set, std::size_t station, std::size_t interface) const;

  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] const Topology& topology() const { return topology_; }
  /// The zone that a region is, else "internet"; several zones as "a, b".
  [[nodiscard]] std::string name_of_region(std::size_t region) const;

 private:
  void add(NamedSet set);
  void add_bridge(const std::string& name, NamedSet& set) const;
  void add_named(const std::string& name, NamedSet& set) const;

  const Topology& topology_;
  const Model& model_;
  std::vector<NamedSet> sets_;
  std::map<std::string, std::size_t> by_name_;
};

}  // namespace topo::reach
