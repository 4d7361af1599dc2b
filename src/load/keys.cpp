#include "load/keys.hpp"

#include "load/scalars.hpp"
#include "topo/names.hpp"

namespace topo::reading {

bool is_map(Mistakes& mistakes, const Node& value, std::string_view what, std::string hint) {
  if (value.is_map()) return true;
  if (!value.is_null() && !value.is_refused()) mistakes.add(value, std::string(what) + " takes a map, not " + described(value), std::move(hint));
  return false;
}

bool is_list(Mistakes& mistakes, const Node& value, std::string_view what, std::string hint) {
  if (value.is_list()) return true;
  if (!value.is_null() && !value.is_refused()) mistakes.add(value, std::string(what) + " takes a list, not " + described(value), std::move(hint));
  return false;
}

bool gives(const Node& map, std::string_view key, const std::vector<std::string>& known) {
  if (map.find(key) != nullptr) return true;
  for (std::size_t i = 0; i < map.pairs(); ++i) {
    const std::string& text = map.key(i).text;
    if (std::find(known.begin(), known.end(), text) == known.end() && nearest(text, known) == key) return true;
  }
  return false;
}

void refuse_key(Mistakes& mistakes, const Node& key, const Node& value, std::string_view where, const std::vector<std::string>& known,
                std::string hint) {
  if (hint.empty()) hint = mistakes.suggestion(key.text, known);
  if (hint.empty() && value.is_null() && key.text.find(':') != std::string::npos) hint = "a space is missing after the \":\"";
  if (hint.empty()) {
    for (const auto& name : known) hint += (hint.empty() ? "known here: " : ", ") + name;
  }
  mistakes.add(key, "unknown key " + in_quotes(key.text) + " in " + std::string(where), std::move(hint));
}

}  // namespace topo::reading
