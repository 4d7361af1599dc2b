// A topology, its model and its names, kept together.
#pragma once

#include <memory>

#include "desire/desire.hpp"
#include "reach/names.hpp"

namespace topo::reach {

class Picture {
 public:
  /// `graph` is what is there or shall be of `topology`, which must outlive this; `intent` what its policy means.
  Picture(const Topology& topology, const Graph& graph, const policy::Intent& intent)
      : model_(std::make_unique<Model>(graph, intent, zones_of(topology))), names_(std::make_unique<Names>(topology, *model_)) {}

  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const Names& names() const { return *names_; }

 private:
  std::unique_ptr<Model> model_;
  std::unique_ptr<Names> names_;
};

}  // namespace topo::reach
