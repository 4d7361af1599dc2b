#include "policy/compile.hpp"

#include <algorithm>

#include "policy/iptables/compiler.hpp"
#include "policy/nftables/compiler.hpp"

namespace topo::policy {
namespace {

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

}  // namespace

std::optional<std::string> need_of_firewall(const Intent& intent) {
  const Segment* routed = nullptr;
  for (const Segment& segment : intent.segments) {
    if (segment.nat.kind != Nat::Kind::none) return "nat of " + segment.interface;
    if (segment.isolated || segment.filtered) return "policy inside " + segment.interface;
    if (segment.plain || segment.gateway.empty()) continue;
    if (routed != nullptr) return "that nothing passes between " + routed->interface + " and " + segment.interface;
    routed = &segment;
  }
  if (!intent.interface_nat.empty()) return "nat by " + intent.interface_nat.front().interface;
  if (!intent.ports.empty()) return "port " + intent.ports.front().text;
  if (!intent.allow.empty() || !intent.deny.empty()) return "policy " + (intent.deny.empty() ? intent.allow : intent.deny).front().text;
  if (intent.default_allow || intent.reject) return "a policy";
  return std::nullopt;
}

Firewall compile(const Intent& intent, const std::string& ns, Backend backend) {
  return compile(std::make_shared<const Intent>(intent), ns, backend);
}

Firewall compile(std::shared_ptr<const Intent> intent, const std::string& ns, Backend backend) {
  Firewall firewall;
  firewall.ns = ns;
  const Relations relations(*intent);
  if (backend == Backend::iptables) firewall.rules = compile_for_iptables(*intent, relations);
  if (backend == Backend::nftables) firewall.tables = nft::Compiler(*intent, relations).write();
  firewall.forwards_v4 = reaches_outside(*intent, Family::v4);
  firewall.forwards_v6 = reaches_outside(*intent, Family::v6);
  firewall.meant = std::move(intent);
  return firewall;
}

}  // namespace topo::policy
