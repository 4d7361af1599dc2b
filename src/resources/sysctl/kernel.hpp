// The kernel half of sysctls.
#pragma once

#include "resources/kernel.hpp"
#include "resources/sysctl/sysctl.hpp"

namespace topo {

template <>
struct KernelHalf<Sysctl> {
  [[nodiscard]] static Result<void> create(const Sysctl& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Sysctl& before, const Sysctl& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Sysctl& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
};

}  // namespace topo
