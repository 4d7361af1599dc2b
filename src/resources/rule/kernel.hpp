// The kernel half of policy routing rules.
#pragma once

#include "resources/kernel.hpp"
#include "resources/rule/routing_rule.hpp"

namespace topo {

template <>
struct KernelHalf<RoutingRule> {
  [[nodiscard]] static Result<void> create(const RoutingRule& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const RoutingRule& before, const RoutingRule& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const RoutingRule& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
};

}  // namespace topo
