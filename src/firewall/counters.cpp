#include "firewall/counters.hpp"

#include "firewall/iptables/table.hpp"
#include "firewall/nftables/live.hpp"
#include "topo/names.hpp"

namespace topo::firewall {

Result<Counters> count_packets(const Place& place, const std::string& topology) {
  Counters counters;
  const Tables tables(place);
  const auto existing = tables.read();
  if (!existing) return existing.error();
  for (const Table* table : *existing) {
    const TableId id = table->id();
    if (id.table != netfilter::Table::filter) continue;
    for (const std::string& chain : table->chains()) {
      if (!chain.starts_with(chain_prefix(topology))) continue;
      auto& own = counters[policy::place_of({id.family, id.table, chain})];
      const auto entries = table->rules(chain);
      const auto packets = table->packets(chain);
      for (std::size_t i = 0; i < entries.size(); ++i) own.emplace_back(decode(entries[i], id.family), packets[i]);
    }
  }
  if (auto read = nftables::count_packets(place, topology, counters); !read) return std::move(read).error();
  return counters;
}

}  // namespace topo::firewall
