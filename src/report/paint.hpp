// Colours of a terminal.
#pragma once

#include <string>

namespace topo::report {

enum class Paint { plain, colored };

/// ECMA-48, Select Graphic Rendition.
namespace color {
inline constexpr const char* bold = "\033[1m";
inline constexpr const char* dim = "\033[2m";
inline constexpr const char* red = "\033[31m";
inline constexpr const char* green = "\033[32m";
inline constexpr const char* yellow = "\033[33m";
inline constexpr const char* magenta = "\033[35m";
inline constexpr const char* cyan = "\033[36m";
}  // namespace color

/// `text` in a colour, and what follows it in none.
[[nodiscard]] inline std::string painted(Paint paint, const char* color, const std::string& text) {
  return paint == Paint::plain || text.empty() ? text : color + text + "\033[0m";
}

}  // namespace topo::report
