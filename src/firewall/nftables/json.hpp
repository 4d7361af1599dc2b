// Ways into the JSON of libnftables (libnftables-json(5)).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace topo::firewall::nftables {

using Json = nlohmann::json;

/// nullptr: `json` is no object, or has no such member.
[[nodiscard]] inline const Json* member(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found == json.end() ? nullptr : &*found;
}

/// Empty where there is no such member, or no text.
[[nodiscard]] inline std::string text_in(const Json& json, const char* key) {
  const Json* const text = member(json, key);
  return text != nullptr && text->is_string() ? text->get<std::string>() : std::string();
}

/// Of an object with one member: its key and its value.
[[nodiscard]] inline std::optional<std::pair<std::string, const Json*>> only_member(const Json& json) {
  if (!json.is_object() || json.size() != 1) return std::nullopt;
  return std::pair(json.begin().key(), &json.begin().value());
}

}  // namespace topo::firewall::nftables
