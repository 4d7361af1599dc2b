// A scene as text for other programs that draw.
#pragma once

#include <string>

#include "picture/scene.hpp"

namespace topo::picture {

/// For Graphviz (dot(1)); without a last line end.
[[nodiscard]] std::string to_dot(const Scene& scene);

}  // namespace topo::picture
