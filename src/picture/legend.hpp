// The title of a picture, and below it what its signs mean.
#pragma once

#include <set>

#include "picture/layout.hpp"

namespace topo::picture {

/// Adds both, and makes the layout as large as they need. `untold` are the flows whose labels found no room: the legend tells them.
void add_legend(const Scene& scene, Layout& layout, const std::set<std::size_t>& untold);

/// "3 bridges, 3 namespaces".
[[nodiscard]] std::string count_of(const Scene& scene);

}  // namespace topo::picture
