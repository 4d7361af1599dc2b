// Routing rules: which table decides for which packets.
#include <algorithm>

#include "desire/network.hpp"

namespace topo::network {
namespace {

constexpr std::uint32_t first_rule_priority = 10000;  // before the main table's, 32766

/// "All addresses" is how the kernel reports no selector at all.
std::optional<Cidr> selector(const std::optional<Cidr>& network) { return network && network->prefix() != 0 ? network : std::nullopt; }

void add_rule(Network& network, Space& space, const RoutingRuleSpec& spec, std::uint32_t priority, std::set<std::string>& seen) {
  bool any = false;
  for (const Family family : families) {
    if ((spec.from && spec.from->family() != family) || (spec.to && spec.to->family() != family)) continue;
    if (!spec.from && !spec.to && !has_family(network, space, family)) continue;
    any = true;
    RoutingRule rule{space.name, family, priority, selector(spec.from), selector(spec.to), spec.iif ? spec.iif->value : std::string(), spec.table};
    if (!seen.insert(rule.key()).second) {
      network.mistakes.refuse(spec.at, "this rule is written twice");
      continue;
    }
    space.rules.push_back({std::move(rule), spec.at});
  }
  if (any) return;
  network.mistakes.refuse(spec.at, "no family of addresses for this rule: " + in_quotes(space.name) + " has no address",
                          "give the rule a `from` or `to`, as in from: 0.0.0.0/0");
}

void resolve_rules(Network& network, Space& space) {
  std::set<std::uint32_t> taken;
  for (const auto& spec : space.spec->rules) {
    if (spec.priority) taken.insert(*spec.priority);
  }
  std::uint32_t next = first_rule_priority;
  std::set<std::string> seen;
  for (const auto& spec : space.spec->rules) {
    if (spec.iif && spec.iif->value != "lo" && !network.interface(space, spec.iif->value)) {
      network.mistakes.refuse(spec.iif->at, "namespace " + in_quotes(space.name) + " has no interface " + in_quotes(spec.iif->value),
                              interfaces_hint(network, space), spec.iif->value.size());
      continue;
    }
    while (!spec.priority && taken.contains(next)) ++next;
    add_rule(network, space, spec, spec.priority ? *spec.priority : next++, seen);
  }
}

}  // namespace

void resolve_rules(Network& network) {
  for (auto& space : network.spaces) {
    if (!space.doubtful) resolve_rules(network, space);
  }
}

}  // namespace topo::network
