#include <algorithm>
#include <map>
#include <set>

#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

constexpr std::uint32_t u32_max = 4294967295;

/// An interface that a route or rule names; here, unlike where interfaces are named, it may be `lo`.
std::optional<Located<std::string>> read_device(Mistakes& mistakes, const Node& node) {
  if (node.is_scalar() && node.text == "lo") return Located<std::string>{node.text, node.at};
  return read_interface_name(mistakes, node);
}

void read_via(Reading& reading, const Node& value, RouteSpec& route) {
  if (!is_scalar(reading.mistakes, value, "via", "an address or a namespace")) return;
  if (Cidr::parse(value.text) || IpAddress::parse(value.text)) {
    if (const auto address = read_address(reading.mistakes, value, "via")) route.via = {*address, value.at};
  } else {
    route.via = {value.text, value.at};
  }
}

void read_type(Reading& reading, const Node& value, RouteSpec& route) {
  const auto word = read_word(reading.mistakes, value, "type", {"unreachable", "blackhole", "prohibit"});
  if (word) route.type = static_cast<RouteSpec::Type>(*word + 1);
}

constexpr Key<RouteSpec> keys[]{
    {"via", read_via},
    {"dev", [](Reading& reading, const Node& value, RouteSpec& route) { route.dev = read_device(reading.mistakes, value); }},
    {"metric",
     [](Reading& reading, const Node& value, RouteSpec& route) { route.metric = read_number(reading.mistakes, value, "metric", 0, u32_max); }},
    {"src",
     [](Reading& reading, const Node& value, RouteSpec& route) {
       if (const auto address = read_address(reading.mistakes, value, "src")) route.src = Located<IpAddress>{*address, value.at};
     }},
    {"table", [](Reading& reading, const Node& value, RouteSpec& route) { route.table = read_number(reading.mistakes, value, "table", 1, u32_max); }},
    {"weight", [](Reading& reading, const Node& value, RouteSpec& route) { route.weight = read_number(reading.mistakes, value, "weight", 1, 256); }},
    {"type", read_type},
};

/// The family that the route has by `what`, against that of what was read before.
void check_family(Reading& reading, const RouteSpec& route) {
  std::optional<Family> family;
  if (route.destination) family = route.destination->family();
  const auto check = [&](const IpAddress& address, const Position& at) {
    if (!family) family = address.family();
    if (*family == address.family()) return;
    const std::string text = address.to_string();
    reading.mistakes.add(at, text, text + " is of another family than the route");
  };
  if (route.via && std::holds_alternative<IpAddress>(route.via->value)) check(std::get<IpAddress>(route.via->value), route.via->at);
  if (route.src) check(route.src->value, route.src->at);
}

void check_route(Reading& reading, const Node& node, const RouteSpec& route) {
  check_family(reading, route);
  const bool leads = gives(node, "via", names_of(keys)) || gives(node, "dev", names_of(keys)) || gives(node, "type", names_of(keys));
  if (node.find("type") != nullptr) {
    for (std::size_t i = 0; i < node.pairs(); ++i) {
      const Node& key = node.key(i);
      if (key.text == "via" || key.text == "dev" || key.text == "weight" || key.text == "src") {
        reading.mistakes.add(key, in_quotes(key.text) + " with a route type: such a route leads nowhere");
      }
    }
  } else if (!leads) {
    reading.mistakes.add(route.at, {}, "a route needs a next hop: via, dev or type");
  }
}

/// One next hop: an address, a namespace, or a map.
void read_next_hop(Reading& reading, const Node& node, RouteSpec route, NamespaceSpec& ns) {
  if (node.is_refused()) return;
  if (node.is_map()) {
    read_keys(reading, node, "a route", keys, route);
    check_route(reading, node, route);
  } else if (node.is_scalar()) {
    read_via(reading, node, route);
    check_family(reading, route);
  } else {
    return reading.mistakes.add(node, "a route takes a next hop or a map, not " + described(node));
  }
  ns.routes.push_back(std::move(route));
}

