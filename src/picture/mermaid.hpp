// A scene as a flowchart of Mermaid, for pages that draw those.
#pragma once

#include <string>

#include "picture/scene.hpp"

namespace topo::picture {

/// Without a last line end.
[[nodiscard]] std::string to_mermaid(const Scene& scene);

}  // namespace topo::picture
