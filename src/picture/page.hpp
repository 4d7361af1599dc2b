// A picture as a page to look around in.
#pragma once

#include <string>

#include "picture/layout.hpp"
#include "picture/matrix.hpp"

namespace topo::picture {

/// One HTML document, complete in itself, without a last line end: no request is made by it.
[[nodiscard]] std::string to_html(const Scene& scene, const Layout& layout, const Matrix& matrix);

}  // namespace topo::picture