void read_hops(Reading& reading, const Node& key, const Node& value, RouteSpec route, NamespaceSpec& ns) {
  if (!value.is_list()) return read_next_hop(reading, value, std::move(route), ns);
  if (value.items.empty()) reading.mistakes.add(key, "route " + in_quotes(key.text) + " has no next hop");
  std::set<std::string_view> seen;
  for (const Node& item : value.items) {
    if (item.is_scalar() && !seen.insert(item.text).second) reading.mistakes.add(item, in_quotes(item.text) + " is listed twice");
    route.at = item.at;
    read_next_hop(reading, item, route, ns);
  }
}

void read_from(Reading& reading, const Node& value, RoutingRuleSpec& rule) { rule.from = read_network(reading.mistakes, value, "from"); }
void read_to(Reading& reading, const Node& value, RoutingRuleSpec& rule) { rule.to = read_network(reading.mistakes, value, "to"); }

constexpr Key<RoutingRuleSpec> rule_keys[]{
    {"from", read_from},
    {"to", read_to},
    {"iif", [](Reading& reading, const Node& value, RoutingRuleSpec& rule) { rule.iif = read_device(reading.mistakes, value); }},
    {"table", [](Reading& reading, const Node& value,
                 RoutingRuleSpec& rule) { rule.table = read_number(reading.mistakes, value, "table", 1, u32_max).value_or(0); }},
    {"priority", [](Reading& reading, const Node& value,
                    RoutingRuleSpec& rule) { rule.priority = read_number(reading.mistakes, value, "priority", 1, u32_max); }},
};

}  // namespace

void read_routes(Reading& reading, const Node& value, NamespaceSpec& ns) {
  if (!is_map(reading.mistakes, value, "routes", "routes: { DESTINATION: NEXT-HOP }")) return;
  std::map<Cidr, Position> seen;
  for (std::size_t i = 0; i < value.pairs(); ++i) {
    const Node& key = value.key(i);
    if (key.is_refused()) continue;
    RouteSpec route;
    route.at = key.at;
    if (key.text != "default") {
      if (IpAddress::parse(key.text) || Cidr::parse(key.text)) {
        route.destination = read_network(reading.mistakes, key, "a route");
        if (!route.destination) continue;
      } else {
        reading.mistakes.add(key, "a route's destination is a network or \"default\", not " + in_quotes(key.text),
                             reading.mistakes.suggestion(key.text, {"default"}));
        continue;
      }
      const auto [earlier, is_new] = seen.emplace(*route.destination, key.at);
      if (!is_new)
        reading.mistakes.add(key, "a second route to " + route.destination->to_string(), "first in " + reading.mistakes.line_of(earlier->second));
    }
    read_hops(reading, key, value.value(i), std::move(route), ns);
  }
}

void read_rules(Reading& reading, const Node& value, NamespaceSpec& ns) {
  if (!is_list(reading.mistakes, value, "rules", "rules: [{ from: 10.0.0.0/24, table: 100 }]")) return;
  for (const Node& item : value.items) {
    if (item.is_null()) reading.mistakes.add(item, "a rule needs a table");
    if (!is_map(reading.mistakes, item, "a rule")) continue;
    RoutingRuleSpec rule;
    rule.at = item.at;
    read_keys(reading, item, "a rule", rule_keys, rule);
    if (!gives(item, "table", names_of(rule_keys))) reading.mistakes.add(item, "a rule needs a table");
    if (rule.from && rule.to && rule.from->family() != rule.to->family()) reading.mistakes.add(item, "from and to are of different families");
    ns.rules.push_back(std::move(rule));
  }
}

void add_route_places(std::vector<Place>& places) {
  places.push_back({"route", names_of(keys)});
  places.push_back({"rule", names_of(rule_keys)});
}

}  // namespace topo::reading
