// Collects the mistakes of a load, each at its token in the source.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "load/yaml.hpp"
#include "topo/diagnostic.hpp"

namespace topo::reading {

/// At most this many mistakes are kept: a hostile file must not be answered with a flood.
inline constexpr std::size_t mistakes_max = 100;

class Mistakes {
 public:
  explicit Mistakes(const Sources& sources) : sources_(sources) {}

  /// At the whole token of `node`.
  void add(const Node& node, std::string message, std::string hint = {});
  /// At `token`, which begins at `at`.
  void add(const Position& at, std::string_view token, std::string message, std::string hint = {});
  /// What stands at `at` is not what is meant: `words` go into the hint of every mistake there.
  void explain(const Position& at, std::string words) { explained_.emplace(at, std::move(words)); }
  /// "did you mean X?", or empty. Costs time in proportion to the candidates, so only the first mistakes get one.
  [[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) const;

  /// Where the character `offset` of a scalar's text stands, if it stands in the source as it is; else where the scalar begins.
  [[nodiscard]] Position within(const Node& node, std::size_t offset) const;

  /// "FILE:LINE" of another place, for hints.
  [[nodiscard]] std::string line_of(const Position& at) const;

  [[nodiscard]] bool empty() const { return kept_.empty(); }
  [[nodiscard]] std::size_t count() const { return kept_.size() + left_out_; }
  /// Takes back all but the first `count`.
  void keep_first(std::size_t count);
  /// All of them in order of position; a last one says how many were left out.
  [[nodiscard]] std::vector<Diagnostic> take();

 private:
  [[nodiscard]] std::string_view rest_of_line(const Position& at) const;
  [[nodiscard]] std::size_t token_length(const Position& at, std::string_view text) const;

  const Sources& sources_;
  std::vector<Diagnostic> kept_;
  std::set<std::pair<Position, std::string>> seen_;
  std::map<Position, std::string> explained_;
  std::size_t left_out_ = 0;
  mutable std::size_t suggestions_ = 0;
  mutable std::vector<std::vector<std::size_t>> line_starts_;
};

/// "TEXT" in double quotes, shortened where it is long.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace topo::reading
