#include "reach/still_denied.hpp"

#include <algorithm>

#include "reach/words.hpp"

namespace topo::reach {
namespace {

bool is_network(const NamedSet& set) { return (set.kind == NamedSet::Kind::zone || set.kind == NamedSet::Kind::bridge) && !set.stations.empty(); }

bool overlap(const NamedSet& a, const NamedSet& b) {
  return std::any_of(a.stations.begin(), a.stations.end(),
                     [&](std::size_t station) { return std::binary_search(b.stations.begin(), b.stations.end(), station); });
}

/// Whether each station of one set is denied everything by each of the other that it has a way to; and the first thing that decides so.
std::optional<Span> denial(const Names& names, const NamedSet& from, const NamedSet& to) {
  const Model& model = names.model();
  std::vector<std::size_t> senders, targets;
  for (const std::size_t station : from.stations) senders.push_back(model.sender_of(station));
  for (const std::size_t station : to.stations) {
    for (const std::size_t target : model.targets_of(model.receiver_of(station))) {
      if (names.contains(to, station, model.targets()[target].interface)) targets.push_back(target);
    }
  }
  for (auto* list : {&senders, &targets}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  std::optional<Span> found;
  for (const std::size_t sender : senders) {
    for (const std::size_t target : targets) {
      const Outcome* outcome = model.outcome(sender, target);
      if (outcome == nullptr) continue;
      if (outcome->spans.size() != 1 || outcome->spans.front().ruled.verdict != Verdict::denied) return std::nullopt;
      if (!found) found = outcome->spans.front();
    }
  }
  return found;
}

}  // namespace

std::vector<Change> still_denied(const std::vector<Change>& changes, const Names& names) {
  std::vector<Change> found;
  for (const NamedSet& to : names.sets()) {
    if (!is_network(to)) continue;
    const auto reaches = [&](const Change& change) {
      const auto is_by = [&](const Crowd& from, const Crowd& target) {
        const NamedSet* set = names.find(from.text);
        return target.text == to.name && set != nullptr && is_network(*set);
      };
      return change.kind == Change::Kind::allowed && change.by.empty() &&
             (is_by(change.from, change.to) || (change.both_ways && is_by(change.to, change.from)));
    };
    if (std::none_of(changes.begin(), changes.end(), reaches)) continue;
    Change change;
    change.kind = Change::Kind::still_denied;
    std::vector<const NamedSet*> told;
    for (const NamedSet& from : names.sets()) {
      if (!is_network(from) || overlap(from, to)) continue;
      if (std::any_of(told.begin(), told.end(), [&](const NamedSet* other) { return other->stations == from.stations; })) continue;
      const auto denied = denial(names, from, to);
      if (!denied) continue;
      told.push_back(&from);
      change.from.members.push_back(from.name);
      if (change.why.empty()) change.why = text_of(names.model(), denied->ruled, std::nullopt);
      if (change.at.line == 0) change.at = position_of(names.model(), denied->ruled.reason);
    }
    if (change.from.members.empty()) continue;
    change.from.text = listed(change.from.members);
    change.to = {to.name, {to.name}};
    change.services = Services::of({});
    found.push_back(std::move(change));
  }
  return found;
}

}  // namespace topo::reach
