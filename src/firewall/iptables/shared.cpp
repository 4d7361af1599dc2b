#include "firewall/iptables/shared.hpp"

#include "topo/names.hpp"

namespace topo::firewall::iptables {

using netfilter::DeviceGroup;
using netfilter::Maybe;
using netfilter::Rule;
using netfilter::Target;

SharedChain read_shared(const Owned& shared, Family family) {
  SharedChain meaning;
  const auto chain = shared.chains.find(shared_chain);
  if (chain == shared.chains.end()) return meaning;
  meaning.foreign = chain->second.empty() && shared.jumps.empty() && !shared.flushed;
  for (const auto& entry : chain->second) {
    const Rule rule = decode(entry, family);
    if (auto guard = guard_of(rule.comment, family)) {
      meaning.guards.push_back(std::move(*guard));
    } else if (const auto owner = who_needs(rule.comment)) {
      meaning.topologies.insert(*owner);
    } else {
      meaning.foreign = true;
    }
  }
  return meaning;
}

Result<std::vector<Entry>> shared_entries(const SharedChain& chain, Family family) {
  std::vector<Entry> found;
  const auto add = [&](const Rule& rule) -> Result<void> {
    auto entry = encode(rule, family);
    if (!entry) return std::move(entry).error();
    found.push_back(std::move(*entry));
    return {};
  };
  for (const auto& guard : chain.guards) {
    Rule rule;
    rule.in = Maybe<std::string>{guard.interface, false};
    rule.out_group = Maybe<DeviceGroup>{{link_group_any, link_group_mask}, true};
    // Who starts to forward later (dockerd, libvirtd) turns all of it on and has rules of its own: answers and what was translated are its.
    rule.states = netfilter::ct_established | netfilter::ct_related | netfilter::ct_dnat;
    rule.states_negated = true;
    rule.comment = memo_of(guard, family);
    rule.target.kind = Target::Kind::drop;
    if (auto added = add(rule); !added) return std::move(added).error();
  }
  for (const auto& topology : chain.topologies) {
    Rule rule;
    rule.comment = need_mark(topology);
    rule.target.kind = Target::Kind::return_;
    if (auto added = add(rule); !added) return std::move(added).error();
  }
  return found;
}

Result<Entry> shared_jump(Family family) {
  Rule rule;
  rule.comment = shared_mark;
  rule.target.kind = Target::Kind::jump;
  rule.target.chain = shared_chain;
  return encode(rule, family);
}

}  // namespace topo::firewall::iptables
