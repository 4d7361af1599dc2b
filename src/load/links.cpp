#include <set>

#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

/// Whether `node` is a list of two, one an end of the link.
bool is_pair(Mistakes& mistakes, const Node& node, std::string_view what, const char* hint) {
  if (node.is_refused()) return false;
  if (node.is_list() && node.items.size() == 2) return true;
  const std::string found = node.is_list() ? "a list of " + std::to_string(node.items.size()) : described(node);
  mistakes.add(node, std::string(what) + " takes a list of two, one for each end, not " + found, hint);
  return false;
}

void read_end(Reading& reading, const Node& node, LinkEndSpec& end) {
  end.at = node.at;
  if (!is_scalar(reading.mistakes, node, "an end of a link", "NODE or NODE:INTERFACE")) return;
  const auto colon = node.text.find(':');
  end.node = node.text.substr(0, colon);
  if (end.node.empty()) reading.mistakes.add(node, "an end of a link needs a node", "NODE or NODE:INTERFACE");
  if (colon == std::string::npos) return;
  const std::string name = node.text.substr(colon + 1);
  const Position at = reading.mistakes.within(node, colon + 1);
  if (const auto problem = interface_name_problem(name)) {
    reading.mistakes.add(at, name, "interface name " + in_quotes(name) + " " + *problem);
  } else {
    end.interface = Located<std::string>{name, at};
  }
}

void read_between(Reading& reading, const Node& value, LinkSpec& link) {
  if (!is_pair(reading.mistakes, value, "between", "between: [web, db:eth1]")) return;
  for (std::size_t i = 0; i < 2; ++i) read_end(reading, value.items[i], link.ends[i]);
  const auto& [a, b] = link.ends;
  if (!a.node.empty() && a.node == b.node) reading.mistakes.add(value.items[1], "a link from " + in_quotes(a.node) + " to itself");
}

void read_end_address(Reading& reading, const Node& node, LinkEndSpec& end, std::set<IpAddress>& seen) {
  const auto address = read_interface_address(reading.mistakes, node, "addresses");
  if (!address) return;
  if (!address->prefix) {
    return reading.mistakes.add(node, node.text + " has no prefix length",
                                "did you mean " + node.text + (address->address.family() == Family::v4 ? "/24?" : "/64?"));
  }
  if (!seen.insert(address->address).second) return reading.mistakes.add(node, address->address.to_string() + " is listed twice");
  end.addresses.push_back({Cidr(address->address, *address->prefix), node.at});
}

void read_addresses(Reading& reading, const Node& value, LinkSpec& link) {
  if (value.is_scalar() && value.text == "none") {
    link.no_address = true;
    return;
  }
  if (!is_pair(reading.mistakes, value, "addresses", "addresses: [10.0.1.1/24, 10.0.1.2/24]")) return;
  std::set<IpAddress> seen;
  for (std::size_t i = 0; i < 2; ++i) {
    const Node& item = value.items[i];
    if (item.is_scalar() && item.text == "none") continue;
    if (!item.is_list()) {
      read_end_address(reading, item, link.ends[i], seen);
      continue;
    }
    for (const Node& address : item.items) read_end_address(reading, address, link.ends[i], seen);
  }
}

void read_subnets(Reading& reading, const Node& value, LinkSpec& link) {
  for_one_or_each(reading.mistakes, value, "subnet", [&](const Node& item) {
    const auto subnet = read_subnet(reading.mistakes, item, "subnet");
    if (!subnet) return;
    if (subnet->prefix() == subnet->address().bits()) return reading.mistakes.add(item, subnet->to_string() + " has no room for two ends");
    for (const auto& earlier : link.subnets) {
      if (earlier.value.family() == subnet->family()) return reading.mistakes.add(item, "a second subnet of one family");
    }
    link.subnets.push_back({*subnet, item.at});
  });
}

void read_mtu(Reading& reading, const Node& value, LinkSpec& link) {
  if (const auto mtu = read_number(reading.mistakes, value, "mtu", 68, 65535)) link.mtu = Located<std::uint32_t>{*mtu, value.at};
}

void read_macs(Reading& reading, const Node& value, LinkSpec& link) {
  if (!is_pair(reading.mistakes, value, "macs", "macs: [02:00:00:00:00:01, 02:00:00:00:00:02]")) return;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto mac = read_mac(reading.mistakes, value.items[i], "macs");
    if (mac) link.ends[i].mac = Located<Mac>{*mac, value.items[i].at};
  }
}

constexpr Key<LinkSpec> keys[]{
    {"between", read_between}, {"addresses", read_addresses}, {"subnet", read_subnets}, {"mtu", read_mtu}, {"macs", read_macs},
};

const char* const ends_hint = "the ends are written as between: [A, B]";

std::string hint_for(std::string_view key) {
  if (key == "address") return "did you mean \"addresses\"?";
  for (const std::string_view other : {"endpoints", "ends", "nodes", "from", "to", "a", "b"}) {
    if (key == other) return ends_hint;
  }
  return {};
}

/// Whether the ends are there, or under a key that was told to be none.
bool gives_ends(const Node& link) {
  for (std::size_t i = 0; i < link.pairs(); ++i) {
    if (hint_for(link.key(i).text) == ends_hint) return true;
  }
  return gives(link, "between", names_of(keys));
}

}  // namespace

void read_link(Reading& reading, const Node& map, const Node* defaults, LinkSpec& link) {
  read_keys(reading, map, "a link", keys, link, defaults, hint_for);
  const bool explicit_none = map.find("addresses") != nullptr;
  if (!link.subnets.empty() && link.no_address && !explicit_none) link.no_address = false;
}

void read_links(Reading& reading, const Node& value, Topology& topology) {
  if (!is_list(reading.mistakes, value, "links", "links: [{ between: [A, B] }]")) return;
  topology.links.reserve(value.items.size());
  for (const Node& item : value.items) {
    if (item.is_null()) reading.mistakes.add(item, "a link needs its two ends", "between: [A, B]");
    if (!is_map(reading.mistakes, item, "a link", "{ between: [A, B] }")) continue;
    LinkSpec& link = topology.links.emplace_back();
    link.at = item.at;
    const std::size_t before = reading.mistakes.count();
    read_link(reading, item, &reading.link_defaults, link);
    if (!gives_ends(item)) reading.mistakes.add(item, "a link needs its two ends", "between: [A, B]");
    const Node* addresses = item.find("addresses");
    if (addresses != nullptr && item.find("subnet") != nullptr) reading.mistakes.add(*addresses, "a link has addresses or a subnet, not both");
    link.doubtful = reading.mistakes.count() != before || item.holds_refused();
  }
}

void add_link_places(std::vector<Place>& places) { places.push_back({"link", names_of(keys)}); }

}  // namespace topo::reading
