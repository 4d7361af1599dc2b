#include "policy/relations.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "policy/compile.hpp"
#include "topo/names.hpp"

namespace topo::policy {
namespace {

bool names_segment(const Ends& ends, std::size_t segment) {
  return ends.any || std::find(ends.segments.begin(), ends.segments.end(), segment) != ends.segments.end();
}

/// For each segment the lowest one that cables join it to.
std::vector<std::size_t> domains(const Intent& intent) {
  std::vector<std::size_t> root(intent.segments.size());
  std::iota(root.begin(), root.end(), std::size_t{0});
  const auto find = [&](std::size_t i) {
    while (root[i] != i) i = root[i] = root[root[i]];
    return i;
  };
  for (std::size_t i = 0; i < root.size(); ++i) {
    for (const auto& cable : intent.segments[i].cables) root[std::max(find(i), find(cable.to))] = std::min(find(i), find(cable.to));
  }
  for (std::size_t i = 0; i < root.size(); ++i) root[i] = find(i);
  return root;
}

/// The members of one segment that a flow's end names; `whole` where it is all of them.
struct Part {
  bool whole = false;
  std::set<std::size_t> members;
};

/// By segment, without those that `ends` names nothing of; `any` is all of each and not listed.
std::map<std::size_t, Part> parts_of(const Intent& intent, const Ends& ends) {
  std::map<std::size_t, Part> parts;
  if (ends.any) return parts;
  for (const std::size_t segment : ends.segments) parts[segment].whole = true;
  for (const std::size_t member : ends.members) parts[intent.members[member].segment].members.insert(member);
  return parts;
}

/// Marks the segments in which `flow` forbids one member something towards another, or towards itself by a port map.
void mark_divided(const Relations& relations, const Flow& flow, std::vector<bool>& divided) {
  if (flow.from.any && flow.to.any) divided.assign(divided.size(), true);
  const auto senders = parts_of(relations.intent, flow.from), receivers = parts_of(relations.intent, flow.to);
  for (const auto& [segment, part] : flow.from.any ? receivers : senders) {
    const auto other = receivers.find(segment);
    if (!flow.to.any && other == receivers.end()) continue;
    const bool only_itself =
        !flow.from.any && !part.whole && part.members.size() == 1 && !flow.to.any && !other->second.whole && other->second.members == part.members;
    if (!only_itself || relations.mapped[*part.members.begin()]) divided[segment] = true;
  }
}

}  // namespace

Relations::Relations(const Intent& meant)
    : intent(meant),
      from_segment(meant.segments.size()),
      from_member(meant.members.size()),
      members(meant.segments.size()),
      within_reach(meant.segments.size()),
      mapped(meant.members.size()) {
  for (const Flow& flow : intent.deny) decisions.push_back({&flow, true});
  for (const Flow& flow : intent.allow) decisions.push_back({&flow, false});
  const auto add = [](Decisions& list, std::size_t id) {
    if (list.empty() || list.back() != id) list.push_back(id);
  };
  for (std::size_t id = 0; id < decisions.size(); ++id) {
    const Ends& from = decisions[id].flow->from;
    if (from.any) {
      for (auto& list : from_segment) add(list, id);
      continue;
    }
    for (const std::size_t segment : from.segments) add(from_segment[segment], id);
    for (const std::size_t member : from.members) {
      const Decisions& whole = from_segment[intent.members[member].segment];
      if (whole.empty() || whole.back() != id) add(from_member[member], id);
    }
  }
  for (const PortMap& map : intent.ports) mapped[map.member] = true;
  const auto domain = domains(intent);
  for (std::size_t member = 0; member < intent.members.size(); ++member) members[intent.members[member].segment].push_back(member);
  for (std::size_t segment = 0; segment < domain.size(); ++segment) {
    if (intent.segments[segment].cables.empty()) {
      within_reach[segment] = members[segment];
      continue;
    }
    for (std::size_t other = 0; other < domain.size(); ++other) {
      if (domain[other] == domain[segment]) within_reach[segment].insert(within_reach[segment].end(), members[other].begin(), members[other].end());
    }
  }
}

bool Relations::ends_in(std::size_t decision, std::size_t segment) const {
  const Ends& to = decisions[decision].flow->to;
  return names_segment(to, segment) ||
         std::any_of(to.members.begin(), to.members.end(), [&](std::size_t member) { return intent.members[member].segment == segment; });
}

bool Relations::opens_outside(const Decisions& ids) const {
  return std::any_of(ids.begin(), ids.end(), [&](std::size_t id) { return !decisions[id].deny && leads_outside(decisions[id].flow->to); });
}

bool Relations::switches(std::size_t segment) const {
  const Segment& here = intent.segments[segment];
  return here.bridge && members[segment].size() + here.cables.size() > 1;
}

bool Relations::checks_sources(std::size_t segment) const {
  const Segment& here = intent.segments[segment];
  const auto known = [&](std::size_t member) { return !by_port(member) || (here.filtered && intent.members[member].segment == segment); };
  return std::all_of(within_reach[segment].begin(), within_reach[segment].end(), known);
}

std::vector<std::pair<std::string, std::uint16_t>> zones_of(const Intent& intent) {
  std::vector<std::pair<std::string, std::uint16_t>> zones;
  std::set<std::uint16_t> taken;
  for (const Segment& segment : intent.segments) {
    if (!segment.plain) continue;
    constexpr std::uint64_t most = 65535;  // 0 is everybody's
    auto zone = static_cast<std::uint16_t>(stable_hash(intent.topology + ' ' + segment.interface) % most + 1);
    while (!taken.insert(zone).second) zone = static_cast<std::uint16_t>(zone % most + 1);
    zones.emplace_back(segment.interface, zone);
  }
  return zones;
}

void needs_bridge_filter(Intent& intent) {
  std::vector<bool> filtered(intent.segments.size());
  const Relations relations(intent);
  std::vector<bool> divided(intent.segments.size());
  for (const Flow& flow : intent.deny) mark_divided(relations, flow, divided);
  for (std::size_t i = 0; i < intent.segments.size(); ++i) {
    const Segment& segment = intent.segments[i];
    if (!relations.switches(i)) continue;
    const auto& members = relations.members[i];
    const auto by_port = [&](std::size_t member) { return relations.by_port(member); };
    const auto named = [&](std::size_t member) { return !relations.from_member[member].empty(); };
    // All may be taken for one another where nothing tells them apart.
    const bool alike = std::all_of(members.begin(), members.end(), by_port) && std::none_of(members.begin(), members.end(), named);
    const bool ports_matter = !segment.plain && !alike && std::any_of(members.begin(), members.end(), by_port);
    filtered[i] = segment.isolated || ports_matter || divided[i];
  }
  for (std::size_t i = 0; i < filtered.size(); ++i) intent.segments[i].filtered = filtered[i];
}

}  // namespace topo::policy
