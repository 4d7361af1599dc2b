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

Result<std::optional<Firewall>> observe(const Place& place, const std::string& topology) {
  auto tables = existing_tables(place);
  if (!tables) return std::move(tables).error();
  Firewall firewall;
  firewall.ns = place.ns;
  bool remembered = false;
  for (const TableId id : *tables) {
    auto table = Table::open(place, id);
    if (!table) return std::move(table).error();
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

Result<std::vector<std::pair<std::string, std::string>>> foreign_chains(const Place& place, const std::string& topology, const Firewall* wanted) {
  std::vector<std::pair<std::string, std::string>> found;
  auto tables = existing_tables(place);
  if (!tables) return std::move(tables).error();
  for (const TableId id : *tables) {
    if (id.table != netfilter::Table::filter) continue;
    auto table = Table::open(place, id);
    if (!table) return std::move(table).error();
    const auto meaning = SharedChain::read(shared_in(*table), id.family);
    const bool needed = wanted != nullptr && (id.family == Family::v4 ? wanted->forwards_v4 : wanted->forwards_v6);
    if (!meaning.foreign || !(needed || meaning.topologies.contains(topology))) continue;
    found.emplace_back("chain " + std::string(shared_chain) + " of " + id.title() + (place.ns.empty() ? "" : " in namespace " + place.ns),
                       meaning.whose());
  }
  return found;
}

}  // namespace topo::firewall
