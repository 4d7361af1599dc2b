// YAML text to a small tree that knows where everything stands. Only yaml.cpp sees yaml-cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "topo/diagnostic.hpp"

namespace topo::reading {

class Mistakes;

struct Node {
  /// `refused` is a node whose mistake has been told: whoever reads it says nothing more about it.
  enum class Kind : std::uint8_t { null, scalar, list, map, refused };
  Kind kind = Kind::null;
  bool plain = true;  ///< a scalar without quotes
  Position at;
  std::string text;         ///< of a scalar, as YAML reads it
  std::vector<Node> items;  ///< of a list; of a map its keys and values in turn

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  [[nodiscard]] bool is_refused() const { return kind == Kind::refused; }

  /// Whether it or anything in it is refused.
  [[nodiscard]] bool holds_refused() const;

  /// Of a map.
  [[nodiscard]] std::size_t pairs() const { return items.size() / 2; }
  [[nodiscard]] const Node& key(std::size_t pair) const { return items[2 * pair]; }
  [[nodiscard]] const Node& value(std::size_t pair) const { return items[2 * pair + 1]; }
  [[nodiscard]] const Node* find(std::string_view key) const;
};

/// Deepest nesting of lists and maps.
inline constexpr std::size_t depth_max = 32;

/// Reads one document. Refused, each at its place: what is no YAML, control characters, invalid UTF-8, directives, anchors, aliases, tags,
/// merge keys, keys that are not scalars, keys given twice, a second document, nesting deeper than `depth_max`, and more structure than
/// `nodes_max` nodes. False where the tree is not the whole file; `root` then holds what was read before the mistake.
[[nodiscard]] bool parse(const std::string& text, std::uint16_t source, std::size_t nodes_max, Mistakes& mistakes, Node& root);

}  // namespace topo::reading
