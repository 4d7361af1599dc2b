#include "firewall/nftables/live.hpp"

#include <linux/netfilter.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "firewall/nftables/listing.hpp"
#include "firewall/nftables/nftables.hpp"
#include "topo/names.hpp"

namespace topo::firewall::nftables {
namespace {

constexpr std::uint8_t families[] = {NFPROTO_INET, NFPROTO_BRIDGE};
const char* family_name(std::uint8_t family) { return family == NFPROTO_INET ? "inet" : "bridge"; }
bool is_family(std::uint8_t family) { return std::find(std::begin(families), std::end(families), family) != std::end(families); }
std::string list_command(std::uint8_t family, const std::string& table) { return std::string("list table ") + family_name(family) + ' ' + table; }

/// Whether nf_tables is a module that is not loaded: to ask for its tables would load it.
bool is_unloaded_module() {
  std::ifstream modules("/proc/modules");
  if (!modules) return false;
  for (std::string line; std::getline(modules, line);) {
    if (line.starts_with("nf_tables ")) return false;
  }
  utsname system{};
  if (::uname(&system) != 0) return false;
  const std::string file = std::string("/lib/modules/") + system.release + "/kernel/net/netfilter/nf_tables.ko";
  constexpr std::array packed{"", ".xz", ".zst", ".gz"};
  return std::any_of(packed.begin(), packed.end(), [&](const char* how) { return ::access((file + how).c_str(), F_OK) == 0; });
}

/// The kernel's answer where it has no nf_tables: nfnetlink knows no such subsystem, or there is not even that.
bool knows_none(const Error& error) {
  const auto is = [&](int number) { return error.kernel.starts_with(std::strerror(number)); };
  return is(EINVAL) || is(EOPNOTSUPP) || is(EPROTONOSUPPORT);
}

}  // namespace

Presence presence(const Place& place) {
  if (is_unloaded_module()) return Presence::not_loaded;
  kernel::Channel channel(place.netns_fd, place.home_fd, NETLINK_NETFILTER);
  const auto names = table_names(channel);
  return names || !knows_none(names.error()) ? Presence::there : Presence::none;
}

Result<const std::vector<TableName>*> Live::names() {
  if (!names_) {
    if (is_unloaded_module()) {
      names_.emplace();
    } else {
      auto found = table_names(channel_);
      if (!found && !knows_none(found.error())) return std::move(found).error();
      names_ = found ? std::move(*found) : std::vector<TableName>();
    }
  }
  return &*names_;
}

Result<bool> Live::has(const std::string& table, const std::string& mark) {
  const auto all = names();
  if (!all) return all.error();
  return std::any_of((*all)->begin(), (*all)->end(), [&](const TableName& each) {
    return each.name == table && each.comment == mark && is_family(each.family);
  });
}

Result<std::vector<std::string>> Live::topologies() {
  const auto all = names();
  if (!all) return all.error();
  std::vector<std::string> found;
  for (const TableName& each : **all) {
    const auto owner = owner_of(each.comment);
    if (owner && each.comment == owner_mark(*owner) && each.name == table_name(*owner)) found.push_back(*owner);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

Result<void> Live::list(const std::vector<Live*>& looks, const std::vector<Named>& tables) {
  std::vector<Request> requests;
  std::vector<std::pair<Live*, Key>> whose;
  for (Live* look : looks) {
    const auto all = look->names();
    if (!all) return all.error();
    for (const TableName& each : **all) {
      const Key key(each.family, each.name);
      const bool asked = is_family(each.family) && std::any_of(tables.begin(), tables.end(), [&](const Named& named) {
                           return named.table == each.name && named.mark == each.comment;
                         });
      if (!asked || look->listed_.contains(key)) continue;
      if (each.flagged) {
        // libnftables 1.0.6 writes such flags as bytes that are no text.
        look->listed_[key].strange.insert("flags");
        continue;
      }
      requests.push_back({&look->place_, list_command(each.family, each.name)});
      whose.emplace_back(look, key);
    }
  }
  auto answers = run(requests);
  if (!answers) return std::move(answers).error();
  for (std::size_t i = 0; i < whose.size(); ++i) {
    const auto& [look, key] = whose[i];
    if (!(*answers)[i].done) return failure("cannot read the tables of nftables", (*answers)[i]);
    auto listing = tables_in((*answers)[i].output);
    if (!listing) return std::move(listing).error();
    look->listed_[key] = std::move((*listing)[key.second]);
  }
  return {};
}

Result<topo::nftables::Table> Live::read_table(std::uint8_t family, const std::string& name) {
  topo::nftables::Table table = listed_[{family, name}];
  for (auto& [set_name, set] : table.sets) {
    const auto understood = read_elements(channel_, family, name, set_name, set);
    if (!understood) return understood.error();
    if (!*understood) table.strange.insert("set " + set_name);
  }
  return table;
}

Result<topo::nftables::Ruleset> Live::read(const std::string& table, const std::string& mark) {
  topo::nftables::Ruleset rules;
  if (auto listed = list({this}, {{table, mark}}); !listed) return std::move(listed).error();
  const auto all = names();
  if (!all) return all.error();
  for (const TableName& each : **all) {
    if (each.name != table || each.comment != mark || !is_family(each.family)) continue;
    auto read = read_table(each.family, table);
    if (!read) return std::move(read).error();
    // It is there all the same, and must go before another can take its place.
    if (read->empty()) read->strange.insert("nothing");
    (each.family == NFPROTO_INET ? rules.inet : rules.bridge) = std::move(*read);
  }
  return rules;
}

Result<void> count_packets(const Place& place, const std::string& topology, Counters& into) {
  Live live(place);
  const std::string name = table_name(topology);
  const auto all = live.names();
  if (!all) return all.error();
  for (const TableName& each : **all) {
    if (each.name != name || each.comment != owner_mark(topology) || !is_family(each.family) || each.flagged) continue;
    const auto answers = run({{&place, list_command(each.family, name), true}});
    if (!answers) return answers.error();
    if (!answers->front().done) return failure("cannot read the tables of nftables", answers->front());
    auto counts = counts_in(answers->front().output, name);
    if (!counts) return std::move(counts).error();
    for (auto& [chain, rules] : *counts) into[{family_name(each.family), chain}].assign(rules.begin(), rules.end());
  }
  return {};
}

}  // namespace topo::firewall::nftables
