#include "topo/diagnostic.hpp"

#include <algorithm>
#include <tuple>

#include "topo/names.hpp"

namespace topo {
namespace {

std::string_view line_of(const std::string& text, std::uint32_t line) {
  std::size_t begin = 0;
  for (std::uint32_t at = 1; at < line; ++at) {
    const auto end = text.find('\n', begin);
    if (end == std::string::npos) return {};
    begin = end + 1;
  }
  std::string_view found = std::string_view(text).substr(begin, text.find('\n', begin) - begin);
  if (!found.empty() && found.back() == '\r') found.remove_suffix(1);
  return found;
}

/// At most this much of a source line is shown, so that a hostile line does not flood the terminal.
constexpr std::size_t widest = 160;
/// Where the mistake is farther right than fits, this much of the line in front of it is shown.
constexpr std::size_t lead = 40;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; }

/// Columns that a text takes on a terminal once it is printable.
std::size_t width_of(std::string_view text) {
  const std::string safe = printable(text);
  return static_cast<std::size_t>(std::count_if(safe.begin(), safe.end(), [](char c) { return !continues_character(c); }));
}

/// The line and a caret below the mistake. It must stand right also where escapes, tabs and multi-byte characters come before it.
std::string excerpt(std::string_view line, std::size_t column, std::size_t length) {
  std::size_t begin = column + lead > widest ? column - lead : 0;
  while (begin < column && continues_character(line[begin])) ++begin;
  std::size_t end = std::min(line.size(), begin + widest);
  while (end < line.size() && end > column + 1 && continues_character(line[end])) --end;
  const std::string_view shown = line.substr(begin, end - begin);
  const std::string before = begin > 0 ? "..." : "";
  const std::size_t marked = std::max<std::size_t>(1, width_of(shown.substr(column - begin, length)));
  return "\n    " + before + printable(shown) + (end < line.size() ? "..." : "") + "\n    " +
         std::string(before.size() + width_of(shown.substr(0, column - begin)), ' ') + "^" + std::string(marked - 1, '~');
}

}  // namespace

std::string to_string(const Position& at, const Sources& sources) {
  std::string text = at.source < sources.size() ? printable(sources[at.source].name) : std::string();
  if (at.line == 0) return text;
  text += ":" + std::to_string(at.line);
  if (at.column != 0) text += ":" + std::to_string(at.column);
  return text;
}

std::string render(const Diagnostic& diagnostic, const Sources& sources) {
  const std::string place = to_string(diagnostic.at, sources);
  std::string text = place.empty() ? std::string() : place + ": ";
  text += printable(diagnostic.message);
  if (diagnostic.at.line != 0 && diagnostic.at.source < sources.size()) {
    const auto line = line_of(sources[diagnostic.at.source].text, diagnostic.at.line);
    const std::size_t column = diagnostic.at.column == 0 ? 0 : diagnostic.at.column - 1U;
    if (column < line.size()) text += excerpt(line, column, diagnostic.length);
  }
  if (!diagnostic.hint.empty()) text += "\n    " + printable(diagnostic.hint);
  return text;
}

void tidy(std::vector<Diagnostic>& diagnostics) {
  const auto key = [](const Diagnostic& d) { return std::tie(d.at.source, d.at.line, d.at.column, d.message); };
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
                    diagnostics.end());
}

}  // namespace topo
