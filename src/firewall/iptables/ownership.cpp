#include "firewall/iptables/ownership.hpp"

#include <algorithm>
#include <functional>

#include "firewall/forwarding.hpp"
#include "topo/names.hpp"

namespace topo::firewall {
namespace {

using netfilter::Rule;
using netfilter::Target;

/// The unconditional or conditional jumps of built-in chains to chains of topo's naming, whoever made them.
void for_each_jump(const Table& table, const std::function<void(const std::string&, Jump)>& sink) {
  for (const auto& chain : table.chains()) {
    if (!table.is_builtin(chain)) continue;
    const auto entries = table.rules(chain);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].find(shared_chain) == Entry::npos) continue;  // a host may have thousands of rules: look into few of them
      Rule rule = decode(entries[i], table.id().family);
      if (rule.target.kind == Target::Kind::jump || rule.target.kind == Target::Kind::go_to) sink(chain, {i, entries[i], std::move(rule)});
    }
  }
}

/// `iptables -F` empties all chains and removes none.
bool topologies_are_flushed(const Table& table) {
  auto chains = table.chains();
  std::erase_if(chains, [](const std::string& chain) { return !chain.starts_with("TOPO-"); });
  return !chains.empty() && std::all_of(chains.begin(), chains.end(), [&](const std::string& chain) { return table.rules(chain).empty(); });
}

}  // namespace

bool owns_chain(const std::string& topology, const std::string& chain) {
  const std::string prefix = chain_prefix(topology);
  return chain.compare(0, prefix.size(), prefix) == 0 && (chain.size() == prefix.size() || chain[prefix.size()] == '-');
}

Owned owned_by(const std::string& topology, const Table& table) {
  Owned owned;
  for (const auto& chain : table.chains()) {
    if (owns_chain(topology, chain) && !table.is_builtin(chain)) owned.chains[chain] = table.rules(chain);
  }
  for_each_jump(table, [&](const std::string& chain, Jump jump) {
    if (owns_chain(topology, jump.rule.target.chain) && owner_of(jump.rule.comment) == topology) owned.jumps[chain].push_back(std::move(jump));
  });
  return owned;
}

Owned shared_in(const Table& table) {
  Owned owned;
  if (table.has_chain(shared_chain)) {
    owned.chains[shared_chain] = table.rules(shared_chain);
    owned.flushed = owned.chains[shared_chain].empty() && topologies_are_flushed(table);
  }
  for_each_jump(table, [&](const std::string& chain, Jump jump) {
    if (jump.rule.target.chain == shared_chain && jump.rule.comment == shared_mark) owned.jumps[chain].push_back(std::move(jump));
  });
  return owned;
}

std::map<std::string, std::string> topologies_in(const Table& table) {
  std::map<std::string, std::string> names;
  for_each_jump(table, [&](const std::string&, const Jump& jump) {
    const auto owner = owner_of(jump.rule.comment);
    if (owner && owns_chain(*owner, jump.rule.target.chain)) names[chain_prefix(*owner)] = *owner;
  });
  return names;
}

}  // namespace topo::firewall
