#include "picture/text.hpp"

#include <array>

#include "topo/names.hpp"

namespace topo::picture {
namespace {

/// Thousandths of the font's size from ' ' to '~' in DejaVu Sans Bold, which is wider than the fonts in front of it in the list.
constexpr std::array<int, 95> widths{
    348, 456, 520, 837, 695,  1001, 872, 306, 457, 457, 522, 837, 379,  415, 379, 365, 695, 695, 695, 695, 695, 695, 695, 695,
    695, 695, 399, 399, 837,  837,  837, 580, 1000, 773, 762, 733, 830, 683, 683, 820, 836, 372, 372, 774, 637, 995, 836, 850,
    732, 850, 770, 720, 682,  812,  773, 1103, 770, 724, 725, 457, 365, 457, 837, 500, 500, 674, 715, 592, 715, 678, 435, 715,
    711, 342, 342, 665, 342,  1041, 711, 687, 715, 715, 493, 595, 478, 711, 651, 923, 645, 651, 582, 711, 365, 711, 837};
/// Of any character in DejaVu Sans Mono.
constexpr int monospaced_width = 603;
/// The widest that a character of another script is.
constexpr int foreign_width = 1000;

struct Form {
  int font, height;
  bool monospaced;
};

Form form_of(Text::Style style) {
  switch (style) {
    case Text::Style::title:
      return {20, 28, false};
    case Text::Style::subtitle:
      return {12, 18, false};
    case Text::Style::name:
      return {13, 20, false};
    case Text::Style::line:
      return {11, 16, true};
    case Text::Style::tag:
      return {10, 16, false};
    case Text::Style::label:
      return {11, 18, true};
    case Text::Style::end:
      return {9, 12, true};
    case Text::Style::zone:
      return {11, 18, false};
    case Text::Style::legend:
      return {11, 18, false};
  }
  return {};
}

}  // namespace

const char* to_text(Text::Style style) {
  switch (style) {
    case Text::Style::title:
      return "title";
    case Text::Style::subtitle:
      return "subtitle";
    case Text::Style::name:
      return "name";
    case Text::Style::line:
      return "line";
    case Text::Style::tag:
      return "tag";
    case Text::Style::label:
      return "label";
    case Text::Style::end:
      return "end";
    case Text::Style::zone:
      return "zone";
    case Text::Style::legend:
      return "legend";
  }
  return "";
}

int line_height(Text::Style style) { return form_of(style).height; }
int font_size(Text::Style style) { return form_of(style).font; }
bool is_monospaced(Text::Style style) { return form_of(style).monospaced; }

int text_width(std::string_view text, Text::Style style) {
  const Form form = form_of(style);
  int sum = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(at)), 1);
    const auto c = static_cast<unsigned char>(text[at]);
    const bool ascii = length == 1 && c >= ' ' && c <= '~';
    if (!ascii) {
      sum += foreign_width;
    } else {
      sum += form.monospaced ? monospaced_width : widths[c - static_cast<unsigned char>(' ')];
    }
    at += length;
  }
  return (sum * form.font + 999) / 1000;
}

Text text_at(int x, int y, std::string text, Text::Style style) {
  Text made{style, {x, y, text_width(text, style), line_height(style)}, std::move(text)};
  return made;
}

std::string shortened(std::string text, int width, Text::Style style) {
  if (text_width(text, style) <= width) return text;
  while (!text.empty() && text_width(text + "…", style) > width) {
    do text.pop_back();
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80);
  }
  return text + "…";
}

}  // namespace topo::picture
