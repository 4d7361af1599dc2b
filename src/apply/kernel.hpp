// The seam between the planner and a kernel: real here, simulated in tests.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diff/obstacle.hpp"
#include "diff/plan.hpp"
#include "graph/graph.hpp"
#include "topo/error.hpp"

namespace topo {

class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Everything that bears the topology's mark; `desired` decides only where the kernel keeps no trace. Changes nothing.
  [[nodiscard]] virtual Result<Graph> observe(const Graph& desired) = 0;
  /// `desired` with what this kernel, as last observed, decides of it: by which backend its firewalls are. nullopt: as it is. `applied`: it is what
  /// was applied last, so by the backend that is there, whatever is asked for now.
  [[nodiscard]] virtual Result<std::optional<Graph>> settle(const Graph& desired, bool applied = false) {
    (void)desired, (void)applied;
    return std::optional<Graph>();
  }
  /// What stands in the way of `desired`, which is settled, in what was last observed.
  [[nodiscard]] virtual Result<Hindrances> find_hindrances(const Graph& desired) = 0;
  /// Performs the changes in their order. On an error some of them may have been performed, wholly or in part.
  /// `stop` is asked between steps; true ends the work with Exit::interrupted.
  [[nodiscard]] virtual Result<void> perform(const Plan& plan, const std::function<bool()>& stop) = 0;
};

/// Makes a Kernel with sockets of its own, so that what verifies has seen nothing of what performed.
using Kernels = std::function<Result<std::unique_ptr<Kernel>>()>;

}  // namespace topo
