// The kernel half of routes.
#pragma once

#include "resources/kernel.hpp"
#include "resources/route/route.hpp"

namespace topo {

template <>
struct KernelHalf<Route> {
  [[nodiscard]] static Result<void> create(const Route& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Route& before, const Route& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Route& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
};

}  // namespace topo
