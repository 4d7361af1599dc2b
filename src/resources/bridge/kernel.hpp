// The kernel half of bridges.
#pragma once

#include "resources/bridge/bridge.hpp"
#include "resources/kernel.hpp"

namespace topo {

template <>
struct KernelHalf<Bridge> {
  [[nodiscard]] static Result<void> create(const Bridge& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Bridge& before, const Bridge& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Bridge& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
  [[nodiscard]] static Result<void> find_hindrances(const Reading& reading, const Graph& live, Hindrances& found);
};

}  // namespace topo
