#include "resources/rule/routing_rule.hpp"

#include "resources/relation.hpp"

namespace topo {
namespace {

std::string selector_of(const RoutingRule& rule) {
  std::string text;
  if (rule.from) text += " from " + rule.from->to_string();
  if (rule.to) text += " to " + rule.to->to_string();
  if (!rule.iif.empty()) text += " iif " + rule.iif;
  if (text.empty()) text = " all";
  return rule.family == Family::v6 && !rule.from && !rule.to ? text + " (IPv6)" : text;
}

}  // namespace

std::string RoutingRule::key() const {
  return ns + (family == Family::v4 ? " v4 " : " v6 ") + std::to_string(priority) + selector_of(*this) + " table " + std::to_string(table);
}

std::vector<std::string> RoutingRule::needs() const {
  if (ns.empty()) return {};
  return {namespace_need(ns)};
}

std::string RoutingRule::title() const { return place_title(ns) + selector_of(*this); }

std::string RoutingRule::summary() const { return "table " + std::to_string(table) + " priority " + std::to_string(priority); }

Differences differences(const RoutingRule&, const RoutingRule&) { return {}; }

}  // namespace topo
