// What has to change, as data: an ordered list of (before, after) pairs. The undo of a change is the swapped pair.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace topo {

struct Change {
  /// `recreate` is the second half of a removal and an addition: its `before` goes by a `remove` of the same id earlier in the plan, and what
  /// is left to do is to add `after`. The two may be equal: then the kernel would have spoilt it by another change of the plan.
  enum class Action { add, remove, modify, recreate };
  Action action = Action::add;
  bool repair = false;             ///< `!`: the file is as last applied, the kernel is not
  std::optional<Resource> before;  ///< what is live
  std::optional<Resource> after;   ///< what shall be
  Differences differences;         ///< modify and recreate
  Position origin;                 ///< where the file says it
  /// remove: it goes with what it needs, which the plan removes too, so that nothing is left to do for it.
  bool implied = false;
};

/// Changes in an order that can be performed: removals first, in falling order of creation; then the rest in rising order.
struct Plan {
  std::string topology;
  std::vector<Change> changes;
  [[nodiscard]] bool empty() const { return changes.empty(); }
};

/// The changes that turn `live` into `desired`. `applied` is the graph of the file that was last applied here, where known; it only
/// decides what is drift (repair).
[[nodiscard]] Plan diff(const Graph& live, const Graph& desired, const Graph* applied = nullptr);

}  // namespace topo
