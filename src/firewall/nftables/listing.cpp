#include "firewall/nftables/listing.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "firewall/nftables/listed_rule.hpp"

namespace topo::firewall::nftables {
namespace {

using topo::nftables::Base;
using topo::nftables::Chain;
using topo::nftables::Rule;
using topo::nftables::Set;
using topo::nftables::Table;
using topo::nftables::Type;

std::optional<Type> type_named(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(Type::verdict); ++i) {
    if (to_string(static_cast<Type>(i)) == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

/// Of a set by a list, of what a map has by one text, "ipv4_addr . inet_service"; by later versions of what was declared by typeof as an expression.
std::optional<std::vector<Type>> types_in(const Json& json) {
  std::vector<std::string> names;
  if (const Json* const expression = member(json, "typeof")) {
    if (*expression == Json{{"meta", {{"key", "iifname"}}}}) return std::vector{Type::ifname};
    if (*expression == Json{{"ct", {{"key", "zone"}}}}) return std::vector{Type::zone};
    return std::nullopt;
  }
  if (json.is_array()) {
    for (const Json& each : json) names.push_back(each.is_string() ? each.get<std::string>() : "");
  } else if (json.is_string()) {
    const auto text = json.get<std::string>();
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(" . ", at), text.size());
      names.push_back(text.substr(at, end - at));
      at = end + 3;
    }
  }
  std::vector<Type> types;
  for (const std::string& name : names) {
    const auto type = type_named(name);
    if (!type) return std::nullopt;
    types.push_back(*type);
  }
  return types;
}

/// Whether every member is one of these. Which of them there are depends on the library's version: comments came later.
bool has_only(const Json& json, std::initializer_list<const char*> known) {
  const auto items = json.items();
  return std::all_of(items.begin(), items.end(), [&](const auto& item) {
    return std::any_of(known.begin(), known.end(), [&](const char* key) { return item.key() == key; });
  });
}

void read_set(const Json& json, bool is_map, Table& table) {
  const auto key = json.contains("type") ? types_in(json["type"]) : std::nullopt;
  const auto data = is_map && json.contains("map") ? types_in(json["map"]) : std::optional<std::vector<Type>>(std::vector<Type>());
  const Json flags = json.value("flags", Json::array());
  const bool known = key && data && has_only(json, {"family", "name", "table", "type", "map", "flags", "handle", "comment"}) &&
                     (flags.empty() || flags == Json::array({"interval"}) || flags == "interval");
  const std::string name = text_in(json, "name");
  if (!known) {
    Json without = json;
    without.erase("handle");
    table.strange.insert(without.dump());
    return;
  }
  Set& set = table.sets[name];
  set.key = *key;
  set.data = *data;
  set.interval = !flags.empty();
}

void read_chain(const Json& json, Table& table) {
  Chain& chain = table.chains[text_in(json, "name")];
  if (json.contains("hook")) chain.base = Base{text_in(json, "type"), text_in(json, "hook"), json.value("prio", 0), text_in(json, "policy")};
  if (!has_only(json, {"family", "table", "name", "handle", "comment", "type", "hook", "prio", "policy"})) table.strange.insert("chain " + json.value("name", "") + json.value("dev", ""));
}

Result<Json> objects_in(const std::string& listing) {
  Json whole = Json::parse(listing, nullptr, false);
  const Json* const objects = member(whole, "nftables");
  if (objects == nullptr || !objects->is_array()) return Error{Exit::rolled_back, "cannot read what libnftables lists", {}, {}, {}, {}};
  return std::move(whole["nftables"]);
}

}  // namespace

Result<std::map<std::string, Table>> tables_in(const std::string& listing) {
  std::map<std::string, Table> tables;
  const auto objects = objects_in(listing);
  if (!objects) return objects.error();
  for (const Json& object : *objects) {
    const auto only = only_member(object);
    if (!only || !only->second->is_object()) continue;
    const auto& [kind, content] = *only;
    if (kind == "metainfo") continue;
    if (kind == "table") {
      Table& table = tables[text_in(*content, "name")];
      if (!has_only(*content, {"family", "name", "handle", "comment"})) table.strange.insert(object.dump());
      continue;
    }
    Table& table = tables[text_in(*content, "table")];
    if (kind == "chain") {
      read_chain(*content, table);
    } else if (kind == "rule") {
      table.chains[text_in(*content, "chain")].rules.push_back(rule_in(*content));
    } else if (kind == "set" || kind == "map") {
      read_set(*content, kind == "map", table);
    } else {
      table.strange.insert(object.dump());
    }
  }
  return tables;
}

Result<std::map<std::string, std::vector<std::pair<Rule, std::uint64_t>>>> counts_in(const std::string& listing, const std::string& name) {
  std::map<std::string, std::vector<std::pair<Rule, std::uint64_t>>> counts;
  const auto objects = objects_in(listing);
  if (!objects) return objects.error();
  for (const Json& object : *objects) {
    const Json* const rule = member(object, "rule");
    if (rule == nullptr || text_in(*rule, "table") != name) continue;
    counts[text_in(*rule, "chain")].emplace_back(rule_in(*rule), packets_of(*rule));
  }
  return counts;
}

}  // namespace topo::firewall::nftables
