// How much room texts take.
#pragma once

#include <string_view>

#include "picture/layout.hpp"

namespace topo::picture {

[[nodiscard]] const char* to_text(Text::Style style);  ///< "title"

/// Height in pixels of a line, and of the font in it.
[[nodiscard]] int line_height(Text::Style style);
[[nodiscard]] int font_size(Text::Style style);
[[nodiscard]] bool is_monospaced(Text::Style style);

/// Width in pixels in the widest font that the picture's list of fonts may end in.
[[nodiscard]] int text_width(std::string_view text, Text::Style style);

/// A text with its box at (x, y).
[[nodiscard]] Text text_at(int x, int y, std::string text, Text::Style style);

/// As much of it as has room in `width`, with "…" for the rest.
[[nodiscard]] std::string shortened(std::string text, int width, Text::Style style);

/// The next multiple of `step` that is not below `value`.
[[nodiscard]] constexpr int snapped(int value, int step = pitch) { return (value + step - 1) / step * step; }

}  // namespace topo::picture
