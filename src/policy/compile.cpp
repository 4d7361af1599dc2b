#include "policy/compile.hpp"

#include <algorithm>
#include <set>

#include "policy/filter.hpp"
#include "policy/translation.hpp"
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

/// Whether anything passes between own links and the outside.
bool reaches_outside(const Intent& intent, Family family) {
  const auto of_family = [&](const auto& value) { return value.family() == family; };
  const auto routed = [&](const Segment& segment) {
    return !segment.plain && std::any_of(segment.gateway.begin(), segment.gateway.end(), of_family);
  };
  if (std::none_of(intent.segments.begin(), intent.segments.end(), routed)) return false;
  const auto outside = [&](const Ends& ends) {
    return ends.any || ends.internet || std::any_of(ends.outside.begin(), ends.outside.end(), of_family);
  };
  const auto inside = [](const Ends& ends) { return ends.any || !ends.segments.empty() || !ends.members.empty(); };
  const auto translated = [&](const Segment& segment) {
    return routed(segment) &&
           (segment.nat.kind == Nat::Kind::masquerade || (segment.nat.kind == Nat::Kind::snat && segment.nat.to.family() == family));
  };
  const auto mapped = [&](const PortMap& map) {
    if (map.address && (map.address->is_loopback() || map.address->family() != family)) return false;
    return std::any_of(map.targets.begin(), map.targets.end(), of_family);
  };
  return std::any_of(intent.segments.begin(), intent.segments.end(), translated) || std::any_of(intent.ports.begin(), intent.ports.end(), mapped) ||
         std::any_of(intent.allow.begin(), intent.allow.end(),
                     [&](const Flow& flow) { return (outside(flow.from) && inside(flow.to)) || (inside(flow.from) && outside(flow.to)); });
}

/// A plain switch's connections are its own: another one, or a network of the gateway, may have the same addresses.
void separate_switches(const Intent& intent, Chains& chains) {
  std::vector<Rule> rules;
  std::set<std::uint16_t> taken;
  for (const Segment& segment : intent.segments) {
    if (!segment.plain) continue;
    constexpr std::uint64_t zones = 65535;  // 0 is everybody's
    Rule rule;
    rule.in = is(segment.interface);
    rule.target.kind = Target::Kind::zone;
    rule.target.zone = static_cast<std::uint16_t>(stable_hash(intent.topology + ' ' + segment.interface) % zones + 1);
    while (!taken.insert(rule.target.zone).second) rule.target.zone = static_cast<std::uint16_t>(rule.target.zone % zones + 1);
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

Firewall compile(const Intent& intent, const std::string& ns) {
  Firewall firewall;
  firewall.ns = ns;
  const Relations relations(intent);
  const std::string prefix = chain_prefix(intent.topology);
  for (const Family family : {Family::v4, Family::v6}) {
    Chains filter(firewall.rules, family, Table::filter, prefix);
    if (is_used(intent, family)) Filter(intent, relations, filter).write();
    if (family == Family::v4) write_statements(intent, filter);
    Chains nat(firewall.rules, family, Table::nat, prefix);
    Translation(intent, nat).write();
    Chains raw(firewall.rules, family, Table::raw, prefix);
    if (is_used(intent, family)) separate_switches(intent, raw);
  }
  firewall.forwards_v4 = reaches_outside(intent, Family::v4);
  firewall.forwards_v6 = reaches_outside(intent, Family::v6);
  return firewall;
}

}  // namespace topo::policy
