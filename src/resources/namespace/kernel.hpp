// The kernel half of namespaces.
#pragma once

#include "resources/kernel.hpp"
#include "resources/namespace/namespace.hpp"

namespace topo {

template <>
struct KernelHalf<Namespace> {
  [[nodiscard]] static Result<void> create(const Namespace& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Namespace& before, const Namespace& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Namespace& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
  [[nodiscard]] static Result<void> find_hindrances(const Reading& reading, const Graph& live, Hindrances& found);
};

}  // namespace topo
