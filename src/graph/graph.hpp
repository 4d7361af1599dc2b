// A set of resources by identity: what there shall be, or what there is.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "resources/kinds.hpp"
#include "resources/relation.hpp"
#include "topo/diagnostic.hpp"

namespace topo {

/// "KIND KEY", unique in a graph.
using Id = std::string;

[[nodiscard]] Id id_of(const Resource& resource);
[[nodiscard]] std::string_view kind_of(const Resource& resource);
/// Creation goes by rising (rank, order) and then id; removal the other way round.
[[nodiscard]] int rank_of(const Resource& resource);
[[nodiscard]] int order_of(const Resource& resource);
/// Names by which others need it: its id first.
[[nodiscard]] std::vector<std::string> provides_of(const Resource& resource);
[[nodiscard]] bool lingers(const Resource& resource);
/// Why it is not there, where nobody need have removed it; empty where somebody must have.
[[nodiscard]] std::string_view lost_by_itself(const Resource& resource);
[[nodiscard]] Circumstances spoilt_by(const Resource& resource, Turn turn);
[[nodiscard]] Circumstances relied_on_by(const Resource& resource);
[[nodiscard]] std::vector<std::string> needs_of(const Resource& resource);
[[nodiscard]] std::string title_of(const Resource& resource);
[[nodiscard]] std::string summary_of(const Resource& resource);
/// Both of one kind.
[[nodiscard]] Differences differences_of(const Resource& before, const Resource& after);

struct Node {
  Resource resource;
  Position origin;  ///< where the file says it; nowhere for what is live
};

/// The resources of one topology.
class Graph {
 public:
  explicit Graph(std::string topology = {}) : topology_(std::move(topology)) {}

  [[nodiscard]] const std::string& topology() const { return topology_; }
  /// Adds it, or replaces what has the same id.
  void put(Resource resource, Position origin = {});
  void erase(const Id& id) { nodes_.erase(id); }
  [[nodiscard]] const Node* find(const Id& id) const;
  [[nodiscard]] bool empty() const { return nodes_.empty(); }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const std::map<Id, Node>& nodes() const { return nodes_; }

  /// What provides each name (provides_of), among all that is here.
  [[nodiscard]] std::unordered_map<std::string, Id> providers() const;

  /// All resources of one kind, by id.
  template <class T>
  [[nodiscard]] std::vector<const T*> all() const {
    std::vector<const T*> found;
    for (const auto& [id, node] : nodes_) {
      if (const T* resource = std::get_if<T>(&node.resource)) found.push_back(resource);
    }
    return found;
  }

 private:
  std::string topology_;
  std::map<Id, Node> nodes_;
};

}  // namespace topo
