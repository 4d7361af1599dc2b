// Text in XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace topo::picture {

/// `text` as the content of an element or of an attribute in double quotes; what XML 1.0 cannot hold is escaped as printable() does.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace topo::picture
