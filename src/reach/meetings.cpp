#include "reach/meetings.hpp"

#include <algorithm>

#include "reach/words.hpp"

namespace topo::reach {
namespace {

using Stations = std::vector<std::size_t>;

/// Port maps that lead to what the set means of a station.
void add_maps(const Names& names, const NamedSet& set, std::size_t station, std::vector<std::size_t>& targets) {
  const Model& model = names.model();
  for (const std::size_t target : model.port_targets()) {
    const std::size_t member = model.intent().ports[model.targets()[target].map].member;
    if (model.network().station_of(member) != station) continue;
    const bool whole = std::binary_search(set.whole.begin(), set.whole.end(), station);
    if (whole || std::binary_search(set.segments.begin(), set.segments.end(), model.intent().members[member].segment)) targets.push_back(target);
  }
}

std::map<std::size_t, Stations> senders_of(const Model& model, const NamedSet& set) {
  std::map<std::size_t, Stations> senders;
  for (const std::size_t station : set.stations) senders[model.sender_of(station)].push_back(station);
  if (set.host) senders[model.sender_of(gateway)].push_back(gateway);
  for (const std::size_t region : set.regions) senders[model.sender_of_region(region)];
  return senders;
}

std::map<std::vector<std::size_t>, Stations> receivers_of(const Names& names, const NamedSet& set, bool by_maps) {
  const Model& model = names.model();
  std::map<std::vector<std::size_t>, Stations> receivers;
  for (const std::size_t station : set.stations) {
    std::vector<std::size_t> targets;
    for (const std::size_t target : model.targets_of(model.receiver_of(station))) {
      if (names.contains(set, station, model.targets()[target].interface)) targets.push_back(target);
    }
    if (by_maps) add_maps(names, set, station, targets);
    receivers[std::move(targets)].push_back(station);
  }
  if (set.host) receivers[model.targets_of(model.receiver_of(gateway))].push_back(gateway);
  for (const std::size_t region : set.regions) receivers[model.targets_of(model.receiver_of_region(region))];
  return receivers;
}

/// What one of the spans is about.
Services services_of(const Spans& spans, const Span& span) {
  if (span.service.protocol != Protocol::any) return Services::of({span.service});
  Services rest = Services::of({});
  for (const Span& other : spans) {
    if (other.service.protocol != Protocol::any) rest = rest.without(Services::of({other.service}));
  }
  return rest;
}

const Span* first_of(const Spans& spans, const Services& services, bool allowed) {
  const auto found = std::find_if(spans.begin(), spans.end(), [&](const Span& span) {
    return (span.ruled.verdict == Verdict::allowed) == allowed && !services_of(spans, span).both(services).empty();
  });
  return found == spans.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Meeting> meetings_of(const Names& names, const NamedSet& from, const NamedSet& to) {
  const Model& model = names.model();
  std::vector<Meeting> found;
  const std::array<std::map<std::vector<std::size_t>, Stations>, 2> receivers{receivers_of(names, to, false), receivers_of(names, to, true)};
  for (const auto& [sender, senders] : senders_of(model, from)) {
    const bool is_outside = model.senders()[sender].kind == Party::Kind::outside;
    for (const auto& [targets, stations] : receivers[std::size_t{is_outside}]) {
      // The host and the outside are no business of the topology's between themselves, nor is anybody with himself.
      const bool is_member = !stations.empty() && stations.front() != gateway;
      if ((is_outside || (!senders.empty() && senders.front() == gateway)) && !is_member) continue;
      if (senders.size() == 1 && senders == stations) continue;
      Meeting meeting{sender, senders.empty() ? gateway : senders.front(), stations.empty() ? gateway : stations.front(), targets, senders, stations};
      if (meeting.from == meeting.to && is_member) (stations.size() > 1 ? meeting.to : meeting.from) = (stations.size() > 1 ? stations : senders)[1];
      found.push_back(std::move(meeting));
    }
  }
  return found;
}

bool meets_in(const Model& model, const Meeting& meeting, Family family) {
  return std::any_of(meeting.targets.begin(), meeting.targets.end(), [&](std::size_t target) {
    return model.targets()[target].family == family && model.outcome(meeting.sender, target) != nullptr;
  });
}

Services allowed_in(const Model& model, const Meeting& meeting, Family family) {
  Services allowed;
  for (const std::size_t target : meeting.targets) {
    const Outcome* outcome = model.targets()[target].family == family ? model.outcome(meeting.sender, target) : nullptr;
    if (outcome != nullptr) allowed.unite(Services(outcome->spans, Verdict::allowed));
  }
  return allowed;
}

std::optional<Decided> deciding(const Model& model, const Meeting& meeting, Family family, const Services& services, bool allowed) {
  for (const std::size_t target : meeting.targets) {
    const Outcome* outcome = model.targets()[target].family == family ? model.outcome(meeting.sender, target) : nullptr;
    if (outcome == nullptr) continue;
    if (const Span* span = first_of(outcome->spans, services, allowed)) return Decided{target, *span};
  }
  return std::nullopt;
}

std::string name_of_sender(const Names& names, const Meeting& meeting) {
  const Party& party = names.model().senders()[meeting.sender];
  return party.kind == Party::Kind::outside ? names.name_of_region(party.region) : name_of(names.model(), meeting.from);
}

std::string name_of_receiver(const Names& names, const Meeting& meeting) {
  if (!meeting.receivers.empty()) return name_of(names.model(), meeting.to);
  const Model& model = names.model();
  return meeting.targets.empty() ? "internet" : names.name_of_region(model.receivers()[model.targets()[meeting.targets.front()].party].region);
}

}  // namespace topo::reach
