// Positions in topology files, and mistakes found there.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace topo {

/// A place in one of the files of a topology; line and column count from 1, line 0 is "nowhere".
struct Position {
  std::uint32_t line = 0;
  std::uint16_t column = 0;
  std::uint16_t source = 0;  ///< index into Sources

  auto operator<=>(const Position&) const = default;
};

/// A value and where the file says it.
template <class T>
struct Located {
  T value{};
  Position at;
};

/// A file that took part in a topology, kept for messages.
struct Source {
  std::string name;  ///< as the user gave it, "-" for standard input
  std::string text;
};
using Sources = std::vector<Source>;

/// One mistake in a topology.
struct Diagnostic {
  Position at;
  std::string message;  ///< without position, lower case, no full stop
  std::string hint;     ///< a suggestion, empty where there is none
  std::uint16_t length = 1;  ///< columns to underline from `at`
};

/// "FILE:LINE:COLUMN" (without what is unknown); control characters escaped.
[[nodiscard]] std::string to_string(const Position& at, const Sources& sources);

/// `file:line:column: message`, the source line, a caret below it, and the hint. Every control character is escaped.
[[nodiscard]] std::string render(const Diagnostic& diagnostic, const Sources& sources);

/// Sorts by position and drops exact repetitions.
void tidy(std::vector<Diagnostic>& diagnostics);

}  // namespace topo
