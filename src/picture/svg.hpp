// A picture as SVG 1.1, complete in itself.
#pragma once

#include <string>

#include "picture/layout.hpp"

namespace topo::picture {

/// One document without a last line end. Light and dark by what the viewer prefers; nothing is loaded from anywhere.
[[nodiscard]] std::string to_svg(const Scene& scene, const Layout& layout);

}  // namespace topo::picture
