// The seam between the planner and a kernel: real here, simulated in tests.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "diff/plan.hpp"
#include "graph/graph.hpp"
#include "topo/error.hpp"

namespace topo {

/// Something that is not this topology's and holds a name, an address or a port that it wants.
struct Obstacle {
  std::string what;      ///< "interface frontend", "port 80/tcp"
  std::string why;       ///< "is not made by topo", "belongs to topology lab", "the host itself listens on it"
  bool listener = false; ///< a program listening on a mapped port: `--take-port` goes over it
};

struct Observed {
  Graph live;
  std::vector<Obstacle> obstacles;
  std::vector<std::string> warnings;  ///< what will not work although all is applied: a FORWARD policy that drops, with its remedy
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
