// Port maps before and after a change: which of them let whom in, and where they lead.
#pragma once

#include <vector>

#include "reach/changes.hpp"

namespace topo::reach {

struct Published {
  std::vector<Change> allowed, moved, denied;
};

/// What comes in from outside (of a map for the host alone: from the host); members have it by the policy towards the target.
[[nodiscard]] Published compare_published(const Names* before, const Names* after);

}  // namespace topo::reach
