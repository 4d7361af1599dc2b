#include "policy/compile.hpp"

#include <algorithm>

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
  }
  firewall.forwards_v4 = reaches_outside(intent, Family::v4);
  firewall.forwards_v6 = reaches_outside(intent, Family::v6);
  return firewall;
}

}  // namespace topo::policy
