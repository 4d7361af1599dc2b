#include "policy/verdict.hpp"

#include <algorithm>

namespace topo::policy {
namespace {

using netfilter::ChainId;
using netfilter::Rule;
using netfilter::Ruleset;
using netfilter::Target;

template <class T, class Test>
bool holds(const std::optional<netfilter::Maybe<T>>& match, Test test) {
  return !match || test(match->value) != match->negated;
}

bool in_range(const std::optional<netfilter::Ports>& ports, std::uint16_t port) { return !ports || (port >= ports->first && port <= ports->last); }

bool is_type(const std::optional<netfilter::AddressType>& type, const IpAddress& address, bool local) {
  if (!type) return true;
  if (*type == netfilter::AddressType::local) return local;
  return *type == netfilter::AddressType::multicast && address.is_multicast();
}

bool matches(const Rule& rule, const Packet& packet) {
  if (!rule.opaque.empty()) return false;
  const auto within = [](const std::uint32_t group) {
    return [group](const netfilter::DeviceGroup& wanted) { return ((group ^ wanted.value) & wanted.mask) == 0; };
  };
  const auto same = [](const std::string& name) { return [&name](const std::string& wanted) { return name == wanted; }; };
  if (!holds(rule.in, same(packet.in)) || !holds(rule.out, same(packet.out))) return false;
  if (!holds(rule.source, [&](const Cidr& cidr) { return cidr.contains(packet.source); })) return false;
  if (!holds(rule.destination, [&](const Cidr& cidr) { return cidr.contains(packet.destination); })) return false;
  if (rule.protocol && *rule.protocol != packet.protocol) return false;
  if (!in_range(rule.source_ports, packet.source_port) || !in_range(rule.destination_ports, packet.destination_port)) return false;
  if (rule.icmp_type && *rule.icmp_type != packet.icmp_type) return false;
  if (!holds(rule.in_group, within(packet.in_group)) || !holds(rule.out_group, within(packet.out_group))) return false;
  const unsigned state = packet.dnat ? unsigned{netfilter::ct_new} | unsigned{netfilter::ct_dnat} : unsigned{netfilter::ct_new};
  if (rule.reply || (rule.states != 0 && ((rule.states & state) != 0) == rule.states_negated)) return false;
  if (!is_type(rule.source_type, packet.source, packet.source_local)) return false;
  if (!is_type(rule.destination_type, packet.destination, packet.destination_local)) return false;
  if (rule.physical_in && *rule.physical_in != packet.physical_in) return false;
  if (rule.physical_out && *rule.physical_out != packet.physical_out) return false;
  return !rule.bridged || packet.bridged;
}

enum class Outcome : std::uint8_t { pass, block, back };

Outcome walk(const Ruleset& rules, const ChainId& place, const std::vector<Rule>& chain, const Packet& packet, int depth);

/// A loop, which no kernel would take, or a chain that is not there, ends the walk.
Outcome enter(const Ruleset& rules, const ChainId& place, const std::string& name, const Packet& packet, int depth) {
  const auto chain = rules.chains.find({place.family, place.table, name});
  if (chain == rules.chains.end() || depth > 64) return Outcome::back;
  return walk(rules, place, chain->second, packet, depth + 1);
}

/// A chain that is gone to and falls out of its end goes back to where its caller was jumped to from: to the end of the caller.
Outcome walk(const Ruleset& rules, const ChainId& place, const std::vector<Rule>& chain, const Packet& packet, int depth) {
  for (const Rule& rule : chain) {
    if (!matches(rule, packet)) continue;
    switch (rule.target.kind) {
      case Target::Kind::accept:
        return Outcome::pass;
      case Target::Kind::drop:
      case Target::Kind::reject:
        return Outcome::block;
      case Target::Kind::return_:
        return Outcome::back;
      case Target::Kind::go_to:
        return enter(rules, place, rule.target.chain, packet, depth);
      case Target::Kind::jump: {
        const Outcome outcome = enter(rules, place, rule.target.chain, packet, depth);
        if (outcome != Outcome::back) return outcome;
        break;
      }
      case Target::Kind::dnat:
      case Target::Kind::snat:
      case Target::Kind::masquerade:
      case Target::Kind::zone:
        break;
    }
  }
  return Outcome::back;
}

}  // namespace

bool passes(const Ruleset& rules, const Packet& packet) {
  const char* hook = packet.in.empty() ? "OUTPUT" : packet.out.empty() ? "INPUT" : "FORWARD";
  const ChainId builtin{packet.source.family(), netfilter::Table::filter, hook};
  const auto jumps = rules.jumps.find(builtin);
  return jumps == rules.jumps.end() || walk(rules, builtin, jumps->second, packet, 0) != Outcome::block;
}

}  // namespace topo::policy
