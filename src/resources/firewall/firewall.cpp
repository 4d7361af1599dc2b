#include "resources/firewall/firewall.hpp"

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

void compare_chain(Found& found, const ChainId& id, const std::vector<Rule>& before, const std::vector<Rule>& after) {
  if (before == after) return;
  std::map<std::string, Counted> counts;
  const auto count = [&](const Rule& rule, long Counted::*side) {
    Counted& counted = counts[netfilter::to_string(rule, id.family) + rule.opaque];
    counted.words = words_for(rule, id);
    counted.commented = !rule.comment.empty();
    ++(counted.*side);
  };
  for (const Rule& rule : before) count(rule, &Counted::before);
  for (const Rule& rule : after) count(rule, &Counted::after);
  bool same_rules = true;
  for (const auto& [key, counted] : counts) {
    if (counted.before == counted.after) continue;
    same_rules = false;
    const bool missing = counted.before < counted.after;
    // One flow may be several rules; it is told once.
    if (!found.told.insert((missing ? "+" : "-") + counted.words).second) continue;
    Differences& list = counted.commented ? found.commented : found.bare;
    list.push_back({"rule", missing ? std::string() : counted.words, missing ? counted.words : std::string(), false});
  }
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

const char* on_off(bool on) { return on ? "on" : "off"; }

}  // namespace

std::vector<std::string> Firewall::needs() const {
  if (ns.empty()) return {};
  return {namespace_need(ns)};
}

std::string Firewall::title() const { return place_title(ns); }

std::string Firewall::summary() const {
  std::size_t count = 0;
  for (const auto& [id, chain] : rules.chains) count += chain.size();
  return std::to_string(count) + (count == 1 ? " rule" : " rules");
}

Differences differences(const Firewall& before, const Firewall& after) {
  Found different;
  compare_all(different, before.rules.chains, after.rules.chains);
  compare_all(different, before.rules.jumps, after.rules.jumps);
  Differences rules = std::move(different.commented);
  rules.insert(rules.end(), different.bare.begin(), different.bare.end());
  if (rules.size() > most_told) {
    const std::size_t left = rules.size() - most_told;
    rules.resize(most_told);
    rules.push_back({"rule", {}, "... and " + std::to_string(left) + " more", false});
  }
  Differences found;
  compare(found, "forwarding of IPv4 to the outside", on_off(before.forwards_v4), on_off(after.forwards_v4));
  compare(found, "forwarding of IPv6 to the outside", on_off(before.forwards_v6), on_off(after.forwards_v6));
  found.insert(found.end(), rules.begin(), rules.end());
  return found;
}

}  // namespace topo
