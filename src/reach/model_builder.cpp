#include "reach/model_builder.hpp"

#include <algorithm>
#include <set>

namespace topo::reach {
namespace {

/// So few targets are each judged for themselves.
constexpr std::size_t few = 4;

/// What of the spans is about a port map's own range.
Spans within(const Spans& spans, const policy::PortMap& map) {
  Spans found;
  std::uint32_t at = map.target_first;
  const auto add = [&](std::uint32_t last, const Ruled& ruled) {
    found.push_back({{map.protocol, static_cast<std::uint16_t>(at), static_cast<std::uint16_t>(last)}, ruled});
    at = last + 1;
  };
  for (const Span& span : spans) {
    if (span.service.protocol != map.protocol || span.service.last < at || span.service.first > map.target_last) continue;
    if (span.service.first > at) add(span.service.first - 1U, spans.back().ruled);
    add(std::min(span.service.last, map.target_last), span.ruled);
  }
  if (at <= map.target_last) add(map.target_last, spans.back().ruled);
  return found;
}

}  // namespace

void ModelBuilder::build() {
  add_parties(false);
  add_targets();
  if (find_reversed()) {
    add_parties(true);
    add_targets();
  }
  index_decisions();
  const std::size_t senders = model_.senders_.size();
  model_.outcome_of_group_.assign(senders, std::vector<std::uint32_t>(2 * targets_in_.size(), Model::no_outcome));
  model_.exceptions_.assign(senders, {});
  for (std::size_t sender = 0; sender < senders; ++sender) {
    for (std::size_t group = 0; group < targets_in_.size(); ++group) fill(sender, group);
  }
  fill_itself();
}

// --- the ways ---

std::optional<ModelBuilder::Pattern> ModelBuilder::trace(const Party& sender, const Target& target) const {
  Pattern pattern;
  const Party& receiver = model_.receivers_[target.party];
  pattern.sender = sender.kind == Party::Kind::outside ? gateway : sender.stations.front();
  pattern.receiver = target.kind == Target::Kind::port          ? holder_of(target)
                     : receiver.kind == Party::Kind::namespaces ? receiver.stations.front()
                                                                : gateway;
  if (sender.kind == Party::Kind::namespaces && pattern.receiver == pattern.sender) {
    // Another of the kind and on the same Ethernet does as well.
    const auto& alike = kinds_.classes[kinds_.of_station[pattern.sender]];
    const auto other = std::find_if(alike.begin(), alike.end(), [&](std::size_t station) {
      return station != pattern.receiver && kinds_.home[station] == kinds_.home[pattern.receiver];
    });
    if (other != alike.end()) {
      pattern.sender = *other;
    } else if (target.kind != Target::Kind::port) {
      return std::nullopt;
    }
  }
  pattern.way = model_.way(pattern.sender, sender, pattern.receiver, target);
  for (const Leg& leg : pattern.way.legs) {
    for (const Crossing& crossing : leg.crossings) {
      const bool from_receiver = crossing.from_member != none && pattern.receiver != gateway && pattern.receiver != pattern.sender &&
                                 network_.station_of(crossing.from_member) == pattern.receiver;
      pattern.reversed = pattern.reversed || from_receiver;
    }
  }
  return pattern;
}

/// One for all ends that are alike in the two kinds and in whether they share an Ethernet; nullptr: there are no two such ends.
const ModelBuilder::Pattern* ModelBuilder::pattern(const Party& sender, std::size_t target) {
  const Target& wanted = model_.targets_[target];
  const Party& receiver = model_.receivers_[wanted.party];
  if (!is_many(sender) && !is_many(receiver)) {
    alone_ = trace(sender, wanted);
    return alone_ ? &*alone_ : nullptr;
  }
  std::vector<std::size_t> key{source_of(sender), model_.group_of_target_[target]};
  // By a port map it is the same to the gateway, and from there as the policy says.
  if (wanted.kind != Target::Kind::port) {
    const std::size_t from = home_of(sender), to = home_of(receiver);
    if (is_at_home(sender) && is_at_home(receiver)) {
      key.push_back(from != none && from == to ? 1 : 0);
    } else {
      key.insert(key.end(), {from, to});
    }
  }
  const auto [found, fresh] = patterns_.emplace(std::move(key), std::nullopt);
  if (fresh) found->second = trace(sender, wanted);
  return found->second ? &*found->second : nullptr;
}

/// Whether statements about one side of a flow may decide on the other: an answer is judged that the gateway has not seen the question of.
bool ModelBuilder::find_reversed() {
  std::set<std::pair<std::size_t, std::size_t>> seen;
  for (const Party& sender : model_.senders_) {
    const std::size_t home = home_of(sender);
    const bool fresh = seen.emplace(source_of(sender), none).second;
    if (!seen.emplace(source_of(sender), home).second && !fresh) continue;
    const auto is_reversed = [&](std::size_t target) {
      const Target& wanted = model_.targets_[target];
      if (!speaks(sender, wanted) || !(is_many(sender) || is_many(model_.receivers_[wanted.party]))) return false;
      const Pattern* found = pattern(sender, target);
      return found != nullptr && found->reversed;
    };
    for (const auto& by_home : targets_at_) {
      const Target& any = model_.targets_[by_home.begin()->second.front()];
      if (any.kind == Target::Kind::port) continue;
      // Where neither side's kind tells its Ethernet, one that they share and any other stand for all.
      const bool alike = is_at_home(sender) && is_at_home(model_.receivers_[any.party]);
      const auto shared = by_home.find(home);
      if (alike && home != none && shared != by_home.end() && is_reversed(shared->second.front())) return true;
      for (auto each = by_home.begin(); each != by_home.end() && (fresh || !alike); ++each) {
        if (alike && home != none && each == shared) continue;
        if (is_reversed(each->second.front())) return true;
        if (alike) break;
      }
    }
  }
  return false;
}

// --- what becomes of them ---

void ModelBuilder::fill(std::size_t sender, std::size_t group) {
  const Party& from = model_.senders_[sender];
  const Target& first = model_.targets_[targets_in_[group].front()];
  if (!speaks(from, first)) return;
  const bool alike = is_at_home(from) && (first.kind == Target::Kind::port || is_at_home(model_.receivers_[first.party]));
  if (!alike) {
    fill_each(sender, targets_in_[group], Model::no_outcome);
    return;
  }
  fill_alike(sender, group, false);
  if (home_of(from) != none) fill_alike(sender, group, true);
}

/// The targets of a group that share the sender's Ethernet, or those that do not: what statements do not tell apart is judged once.
void ModelBuilder::fill_alike(std::size_t sender, std::size_t group, bool at_home) {
  const Party& from = model_.senders_[sender];
  const std::size_t home = home_of(from);
  const auto here = targets_at_[group].find(home);
  static const Targets nobody;
  const Targets& shared = home != none && here != targets_at_[group].end() ? here->second : nobody;
  const Targets& among = at_home ? shared : targets_in_[group];
  const std::size_t count = at_home ? shared.size() : among.size() - shared.size();
  const auto belongs = [&](std::size_t target) {
    return (at_home || home == none || home_of(model_.targets_[target]) != home) && !model_.is_itself(from, model_.targets_[target]);
  };
  const auto first = std::find_if(among.begin(), among.end(), belongs);
  if (first == among.end()) return;
  const Pattern* way = pattern(from, *first);
  if (way == nullptr) return;
  Targets special;
  if (count <= few || way->reversed) {
    std::copy_if(among.begin(), among.end(), std::back_inserter(special), belongs);
  } else {
    special = named(*way, sender, group, at_home);
    std::erase_if(special, [&](std::size_t target) { return !belongs(target); });
  }
  const auto other = std::find_if(among.begin(), among.end(),
                                  [&](std::size_t target) { return belongs(target) && !std::binary_search(special.begin(), special.end(), target); });
  const std::uint32_t rest = judge(*way, sender, other != among.end() ? *other : special.front());
  model_.outcome_of_group_[sender][2 * group + std::size_t{at_home}] = rest;
  fill_each(sender, special, rest);
}

/// Each for itself; what is as the `rest` needs not be noted.
void ModelBuilder::fill_each(std::size_t sender, const Targets& targets, std::uint32_t rest) {
  const Party& from = model_.senders_[sender];
  for (const std::size_t target : targets) {
    if (model_.is_itself(from, model_.targets_[target])) continue;
    const Pattern* way = pattern(from, target);
    const std::uint32_t own = way == nullptr ? Model::no_outcome : judge(*way, sender, target);
    if (own != rest) model_.exceptions_[sender].emplace(target, own);
  }
}

/// The receivers that a statement about the sender names: among the others it makes no difference.
std::vector<std::size_t> ModelBuilder::named_by(const Pattern& pattern, const Party& sender) const {
  std::vector<std::size_t> receivers;
  const auto note = [&](std::size_t id) { receivers.insert(receivers.end(), receivers_of_decision_[id].begin(), receivers_of_decision_[id].end()); };
  const policy::Relations& relations = model_.relations();
  for (const Leg& leg : pattern.way.legs) {
    for (const Crossing& crossing : leg.crossings) {
      if (crossing.kind == Crossing::Kind::entering || crossing.kind == Crossing::Kind::from_host) {
        for (std::size_t id = 0; id < relations.decisions.size(); ++id) {
          const policy::Ends& from = relations.decisions[id].flow->from;
          if (policy::leads_outside(from) || from.host) note(id);
        }
        continue;
      }
      std::size_t member = crossing.from_member, segment = crossing.from_segment;
      if (!sender.stations.empty()) move(member, segment, pattern.sender, sender.stations.front());
      if (member != none) segment = intent_.members[member].segment;
      if (member != none) std::for_each(relations.from_member[member].begin(), relations.from_member[member].end(), note);
      if (segment != none) std::for_each(relations.from_segment[segment].begin(), relations.from_segment[segment].end(), note);
    }
  }
  std::sort(receivers.begin(), receivers.end());
  receivers.erase(std::unique(receivers.begin(), receivers.end()), receivers.end());
  return receivers;
}

/// The targets of the group that `named_by` is about, and of a port map those whose own station sends.
ModelBuilder::Targets ModelBuilder::named(const Pattern& pattern, std::size_t sender, std::size_t group, bool at_home) const {
  const Party& from = model_.senders_[sender];
  Targets found;
  const std::size_t home = home_of(from);
  for (const std::size_t receiver : named_by(pattern, from)) {
    for (const std::size_t target : targets_of_[receiver]) {
      if (model_.group_of_target_[target] == group && (home == none || (home_of(model_.targets_[target]) == home) == at_home))
        found.push_back(target);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// What is `from`'s, as that of `to`, which is of the same kind; anybody else's as it is.
void ModelBuilder::move(std::size_t& member, std::size_t& segment, std::size_t from, std::size_t to) const {
  if (from == to || from == gateway) return;
  const auto& own = network_.stations()[from].interfaces;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const Interface &before = network_.interfaces()[own[i]], &after = network_.interfaces()[network_.stations()[to].interfaces[i]];
    if (before.member == none || (member != none ? member != before.member : segment != before.segment)) continue;
    if (member != none) member = after.member;
    if (segment == before.segment) segment = after.segment;
    return;
  }
}

Crossing ModelBuilder::placed(Crossing crossing, const Pattern& pattern, std::size_t from, std::size_t to) const {
  const auto is_of = [&](std::size_t member, std::size_t segment, std::size_t station) {
    if (member != none) return network_.station_of(member) == station;
    // Somebody unknown on its network, as it may be behind a cable.
    const auto& own = network_.stations()[station].interfaces;
    return segment != none && std::any_of(own.begin(), own.end(), [&](std::size_t i) { return network_.interfaces()[i].segment == segment; });
  };
  const auto place = [&](std::size_t& member, std::size_t& segment) {
    if (segment == none) return;
    if (pattern.sender != gateway && is_of(member, segment, pattern.sender)) {
      move(member, segment, pattern.sender, from);
    } else if (pattern.receiver != gateway && is_of(member, segment, pattern.receiver)) {
      move(member, segment, pattern.receiver, to);
    }
  };
  place(crossing.from_member, crossing.from_segment);
  place(crossing.to_member, crossing.to_segment);
  return crossing;
}

std::uint32_t ModelBuilder::judge(const Pattern& pattern, std::size_t sender, std::size_t target) {
  const auto [from, to] = model_.ends_of(FlowClass{sender, {target}, {}, {}, false});
  return judge_between(pattern, from, to, model_.targets_[target]);
}

std::uint32_t ModelBuilder::judge_between(const Pattern& pattern, std::size_t from, std::size_t to, const Target& target) {
  std::optional<Rulings> rulings;
  std::optional<Loss> loss;
  const auto refine = [&](const Rulings& next) {
    if (rulings) {
      rulings->refine(next);
    } else {
      rulings = next;
    }
  };
  for (const Leg& leg : pattern.way.legs) {
    for (const Crossing& crossing : leg.crossings) {
      Crossing own = placed(crossing, pattern, from, to);
      if (target.kind == Target::Kind::port && own.map != none) {
        own.map = target.map;
        own.to_member = intent_.ports[target.map].member;
        own.to_segment = intent_.members[own.to_member].segment;
      }
      refine(model_.judge().judge(own));
    }
    if (!leg.loss) continue;
    refine(Rulings({Verdict::unroutable, {Reason::Kind::lost, none}}));
    if (!loss) loss = leg.loss;
  }
  return number_of(rulings.value_or(Rulings()), target, loss);
}

std::uint32_t ModelBuilder::number_of(const Rulings& rulings, const Target& target, const std::optional<Loss>& loss) {
  Spans spans = rulings.spans();
  if (target.kind == Target::Kind::port) spans = within(spans, intent_.ports[target.map]);
  std::vector<std::size_t> key;
  bool lost = false;
  for (const Span& span : spans) {
    lost = lost || span.ruled.verdict == Verdict::unroutable;
    key.insert(key.end(), {static_cast<std::size_t>(span.service.protocol), span.service.first, span.service.last,
                           static_cast<std::size_t>(span.ruled.verdict), static_cast<std::size_t>(span.ruled.reason.kind), span.ruled.reason.index});
  }
  if (lost) key.insert(key.end(), {static_cast<std::size_t>(loss->kind), loss->station, std::size_t{loss->back}});
  const auto [found, fresh] = numbers_.emplace(std::move(key), static_cast<std::uint32_t>(model_.outcomes_.size()));
  if (fresh) model_.outcomes_.push_back({std::move(spans), lost ? loss : std::nullopt});
  return found->second;
}

/// A port map from its own target.
void ModelBuilder::fill_itself() {
  model_.itself_.assign(model_.targets_.size(), Model::no_outcome);
  for (const std::size_t target : model_.port_targets_) {
    const Target& map = model_.targets_[target];
    const std::size_t holder = holder_of(map);
    Party alone;
    alone.stations = {holder};
    if (!speaks(alone, map)) continue;
    Pattern pattern;
    pattern.sender = pattern.receiver = holder;
    pattern.way = model_.way(holder, alone, holder, map);
    model_.itself_[target] = judge_between(pattern, holder, holder, map);
  }
}

}  // namespace topo::reach
