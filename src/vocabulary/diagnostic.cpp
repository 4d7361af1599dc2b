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
    const auto line = line_of(sources[diagnostic.at.source].text, diagnostic.at.line).substr(0, widest);
    const std::size_t column = diagnostic.at.column == 0 ? 0 : diagnostic.at.column - 1U;
    if (!line.empty() && column < line.size()) {
      // The caret must stand below the character also where escapes, tabs and multi-byte characters come before it.
      std::string pad;
      const std::string before = printable(std::string(line.substr(0, column)));
      for (const char c : before) {
        if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80) pad += ' ';
      }
      const std::size_t length = std::clamp<std::size_t>(diagnostic.length, 1, line.size() - column);
      text += "\n    " + printable(line) + "\n    " + pad + "^" + std::string(length - 1, '~');
    }
  }
  if (!diagnostic.hint.empty()) text += "\n    " + printable(diagnostic.hint);
  return text;
}

void tidy(std::vector<Diagnostic>& diagnostics) {
  const auto key = [](const Diagnostic& d) { return std::tie(d.at.source, d.at.line, d.at.column, d.message); };
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }), diagnostics.end());
}

}  // namespace topo
