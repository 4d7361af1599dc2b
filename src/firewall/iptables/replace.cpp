// Bringing the tables from what they are to what they shall be.
#include <algorithm>
#include <optional>
#include <set>

#include "firewall/bridge_filter.hpp"
#include "firewall/iptables/iptables.hpp"
#include "firewall/iptables/shared.hpp"
#include "firewall/iptables/table_lock.hpp"
#include "firewall/memory.hpp"
#include "firewall/nftables/nftables.hpp"
#include "resources/firewall/meaning.hpp"

namespace topo::firewall::iptables {
namespace {

constexpr int commit_attempts = 500;  // a stranger without the lock, in a tight loop, may win some scores of times on end
constexpr int refusals_believed = 5;  // so often nobody changes a table by chance between two system calls of libiptc's

/// One table's chains and jumps as they shall be.
struct Wanted {
  std::map<std::string, std::vector<Entry>> chains;
  std::map<std::string, std::vector<Entry>> jumps;  ///< by built-in chain
};

Result<std::vector<Entry>> encode_all(const std::vector<netfilter::Rule>& rules, Family family) {
  std::vector<Entry> entries;
  entries.reserve(rules.size());
  for (const auto& rule : rules) {
    auto entry = encode(rule, family);
    if (!entry) return std::move(entry).error();
    entries.push_back(std::move(*entry));
  }
  return entries;
}

using RulesByChain = std::map<netfilter::ChainId, std::vector<netfilter::Rule>>;

Result<void> encode_table(const RulesByChain& chains, TableId id, std::map<std::string, std::vector<Entry>>& into) {
  for (const auto& [chain, rules] : chains) {
    if (chain.family != id.family || chain.table != id.table) continue;
    auto entries = encode_all(rules, id.family);
    if (!entries) return std::move(entries).error();
    into[chain.name] = std::move(*entries);
  }
  return {};
}

Result<Wanted> wanted_in(TableId id, const Firewall* after) {
  Wanted wanted;
  if (after == nullptr) return wanted;
  if (auto done = encode_table(after->rules.chains, id, wanted.chains); !done) return std::move(done).error();
  if (auto done = encode_table(after->rules.jumps, id, wanted.jumps); !done) return std::move(done).error();
  return wanted;
}

bool needs_forwarding(const Firewall* after, Family family) {
  return after != nullptr && (family == Family::v4 ? after->forwards_v4 : after->forwards_v6);
}

/// The tables to look at: those that exist, and those that `after` has something for. In the order in which to change them: what is being
/// built is filtered before it is translated, what is being taken down is translated no more before it is unfiltered.
Result<std::vector<TableId>> tables_for(const Place& place, const Firewall* after) {
  auto existing = existing_tables(place);
  if (!existing) return std::move(existing).error();
  std::set<TableId> needed(existing->begin(), existing->end());
  for (const Family family : {Family::v4, Family::v6}) {
    if (needs_forwarding(after, family)) needed.insert({family, netfilter::Table::filter});
  }
  if (after != nullptr) {
    for (const auto* chains : {&after->rules.chains, &after->rules.jumps}) {
      for (const auto& [chain, rules] : *chains) needed.insert({chain.family, chain.table});
    }
  }
  std::vector<TableId> ordered;
  for (const TableId id : all_tables) {
    if (needed.contains(id)) ordered.push_back(id);
  }
  const bool building = after != nullptr && !after->rules.empty();
  if (!building) std::reverse(ordered.begin(), ordered.end());
  return ordered;
}

/// Edits a snapshot of a table step by step; after the first error nothing more is done.
class Editor {
 public:
  explicit Editor(Table& table) : table_(table) {}
  [[nodiscard]] bool changed() const { return changed_; }
  [[nodiscard]] Result<void> outcome() const { return error_ ? Result<void>(*error_) : Result<void>(); }

  void bring(const Owned& live, const Wanted& wanted) {
    for (const auto& [chain, entries] : wanted.chains) {
      if (!live.chains.contains(chain)) step(table_.create(chain));
    }
    // All are emptied before one is filled or removed: their rules may jump to one another.
    for (const auto& [chain, entries] : live.chains) {
      const auto same = wanted.chains.find(chain);
      if (same != wanted.chains.end() && same->second == entries) continue;
      if (!entries.empty() || same == wanted.chains.end()) step(table_.flush(chain));
    }
    for (const auto& [chain, entries] : wanted.chains) {
      const auto before = live.chains.find(chain);
      if (before != live.chains.end() && before->second == entries) continue;
      for (const auto& entry : entries) step(table_.append(chain, entry));
    }
    bring_jumps(live, wanted);
    for (const auto& [chain, entries] : live.chains) {
      if (!wanted.chains.contains(chain)) step(table_.erase(chain));
    }
  }

