#include "firewall/backend.hpp"

#include <linux/netfilter.h>

#include <algorithm>

#include "firewall/iptables/iptables.hpp"
#include "firewall/iptables/shared.hpp"
#include "firewall/memory.hpp"
#include "firewall/nftables/live.hpp"
#include "firewall/nftables/nftables.hpp"
#include "topo/names.hpp"

namespace topo::firewall {

Tables::Tables(Place place) : place_(std::make_unique<const Place>(std::move(place))), live_(std::make_unique<nftables::Live>(*place_)) {}
Tables::Tables(Tables&&) noexcept = default;
Tables::~Tables() = default;

Result<std::vector<const Table*>> Tables::read() const {
  if (!tables_) {
    const auto existing = existing_tables(*place_);
    if (!existing) return existing.error();
    auto opened = std::make_unique<std::vector<Table>>();
    for (const TableId id : *existing) {
      auto table = Table::open(*place_, id);
      if (!table) return std::move(table).error();
      opened->push_back(std::move(*table));
    }
    tables_ = std::move(opened);
  }
  std::vector<const Table*> all;
  for (const Table& table : *tables_) all.push_back(&table);
  return all;
}

Result<void> read_together(const std::vector<const Tables*>& looks, const std::string& topology) {
  std::vector<nftables::Live*> lives;
  for (const Tables* look : looks) lives.push_back(&look->nft());
  return nftables::Live::list(lives, {{table_name(topology), owner_mark(topology)}, {shared_table, shared_mark}});
}

Result<std::optional<Backend>> suitable_backend(const Tables& tables, const std::string& topology) {
  const auto legacy = iptables::are_there(tables.place());
  if (!legacy) return legacy.error();
  const auto names = tables.nft().names();
  if (!names) return names.error();
  const bool somebody = std::any_of((*names)->begin(), (*names)->end(),
                                    [&](const auto& table) { return table.comment != owner_mark(topology) && table.comment != shared_mark; });
  if (*legacy && !somebody) return std::optional(Backend::iptables);
  if (nftables::presence(tables.place()) != nftables::Presence::none) return std::optional(Backend::nftables);
  return *legacy ? std::optional(Backend::iptables) : std::nullopt;
}

Result<std::optional<Firewall>> observe(const Tables& tables, const std::string& topology) {
  Firewall firewall;
  firewall.ns = tables.place().ns;
  auto rules = iptables::observe(tables, topology);
  if (!rules) return std::move(rules).error();
  firewall.rules = std::move(*rules);
  auto nft = nftables::observe(tables, topology);
  if (!nft) return std::move(nft).error();
  firewall.tables = std::move(*nft);
  bool remembered = false;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto legacy = iptables::shared(tables, family), other = nftables::shared(tables, family);
    if (!legacy) return legacy.error();
    if (!other) return other.error();
    const auto meant = recalled(tables.place(), family, together(*legacy, *other));
    if (!meant) return meant.error();
    if (!meant->topologies.contains(topology)) continue;
    remembered = true;
    const bool by_nft = !firewall.tables.empty() || other->topologies.contains(topology);
    auto on = is_forwarding(tables.place(), family, by_nft ? SharedChains{*other, *legacy} : SharedChains{*legacy, *other}, *meant);
    if (!on) return std::move(on).error();
    const auto in_force = by_nft ? nftables::is_shared_in_force(tables) : iptables::is_shared_in_force(tables, family);
    if (!in_force) return in_force.error();
    (family == Family::v4 ? firewall.forwards_v4 : firewall.forwards_v6) = *on && *in_force;
  }
  if (firewall.rules.empty() && firewall.tables.empty() && !remembered) return std::optional<Firewall>();
  return std::optional(std::move(firewall));
}

Result<std::set<std::string>> topologies_in(const Tables& tables) {
  std::set<std::string> names;
  const auto existing = tables.read();
  if (!existing) return existing.error();
  for (const Table* table : *existing) {
    for (const auto& [prefix, topology] : topologies_in(*table)) names.insert(topology);
  }
  for (const Family family : {Family::v4, Family::v6}) {
    const auto legacy = iptables::shared(tables, family), other = nftables::shared(tables, family);
    if (!legacy) return legacy.error();
    if (!other) return other.error();
    names.insert(legacy->topologies.begin(), legacy->topologies.end());
    names.insert(other->topologies.begin(), other->topologies.end());
  }
  const auto own = tables.nft().topologies();
  if (!own) return own.error();
  names.insert(own->begin(), own->end());
  return names;
}

Result<void> replace(const Place& place, const std::string& topology, const Firewall* after, const Waiting& waiting) {
  const auto by_iptables = [&](const Firewall* wanted) { return iptables::replace(place, topology, wanted, waiting); };
  const auto by_nftables = [&](const Firewall* wanted) { return nftables::replace(place, topology, wanted, waiting); };
  // Whatever takes the place of the other is there before that goes: the same packets pass by both, and each is translated once.
  if (after != nullptr && !after->tables.empty()) {
    if (auto done = by_nftables(after); !done) return done;
    return by_iptables(nullptr);
  }
  if (auto done = by_iptables(after); !done) return done;
  nftables::Live live(place);
  const auto own = live.has(table_name(topology), owner_mark(topology)), shared = live.has(shared_table, shared_mark);
  if (!own) return own.error();
  if (!shared) return shared.error();
  if (*own || *shared) return by_nftables(nullptr);
  // Somebody may have emptied all tables: what topo turned on is then known by its memory alone.
  for (const Family family : {Family::v4, Family::v6}) {
    const auto left = after != nullptr ? Result<SharedChain>(SharedChain()) : recalled(place, family, {});
    if (!left) return left.error();
    if (left->topologies.contains(topology)) return by_nftables(nullptr);
  }
  return {};
}

Result<std::vector<std::pair<std::string, std::string>>> foreign_chains(const Tables& tables, const std::string& topology, const Firewall* wanted) {
  std::vector<std::pair<std::string, std::string>> found;
  const std::string place = tables.place().ns.empty() ? "" : " in namespace " + tables.place().ns;
  const bool by_nft = wanted != nullptr && !wanted->tables.empty();
  for (const Family family : {Family::v4, Family::v6}) {
    const auto meaning = iptables::shared(tables, family);
    if (!meaning) return meaning.error();
    const bool needed = wanted != nullptr && !by_nft && (family == Family::v4 ? wanted->forwards_v4 : wanted->forwards_v6);
    if (!meaning->foreign || !(needed || meaning->topologies.contains(topology))) continue;
    found.emplace_back("chain " + std::string(shared_chain) + " of " + TableId{family, netfilter::Table::filter}.title() + place, meaning->whose());
  }
  if (!by_nft) return found;
  const auto names = tables.nft().names();
  if (!names) return names.error();
  for (const auto& table : **names) {
    const bool own_name = table.name == table_name(topology), shared_name = table.name == shared_table;
    const std::string mark = own_name ? owner_mark(topology) : shared_mark;
    if ((!own_name && !shared_name) || table.comment == mark) continue;
    if (table.family != NFPROTO_INET && (table.family != NFPROTO_BRIDGE || shared_name)) continue;
    const char* const family = table.family == NFPROTO_INET ? "inet " : "bridge ";
    found.emplace_back("table " + std::string(family) + table.name + " of nftables" + place, "is not made by topo");
  }
  return found;
}

}  // namespace topo::firewall
