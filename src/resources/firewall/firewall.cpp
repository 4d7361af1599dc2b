#include "resources/firewall/firewall.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "resources/relation.hpp"

namespace topo {
namespace {

using netfilter::ChainId;
using netfilter::Rule;

/// So many rules are told one by one; a whole firewall that comes or goes is no reading matter.
constexpr std::size_t most_told = 20;

using Chains = std::map<ChainId, std::vector<Rule>>;

std::string words_for(const Rule& rule, const ChainId& chain) {
  if (!rule.comment.empty()) return rule.comment;
  return (chain.family == Family::v4 ? "iptables: " : "ip6tables: ") + chain.name + ' ' + netfilter::to_string(rule, chain.family);
}

/// How often a chain has each rule; the key tells rules apart, the words are for people.
struct Counted {
  std::string words;
  bool commented = false;
  long before = 0;
  long after = 0;
};

/// What has a comment says more than what has none, and is told first.
struct Found {
  Differences commented, bare;
  std::set<std::string> told;
};

/// How often something is there, before and after, by what tells it from others.
using Counts = std::map<std::string, Counted>;

void tell(Found& found, const Counts& counts) {
  for (const auto& [key, counted] : counts) {
    if (counted.before == counted.after) continue;
    const bool missing = counted.before < counted.after;
    // One flow may be several rules; it is told once.
    if (!found.told.insert((missing ? "+" : "-") + counted.words).second) continue;
    Differences& list = counted.commented ? found.commented : found.bare;
    list.push_back({"rule", missing ? std::string() : counted.words, missing ? counted.words : std::string(), false});
  }
}

void compare_chain(Found& found, const ChainId& id, const std::vector<Rule>& before, const std::vector<Rule>& after) {
  if (before == after) return;
  Counts counts;
  const auto count = [&](const Rule& rule, long Counted::*side) {
    Counted& counted = counts[netfilter::to_string(rule, id.family) + rule.opaque];
    counted.words = words_for(rule, id);
    counted.commented = !rule.comment.empty();
    ++(counted.*side);
  };
  for (const Rule& rule : before) count(rule, &Counted::before);
  for (const Rule& rule : after) count(rule, &Counted::after);
  tell(found, counts);
  const bool same_rules = std::all_of(counts.begin(), counts.end(), [](const auto& each) { return each.second.before == each.second.after; });
  if (same_rules) found.bare.push_back({"order of rules", id.name, id.name + ", in another order", false});
}

void compare_all(Found& found, const Chains& before, const Chains& after) {
  static const std::vector<Rule> none;
  auto old = before.begin();
  auto young = after.begin();
  while (old != before.end() || young != after.end()) {
    const bool only_old = young == after.end() || (old != before.end() && old->first < young->first);
    const bool only_young = old == before.end() || (young != after.end() && young->first < old->first);
    const ChainId& id = only_young ? young->first : old->first;
    compare_chain(found, id, only_young ? none : old->second, only_old ? none : young->second);
    if ((only_old || only_young) && (only_old ? old : young)->second.empty()) {
      found.bare.push_back({"chain", only_old ? id.name : std::string(), only_young ? id.name : std::string(), false});
    }
    if (!only_young) ++old;
    if (!only_old) ++young;
  }
}

/// All that one table of nf_tables holds: rules, elements, and what chains and sets are.
void count_table(Counts& counts, const std::string& family, const nftables::Table& table, long Counted::*side) {
  const auto count = [&](const std::string& place, const std::string& what, const std::string& comment) {
    Counted& counted = counts[family + place + '\n' + what + '\n' + comment];
    counted.words = comment.empty() ? "nftables: " + family + place + ' ' + what : comment;
    counted.commented = !comment.empty();
    ++(counted.*side);
  };
  for (const auto& [name, chain] : table.chains) {
    std::string hook;
    if (chain.base) hook = " at " + chain.base->hook + ' ' + std::to_string(chain.base->priority) + ", policy " + chain.base->policy;
    count("chain " + name, "as such" + hook, {});
    for (const nftables::Rule& rule : chain.rules) count("chain " + name, nftables::to_string(rule) + rule.opaque, rule.comment);
  }
  for (const auto& [name, set] : table.sets) {
    std::string types;
    for (const auto* side_of : {&set.key, &set.data}) {
      for (const nftables::Type type : *side_of) types += ' ' + to_string(type);
    }
    count("set " + name, "of" + types + (set.interval ? ", of ranges" : ""), {});
    for (const auto& [key, element] : set.elements) count("set " + name, nftables::to_string(set, key, element), element.comment);
  }
  for (const std::string& strange : table.strange) count("", strange, {});
}

void compare_tables(Found& found, const std::string& family, const nftables::Table& before, const nftables::Table& after) {
  if (before == after) return;
  Counts counts;
  count_table(counts, family, before, &Counted::before);
  count_table(counts, family, after, &Counted::after);
  tell(found, counts);
  for (const auto& [name, chain] : after.chains) {
    const auto was = before.chains.find(name);
    if (was == before.chains.end() || was->second.rules == chain.rules) continue;
    const auto sorted = [](std::vector<nftables::Rule> rules) {
      std::sort(rules.begin(), rules.end(), [](const auto& a, const auto& b) { return nftables::to_string(a) < nftables::to_string(b); });
      return rules;
    };
    if (sorted(was->second.rules) == sorted(chain.rules)) found.bare.push_back({"order of rules", name, name + ", in another order", false});
  }
}

std::size_t size_of(const nftables::Table& table) {
  std::size_t count = 0;
  for (const auto& [name, chain] : table.chains) count += chain.rules.size();
  for (const auto& [name, set] : table.sets) count += set.elements.size();
  return count;
}

const char* on_off(bool on) { return on ? "on" : "off"; }

}  // namespace

std::set<Backend> backends_of(const std::vector<const Firewall*>& firewalls) {
  std::set<Backend> found;
  for (const Firewall* firewall : firewalls) {
    if (!firewall->rules.empty()) found.insert(Backend::iptables);
    if (!firewall->tables.empty()) found.insert(Backend::nftables);
  }
  return found;
}

std::string to_string(const std::set<Backend>& backends) {
  std::string text;
  for (const Backend backend : backends) text += std::string(text.empty() ? "" : " and ") + (backend == Backend::iptables ? "iptables" : "nftables");
  return text;
}

std::vector<std::string> Firewall::needs() const {
  if (ns.empty()) return {};
  return {namespace_need(ns)};
}

std::string Firewall::title() const { return place_title(ns); }

std::string Firewall::summary() const {
  std::size_t count = 0;
  for (const auto& [id, chain] : rules.chains) count += chain.size();
  count += size_of(tables.inet) + size_of(tables.bridge);
  return std::to_string(count) + (count == 1 ? " rule" : " rules");
}

Differences differences(const Firewall& before, const Firewall& after) {
  Found different;
  const std::string was = to_string(backends_of({&before})), is = to_string(backends_of({&after}));
  // All rules are others then, and mean the same.
  if (was == is || was.empty() || is.empty()) {
    compare_all(different, before.rules.chains, after.rules.chains);
    compare_all(different, before.rules.jumps, after.rules.jumps);
    compare_tables(different, "inet ", before.tables.inet, after.tables.inet);
    compare_tables(different, "bridge ", before.tables.bridge, after.tables.bridge);
  }
  Differences rules = std::move(different.commented);
  rules.insert(rules.end(), different.bare.begin(), different.bare.end());
  if (rules.size() > most_told) {
    const std::size_t left = rules.size() - most_told;
    rules.resize(most_told);
    rules.push_back({"rule", {}, "... and " + std::to_string(left) + " more", false});
  }
  Differences found;
  if (!was.empty() && !is.empty()) compare(found, "backend", was, is);
  compare(found, "forwarding of IPv4 to the outside", on_off(before.forwards_v4), on_off(after.forwards_v4));
  compare(found, "forwarding of IPv6 to the outside", on_off(before.forwards_v6), on_off(after.forwards_v6));
  found.insert(found.end(), rules.begin(), rules.end());
  return found;
}

}  // namespace topo