 private:
  void step(Result<void> done) {
    changed_ = true;
    if (!done && !error_) error_ = std::move(done).error();
  }

  void bring_jumps(const Owned& live, const Wanted& wanted) {
    for (const auto& [chain, jumps] : live.jumps) {
      const auto entries = wanted.jumps.find(chain);
      std::vector<Entry> missing = entries == wanted.jumps.end() ? std::vector<Entry>{} : entries->second;
      std::vector<std::size_t> superfluous;
      for (const auto& jump : jumps) {
        const auto found = std::find(missing.begin(), missing.end(), jump.entry);
        if (found == missing.end()) {
          superfluous.push_back(jump.index);
        } else {
          missing.erase(found);
        }
      }
      // From the last one, so that the places of the others stay what they are.
      for (auto index = superfluous.rbegin(); index != superfluous.rend(); ++index) step(table_.erase_rule(chain, *index));
      for (const auto& entry : missing) step(table_.insert_first(chain, entry));
    }
    for (const auto& [chain, entries] : wanted.jumps) {
      if (live.jumps.contains(chain)) continue;
      for (const auto& entry : entries) step(table_.insert_first(chain, entry));
    }
  }

  Table& table_;
  bool changed_ = false;
  std::optional<Error> error_;
};

/// The shared chain as it shall be, in the terms of a table.
Result<Wanted> wanted_shared(const SharedChain& shared, Family family) {
  Wanted wanted;
  if (shared.empty()) return wanted;
  auto entries = shared_entries(shared, family);
  if (!entries) return std::move(entries).error();
  auto jump = shared_jump(family);
  if (!jump) return std::move(jump).error();
  wanted.chains[shared_chain] = std::move(*entries);
  wanted.jumps["FORWARD"] = {std::move(*jump)};
  return wanted;
}

Result<void> explain_missing(const Place& place, TableId id, const Wanted& wanted) {
  std::set<Extension> needed;
  for (const auto* chains : {&wanted.chains, &wanted.jumps}) {
    for (const auto& [chain, entries] : *chains) {
      for (const auto& entry : entries) {
        for (auto& extension : extensions(entry, id.family)) needed.insert(std::move(extension));
      }
    }
  }
  auto missing = missing_extension(place, id.family, {needed.begin(), needed.end()});
  if (!missing) return std::move(missing).error();
  if (!*missing) return {};
  return Error{Exit::unsupported,
               "cannot change " + id.title(),
               {},
               "the kernel lacks the " + std::string((*missing)->target ? "target " : "match ") + (*missing)->name,
               "modprobe xt_" + (*missing)->name + ", or a kernel that has it",
               {}};
}

/// One table's way from what it is to `after`. It is read anew for each attempt.
class TableChange {
 public:
  TableChange(const Place& place, const std::string& topology, TableId id, const Firewall* after)
      : place_(place), topology_(topology), id_(id), after_(after) {}

  [[nodiscard]] Result<void> perform() {
    auto wanted = wanted_in(id_, after_);
    if (!wanted) return std::move(wanted).error();
    for (int attempt = 0; attempt < commit_attempts; ++attempt) {
      auto outcome = attempt_once(*wanted);
      if (!outcome) return std::move(outcome).error();
      if (*outcome == Table::Outcome::done) {
        if (!forwarding_) return {};
        remember(place_, id_.family, forwarding_->meant);
        return write_settings(place_, forwarding_->turn_on, "1");
      }
      if (*outcome == Table::Outcome::overtaken) continue;
      if (*outcome == Table::Outcome::refused) {
        if (++refusals_ < refusals_believed) continue;
        return Error{Exit::rolled_back, "cannot change " + id_.title(), {}, "Invalid argument", "dmesg may say which rule the kernel refuses", {}};
      }
      if (explained_) break;
      explained_ = true;
      if (auto known = explain_missing(place_, id_, *wanted); !known) return known;
    }
    return Error{Exit::rolled_back,
                 "cannot change " + id_.title(),
                 {},
                 explained_ ? "the kernel refuses a rule" : "another program changes it all the time",
                 explained_ ? "dmesg may say why" : "stop that program, or make it take the lock (iptables -w)",
                 {}};
  }

