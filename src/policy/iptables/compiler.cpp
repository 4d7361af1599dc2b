#include "policy/iptables/compiler.hpp"

#include <algorithm>

#include "policy/iptables/filter.hpp"
#include "policy/iptables/translation.hpp"
#include "topo/names.hpp"

namespace topo::policy {
namespace {

/// Whether the family occurs at all: no table is made for one that does not. A filtered bridge is: link-local traffic is in every switch.
bool is_used(const Intent& intent, Family family) {
  if (intent.segments.empty()) return false;
  if (family == Family::v4) return true;
  const auto of_family = [&](const auto& value) { return value.family() == family; };
  const auto has_gateway = [&](const Segment& segment) {
    return segment.filtered || std::any_of(segment.gateway.begin(), segment.gateway.end(), of_family);
  };
  return std::any_of(intent.segments.begin(), intent.segments.end(), has_gateway) ||
         std::any_of(intent.members.begin(), intent.members.end(),
                     [&](const Member& member) { return std::any_of(member.addresses.begin(), member.addresses.end(), of_family); });
}

/// A plain switch's connections are its own: another one, or a network of the gateway, may have the same addresses.
void separate_switches(const Intent& intent, Chains& chains) {
  std::vector<Rule> rules;
  for (const auto& [interface, zone] : zones_of(intent)) {
    Rule rule;
    rule.in = is(interface);
    rule.target.kind = Target::Kind::zone;
    rule.target.zone = zone;
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) return;
  chains[chains.name("zone")] = std::move(rules);
  chains.hook("PREROUTING", chains.name("zone"), owner_mark(intent.topology));
}

/// What export reads: a rule a statement in a chain that nothing jumps to; what a comment cannot hold goes on in the next, after a "+".
void write_statements(const Intent& intent, Chains& chains) {
  constexpr std::size_t most = 250;
  if (intent.statements.empty()) return;
  auto& rules = chains[chains.name("spec")];
  for (const std::string& statement : intent.statements) {
    for (std::size_t at = 0; at == 0 || at < statement.size();) {
      Rule rule;
      rule.comment = (at == 0 ? "" : "+") + statement.substr(at, at == 0 ? most : most - 1);
      at += at == 0 ? most : most - 1;
      rules.push_back(with(std::move(rule), verdict(Target::Kind::return_)));
    }
  }
}

}  // namespace

Ruleset compile_for_iptables(const Intent& intent, const Relations& relations) {
  Ruleset rules;
  const std::string prefix = chain_prefix(intent.topology);
  for (const Family family : {Family::v4, Family::v6}) {
    Chains filter(rules, family, Table::filter, prefix);
    if (is_used(intent, family)) Filter(intent, relations, filter).write();
    if (family == Family::v4) write_statements(intent, filter);
    Chains nat(rules, family, Table::nat, prefix);
    Translation(intent, nat).write();
    Chains raw(rules, family, Table::raw, prefix);
    if (is_used(intent, family)) separate_switches(intent, raw);
  }
  return rules;
}

}  // namespace topo::policy
