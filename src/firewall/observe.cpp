// Reading back what a topology owns.
#include "firewall/backend.hpp"
#include "firewall/forwarding.hpp"
#include "firewall/memory.hpp"
#include "firewall/ownership.hpp"

namespace topo::firewall {
namespace {

std::vector<netfilter::Rule> decode_all(const std::vector<Entry>& entries, Family family) {
  std::vector<netfilter::Rule> rules;
  rules.reserve(entries.size());
  for (const auto& entry : entries) rules.push_back(decode(entry, family));
  return rules;
}

void collect(const Owned& owned, TableId id, netfilter::Ruleset& into) {
  for (const auto& [chain, entries] : owned.chains) into.chains[{id.family, id.table, chain}] = decode_all(entries, id.family);
  for (const auto& [chain, jumps] : owned.jumps) {
    for (const auto& jump : jumps) into.jumps[{id.family, id.table, chain}].push_back(jump.rule);
  }
}

/// Whether what is meant of the topology's need is so in full: the guards are there and in force, and all interfaces forward.
Result<bool> forwards(const Place& place, Family family, const Owned& shared, const SharedChain& chain, const SharedChain& meant) {
  if (chain != meant || (!chain.guards.empty() && !shared.jumps.contains("FORWARD"))) return false;
  return outside_forwards(place, family);
}

}  // namespace

Result<std::optional<Firewall>> observe(const Tables& tables, const std::string& topology) {
  const Place& place = tables.place();
  const auto existing = tables.read();
  if (!existing) return existing.error();
  Firewall firewall;
  firewall.ns = place.ns;
  bool remembered = false;
  for (const Table* table : *existing) {
    const TableId id = table->id();
    collect(owned_by(topology, *table), id, firewall.rules);
    if (id.table != netfilter::Table::filter) continue;
    const Owned shared = shared_in(*table);
    const auto chain = SharedChain::read(shared, id.family);
    const auto meant = recalled(place, id.family, chain);
    if (!meant) return meant.error();
    if (!meant->topologies.contains(topology)) continue;
    remembered = true;
    auto on = forwards(place, id.family, shared, chain, *meant);
    if (!on) return std::move(on).error();
    (id.family == Family::v4 ? firewall.forwards_v4 : firewall.forwards_v6) = *on;
  }
  if (firewall.rules.empty() && !remembered) return std::optional<Firewall>();
  return std::optional(std::move(firewall));
}

Result<std::vector<std::pair<std::string, std::string>>> foreign_chains(const Tables& tables, const std::string& topology, const Firewall* wanted) {
  std::vector<std::pair<std::string, std::string>> found;
  const std::string& ns = tables.place().ns;
  const auto existing = tables.read();
  if (!existing) return existing.error();
  for (const Table* table : *existing) {
    const TableId id = table->id();
    if (id.table != netfilter::Table::filter) continue;
    const auto meaning = SharedChain::read(shared_in(*table), id.family);
    const bool needed = wanted != nullptr && (id.family == Family::v4 ? wanted->forwards_v4 : wanted->forwards_v6);
    if (!meaning.foreign || !(needed || meaning.topologies.contains(topology))) continue;
    found.emplace_back("chain " + std::string(shared_chain) + " of " + id.title() + (ns.empty() ? "" : " in namespace " + ns), meaning.whose());
  }
  return found;
}

}  // namespace topo::firewall
