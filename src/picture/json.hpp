// A picture for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "picture/layout.hpp"

namespace topo::picture {

/// "namespace web", "bridge lan", "host": unique in a scene.
[[nodiscard]] std::string id_of(const Node& node);

/// format, topology, live, width, height, notes, nodes, cables, flows and zones; boxes are [x, y, width, height] and wires lists of [x, y], in pixels.
/// With `drawing` also the texts and buses that the picture consists of besides.
[[nodiscard]] nlohmann::ordered_json document_of(const Scene& scene, const Layout& layout, bool drawing);

/// The document without the drawing. ASCII only, without a last line end.
[[nodiscard]] std::string to_json(const Scene& scene, const Layout& layout);

}  // namespace topo::picture
