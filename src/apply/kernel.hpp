// The seam between the planner and a kernel: real here, simulated in tests.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "diff/obstacle.hpp"
#include "diff/plan.hpp"
#include "graph/graph.hpp"
#include "topo/error.hpp"

namespace topo {

struct Observed : Hindrances {
  Graph live;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Everything that bears the topology's mark, and what stands in the way of `desired`. Changes nothing.
  [[nodiscard]] virtual Result<Observed> observe(const Graph& desired) = 0;
  /// Performs the changes in their order. On an error some of them may have been performed, wholly or in part.
  /// `stop` is asked between steps; true ends the work with Exit::interrupted.
  [[nodiscard]] virtual Result<void> perform(const Plan& plan, const std::function<bool()>& stop) = 0;
};

}  // namespace topo
