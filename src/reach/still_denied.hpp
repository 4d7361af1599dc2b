// Who does not come to reach what others now do.
#pragma once

#include <vector>

#include "reach/changes.hpp"

namespace topo::reach {

/// For each zone or bridge that `changes` let somebody reach: the other zones and bridges that may send it nothing at all.
[[nodiscard]] std::vector<Change> still_denied(const std::vector<Change>& changes, const Names& names);

}  // namespace topo::reach
