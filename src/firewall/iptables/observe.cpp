// Reading back what a topology owns in the legacy tables.
#include <fstream>

#include "firewall/iptables/iptables.hpp"
#include "firewall/iptables/shared.hpp"
#include "kernel/netns.hpp"

namespace topo::firewall::iptables {
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

/// The table filter of one family; nullptr where it does not exist.
Result<const Table*> filter_of(const Tables& tables, Family family) {
  const auto existing = tables.read();
  if (!existing) return existing.error();
  for (const Table* table : *existing) {
    if (table->id() == TableId{family, netfilter::Table::filter}) return table;
  }
  return nullptr;
}

}  // namespace

Result<netfilter::Ruleset> observe(const Tables& tables, const std::string& topology) {
  netfilter::Ruleset rules;
  const auto existing = tables.read();
  if (!existing) return existing.error();
  for (const Table* table : *existing) collect(owned_by(topology, *table), table->id(), rules);
  return rules;
}

Result<SharedChain> shared(const Tables& tables, Family family) {
  const auto table = filter_of(tables, family);
  if (!table) return table.error();
  return *table == nullptr ? SharedChain() : read_shared(shared_in(**table), family);
}

Result<bool> is_shared_in_force(const Tables& tables, Family family) {
  const auto table = filter_of(tables, family);
  if (!table) return table.error();
  if (*table == nullptr) return true;
  const Owned found = shared_in(**table);
  return read_shared(found, family).guards.empty() || found.jumps.contains("FORWARD");
}

Result<bool> are_there(const Place& place) {
  auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
  if (!inside) return std::move(inside).error();
  return std::ifstream("/proc/thread-self/net/ip_tables_names").good();
}

}  // namespace topo::firewall::iptables
