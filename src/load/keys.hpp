// Which keys the language knows, place by place. One table a place serves reading, suggestions and the test against the schema.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "load/mistakes.hpp"
#include "load/yaml.hpp"
#include "topo/load.hpp"
#include "topo/topology.hpp"

namespace topo::reading {

/// What the readers of all sections share. The defaults are maps, empty where the file has none, without keys that they may not hold.
struct Reading {
  Mistakes& mistakes;
  Topology& topology;
  const LoadOptions& options;
  Node bridge_defaults{}, namespace_defaults{}, attach_defaults{}, link_defaults{};
};

/// A key that may stand in the map of a Spec, and what reads its value.
template <class Spec>
struct Key {
  std::string_view name;
  void (*read)(Reading& reading, const Node& value, Spec& spec);
};

/// A place in the file where a fixed set of keys may stand; `name` is that of the schema's definition.
struct Place {
  std::string name;
  std::vector<std::string> keys;
};

/// Every place of the language.
[[nodiscard]] std::vector<Place> known_places();

template <class Table>
[[nodiscard]] std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& key : table) names.emplace_back(key.name);
  return names;
}

/// The hint for keys that the language has set aside: none of those known is meant.
inline constexpr const char* not_in_this_version = "this version of topo has no such key";

/// Whether `value` is a map to go through. Nothing at all stands for an empty map; anything else is told as a mistake with `hint`.
[[nodiscard]] bool is_map(Mistakes& mistakes, const Node& value, std::string_view what, std::string hint = {});
/// The same for a list.
[[nodiscard]] bool is_list(Mistakes& mistakes, const Node& value, std::string_view what, std::string hint = {});

/// Whether `map` has `key`, or a stranger's key that is nearest to it: then its being missing is no further mistake.
[[nodiscard]] bool gives(const Node& map, std::string_view key, const std::vector<std::string>& known);

/// "unknown key", with the nearest of `known`, or `hint` where there is one.
void refuse_key(Mistakes& mistakes, const Node& key, const Node& value, std::string_view where, const std::vector<std::string>& known,
                std::string hint);

/// Reads a map by its table, then those defaults that the map does not give itself.
/// `hint_for` may know what a stranger's key was meant to be.
template <class Spec, class Table>
void read_keys(Reading& reading, const Node& map, std::string_view where, const Table& table, Spec& spec, const Node* defaults = nullptr,
               std::string (*hint_for)(std::string_view key) = nullptr) {
  const auto entry_of = [&](std::string_view name) {
    return std::find_if(std::begin(table), std::end(table), [&](const auto& key) { return key.name == name; });
  };
  if (is_map(reading.mistakes, map, where)) {
    for (std::size_t i = 0; i < map.pairs(); ++i) {
      if (map.key(i).is_refused()) continue;
      const auto entry = entry_of(map.key(i).text);
      if (entry != std::end(table)) {
        entry->read(reading, map.value(i), spec);
      } else {
        refuse_key(reading.mistakes, map.key(i), map.value(i), where, names_of(table), hint_for != nullptr ? hint_for(map.key(i).text) : "");
      }
    }
  }
  if (defaults == nullptr) return;
  for (std::size_t i = 0; i < defaults->pairs(); ++i) {
    const auto entry = entry_of(defaults->key(i).text);
    if (entry != std::end(table) && map.find(defaults->key(i).text) == nullptr) entry->read(reading, defaults->value(i), spec);
  }
}

}  // namespace topo::reading
