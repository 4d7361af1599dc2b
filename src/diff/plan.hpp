// What has to change, as data: an ordered list of (before, after) pairs. The undo of a change is the swapped pair.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace topo {

struct Change {
  enum class Action { add, remove, modify, recreate };
  Action action = Action::add;
  bool repair = false;             ///< `!`: the file is as last applied, the kernel is not
  std::optional<Resource> before;  ///< what is live
  std::optional<Resource> after;   ///< what shall be
  Differences differences;         ///< modify and recreate
  Position origin;                 ///< where the file says it
  /// It comes or goes with something it needs, which the plan removes or recreates: nothing is left to do when it is removed.
  bool implied = false;
};

/// Changes in an order that can be performed: removals first, by falling rank; then the rest by rising rank.
struct Plan {
  std::string topology;
  std::vector<Change> changes;
  [[nodiscard]] bool empty() const { return changes.empty(); }
};

/// The changes that turn `live` into `desired`. `applied` is the graph of the file that was last applied here, where known; it only
/// decides what is drift (repair).
[[nodiscard]] Plan diff(const Graph& live, const Graph& desired, const Graph* applied = nullptr);

}  // namespace topo
