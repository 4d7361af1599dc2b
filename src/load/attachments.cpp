#include <set>
#include <string_view>
#include <unordered_set>

#include "load/scalars.hpp"
#include "load/sections.hpp"

namespace topo::reading {
namespace {

void read_addresses(Reading& reading, const Node& value, AttachmentSpec& attachment) {
  if (value.is_scalar() && value.text == "none") {
    attachment.no_address = true;
    return;
  }
  std::set<IpAddress> seen;
  for_one_or_each(reading.mistakes, value, "address", [&](const Node& item) {
    if (value.is_list() && item.is_scalar() && item.text == "none") return reading.mistakes.add(item, "none stands alone", "address: none");
    const auto address = read_interface_address(reading.mistakes, item, "address");
    if (!address) return;
    if (!seen.insert(address->address).second) return reading.mistakes.add(item, address->address.to_string() + " is listed twice");
    attachment.addresses.push_back({*address, item.at});
  });
}

constexpr Key<AttachmentSpec> keys[]{
    {"address", read_addresses},
    {"name", [](Reading& reading, const Node& value, AttachmentSpec& attachment) { attachment.name = read_interface_name(reading.mistakes, value); }},
    {"mac",
     [](Reading& reading, const Node& value, AttachmentSpec& attachment) {
       if (const auto mac = read_mac(reading.mistakes, value, "mac")) attachment.mac = Located<Mac>{*mac, value.at};
     }},
    {"mtu",
     [](Reading& reading, const Node& value, AttachmentSpec& attachment) {
       if (const auto mtu = read_number(reading.mistakes, value, "mtu", 68, 65535)) attachment.mtu = Located<std::uint32_t>{*mtu, value.at};
     }},
};

/// The defaults without `address`, for attachments that give theirs as a bare value.
Node without_address(const Node& defaults) {
  Node rest;
  rest.kind = Node::Kind::map;
  for (std::size_t i = 0; i < defaults.pairs(); ++i) {
    if (defaults.key(i).text == "address") continue;
    rest.items.push_back(defaults.key(i));
    rest.items.push_back(defaults.value(i));
  }
  return rest;
}

/// `value` is what stands behind the bridge's name: nothing, address(es) or a map.
void attach_to(Reading& reading, const Node& bridge, const Node& value, NamespaceSpec& ns) {
  AttachmentSpec& attachment = ns.attach.emplace_back();
  attachment.at = bridge.at;
  attachment.bridge = {bridge.text, bridge.at};
  if (value.is_scalar() || value.is_list()) {
    read_addresses(reading, value, attachment);
    const Node none;
    const Node rest = reading.attach_defaults.items.empty() ? Node() : without_address(reading.attach_defaults);
    read_attachment(reading, none, &rest, attachment);
  } else {
    read_attachment(reading, value, &reading.attach_defaults, attachment);
  }
}

/// { bridge: lan, address: 10.0.0.5 }, as other programs have it: told at once, where each key would be told to be no bridge.
bool is_other_form(Mistakes& mistakes, const Node& map) {
  const Node* bridge = map.find("bridge");
  if (bridge == nullptr || !bridge->is_scalar() || bridge->text == "none" || Cidr::parse(bridge->text) || IpAddress::parse(bridge->text))
    return false;
  const auto known = names_of(keys);
  std::string rest;
  for (std::size_t i = 0; i < map.pairs(); ++i) {
    const std::string& key = map.key(i).text;
    if (key == "bridge") continue;
    if (std::find(known.begin(), known.end(), key) == known.end()) return false;
    rest += (rest.empty() ? "" : ", ") + key + ": " + (map.value(i).is_scalar() ? map.value(i).text : "...");
  }
  const Node* address = map.find("address");
  std::string value = rest.empty() ? "ADDRESS" : "{ " + rest + " }";
  if (map.pairs() == 2 && address != nullptr && address->is_scalar()) value = address->text;
  mistakes.add(map.key(0), "attach takes BRIDGE: ADDRESS", "as in { " + bridge->text + ": " + value + " }");
  return true;
}

void attach_map(Reading& reading, const Node& map, NamespaceSpec& ns) {
  if (is_other_form(reading.mistakes, map)) return;
  for (std::size_t i = 0; i < map.pairs(); ++i) {
    if (!map.key(i).is_refused()) attach_to(reading, map.key(i), map.value(i), ns);
  }
}

}  // namespace

void read_attachment(Reading& reading, const Node& map, const Node* defaults, AttachmentSpec& attachment) {
  read_keys(reading, map, "the attachment to " + in_quotes(attachment.bridge.value), keys, attachment, defaults);
}

void read_attach(Reading& reading, const Node& value, NamespaceSpec& ns) {
  const Node nothing;
  std::unordered_set<std::string_view> seen;
  switch (value.kind) {
    case Node::Kind::null:
      reading.mistakes.add(value, "attach needs a bridge", "attach: { BRIDGE: ADDRESS }");
      break;
    case Node::Kind::refused:
      break;
    case Node::Kind::scalar:
      attach_to(reading, value, nothing, ns);
      break;
    case Node::Kind::map:
      attach_map(reading, value, ns);
      break;
    case Node::Kind::list:
      for (const Node& item : value.items) {
        if (item.is_map()) {
          attach_map(reading, item, ns);
        } else if (is_scalar(reading.mistakes, item, "attach", "a bridge or a map BRIDGE: ADDRESS")) {
          if (!seen.insert(item.text).second)
            reading.mistakes.add(item, in_quotes(item.text) + " is listed twice",
                                 "for a second cable to one bridge write a map: { " + item.text + ": ADDRESS }");
          attach_to(reading, item, nothing, ns);
        }
      }
  }
}

void add_attachment_places(std::vector<Place>& places) { places.push_back({"attachment", names_of(keys)}); }

}  // namespace topo::reading