 private:
  Result<Table::Outcome> attempt_once(const Wanted& wanted) {
    auto table = Table::open(place_, id_);
    if (!table) return std::move(table).error();
    Editor editor(*table);
    Owned shared = shared_in(*table);
    editor.bring(owned_by(topology_, *table), wanted);
    if (id_.table == netfilter::Table::filter) {
      // The jumps are found again by their content, since the indices that `shared` holds are those before the first edit.
      if (editor.changed()) shared.jumps = shared_in(*table).jumps;
      if (auto brought = bring_shared(editor, shared); !brought) return std::move(brought).error();
    }
    if (auto edited = editor.outcome(); !edited) return std::move(edited).error();
    if (forwarding_) {
      if (forwarding_->other) {
        if (auto written = nftables::write_shared(place_, id_.family, *forwarding_->other); !written) return std::move(written).error();
      }
      if (auto restored = write_settings(place_, forwarding_->restore, "0"); !restored) return std::move(restored).error();
      // What is given back must never be taken for topo's again.
      if (forwarding_->meant.empty()) remember(place_, id_.family, {});
    }
    if (!editor.changed()) return Table::Outcome::done;
    return table->commit();
  }

  Result<void> bring_shared(Editor& editor, const Owned& shared) {
    auto live = read_shared(shared, id_.family);
    const bool needed = needs_forwarding(after_, id_.family);
    if (live.foreign) {
      if (!needed && !live.topologies.contains(topology_)) return {};
      return Error{Exit::conflict, "chain TOPO of " + id_.title() + " " + live.whose(), {}, {}, {}, {}};
    }
    auto other = nftables::shared(Tables(place_), id_.family);
    if (!other) return std::move(other).error();
    auto plan = plan_forwarding(place_, id_.family, topology_, {std::move(live), std::move(*other)}, needed);
    if (!plan) return std::move(plan).error();
    auto wanted = wanted_shared(plan->wanted, id_.family);
    if (!wanted) return std::move(wanted).error();
    editor.bring(shared, *wanted);
    forwarding_ = std::move(*plan);
    return {};
  }

  const Place& place_;
  const std::string& topology_;
  TableId id_;
  const Firewall* after_;
  std::optional<ForwardingPlan> forwarding_;
  bool explained_ = false;
  int refusals_ = 0;
};

}  // namespace

Result<void> replace(const Place& place, const std::string& topology, const Firewall* after, const Waiting& waiting) {
  auto tables = tables_for(place, after);
  if (!tables) return std::move(tables).error();
  if (tables->empty()) return {};
  auto lock = TableLock::take(waiting);
  if (!lock) return std::move(lock).error();
  auto bridges = BridgeFilter::prepare(place, after != nullptr && matches_bridge_ports(*after));
  if (!bridges) return std::move(bridges).error();
  for (const TableId id : *tables) {
    if (auto changed = TableChange(place, topology, id, after).perform(); !changed) return changed;
  }
  return bridges->settle(place);
}

Result<void> write_shared(const Place& place, Family family, const SharedChain& wanted, const Waiting& waiting) {
  auto lock = TableLock::take(waiting);
  if (!lock) return std::move(lock).error();
  const TableId id{family, netfilter::Table::filter};
  auto entries = wanted_shared(wanted, family);
  if (!entries) return std::move(entries).error();
  for (int attempt = 0; attempt < commit_attempts; ++attempt) {
    auto table = Table::open(place, id);
    if (!table) return std::move(table).error();
    Editor editor(*table);
    editor.bring(shared_in(*table), *entries);
    if (auto edited = editor.outcome(); !edited) return edited;
    if (!editor.changed()) return {};
    auto outcome = table->commit();
    if (!outcome) return std::move(outcome).error();
    if (*outcome == Table::Outcome::done) return {};
  }
  return Error{Exit::rolled_back, "cannot change " + id.title(), {}, "another program changes it all the time", {}, {}};
}

}  // namespace topo::firewall::iptables
