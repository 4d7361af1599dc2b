#include <algorithm>
#include <array>

#include "load/scalars.hpp"
#include "load/sections.hpp"

namespace topo::reading {
namespace {

/// What identifies one thing cannot be many things' default.
constexpr std::array<std::string_view, 2> not_for_bridges{"subnet", "mac"};
constexpr std::array<std::string_view, 1> not_for_namespaces{"devices"};
constexpr std::array<std::string_view, 1> not_for_attachments{"mac"};
constexpr std::array<std::string_view, 3> not_for_links{"between", "subnet", "macs"};

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The map without what no default may say, which is told.
template <std::size_t N>
Node allowed(Reading& reading, const Node& map, const std::array<std::string_view, N>& forbidden) {
  Node rest;
  rest.kind = Node::Kind::map;
  rest.at = map.at;
  for (std::size_t i = 0; map.is_map() && i < map.pairs(); ++i) {
    const Node& key = map.key(i);
    if (is_among(forbidden, key.text)) {
      reading.mistakes.add(key, in_quotes(key.text) + " cannot be a default", "defaults hold what many may share; no addresses");
      continue;
    }
    rest.items.push_back(key);
    rest.items.push_back(map.value(i));
  }
  return rest;
}

void drop(Node& map, std::string_view name) {
  for (std::size_t i = 0; i < map.pairs(); ++i) {
    if (map.key(i).text != name) continue;
    map.items.erase(map.items.begin() + static_cast<std::ptrdiff_t>(2 * i), map.items.begin() + static_cast<std::ptrdiff_t>(2 * i + 2));
    return;
  }
}

void refuse_address(Reading& reading, Node& map, std::string_view key) {
  const Node* value = map.find(key);
  if (value == nullptr || (value->is_scalar() && value->text == "none")) return;
  if (!value->is_refused()) reading.mistakes.add(*value, "defaults give no addresses", std::string(key) + ": none may stand here");
  drop(map, key);
}

void bridge_default(Reading& reading, const Node& value, Reading&) {
  reading.bridge_defaults = allowed(reading, value, not_for_bridges);
  refuse_address(reading, reading.bridge_defaults, "address");
  BridgeSpec scratch;
  scratch.name = "defaults";
  read_bridge(reading, value.is_map() ? reading.bridge_defaults : value, nullptr, scratch);
}

void namespace_default(Reading& reading, const Node& value, Reading&) {
  reading.namespace_defaults = allowed(reading, value, not_for_namespaces);
  NamespaceSpec scratch;
  scratch.name = "defaults";
  read_namespace(reading, value.is_map() ? reading.namespace_defaults : value, nullptr, scratch);
  for (const auto& attachment : scratch.attach) {
    if (attachment.addresses.empty()) continue;
    const auto& [address, at] = attachment.addresses.front();
    reading.mistakes.add(at, address.address.to_string(), "defaults give no addresses");
  }
}

void attachment_default(Reading& reading, const Node& value, Reading&) {
  Node defaults = allowed(reading, value, not_for_attachments);
  refuse_address(reading, defaults, "address");
  AttachmentSpec scratch;
  read_attachment(reading, value.is_map() ? defaults : value, nullptr, scratch);
  reading.attach_defaults = std::move(defaults);
}

void link_default(Reading& reading, const Node& value, Reading&) {
  reading.link_defaults = allowed(reading, value, not_for_links);
  refuse_address(reading, reading.link_defaults, "addresses");
  LinkSpec scratch;
  read_link(reading, value.is_map() ? reading.link_defaults : value, nullptr, scratch);
}

/// In the order in which one needs the other.
constexpr Key<Reading> keys[]{{"bridge", bridge_default}, {"attach", attachment_default}, {"namespace", namespace_default}, {"link", link_default}};

template <std::size_t N>
Place without(const std::vector<Place>& places, const std::string& name, const std::array<std::string_view, N>& forbidden) {
  Place place{"default_" + name, {}};
  for (const auto& known : places) {
    if (known.name != name) continue;
    std::copy_if(known.keys.begin(), known.keys.end(), std::back_inserter(place.keys),
                 [&](const std::string& key) { return !is_among(forbidden, key); });
  }
  return place;
}

}  // namespace

void read_defaults(Reading& reading, const Node& root) {
  for (Node* map : {&reading.bridge_defaults, &reading.namespace_defaults, &reading.attach_defaults, &reading.link_defaults})
    map->kind = Node::Kind::map;
  const Node* defaults = root.find("defaults");
  if (defaults == nullptr || !is_map(reading.mistakes, *defaults, "defaults", "defaults: { bridge: { mtu: 1400 } }")) return;
  for (std::size_t i = 0; i < defaults->pairs(); ++i) {
    const Node& key = defaults->key(i);
    const bool known = std::any_of(std::begin(keys), std::end(keys), [&](const auto& entry) { return entry.name == key.text; });
    if (!known && !key.is_refused()) refuse_key(reading.mistakes, key, defaults->value(i), "defaults", names_of(keys), "");
  }
  for (const auto& entry : keys) {
    if (const Node* value = defaults->find(entry.name)) entry.read(reading, *value, reading);
  }
}

void add_default_places(std::vector<Place>& places) {
  places.push_back({"defaults", names_of(keys)});
  places.push_back(without(places, "bridge", not_for_bridges));
  places.push_back(without(places, "namespace", not_for_namespaces));
  places.push_back(without(places, "attachment", not_for_attachments));
  places.push_back(without(places, "link", not_for_links));
}

}  // namespace topo::reading
