// The kernel half of cables.
#pragma once

#include "resources/kernel.hpp"
#include "resources/veth/veth.hpp"

namespace topo {

template <>
struct KernelHalf<Veth> {
  [[nodiscard]] static Result<void> create(const Veth& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Veth& before, const Veth& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Veth& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
  [[nodiscard]] static Result<void> find_hindrances(const Reading& reading, const Graph& live, Hindrances& found);
};

}  // namespace topo
