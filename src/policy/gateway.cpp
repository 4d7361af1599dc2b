#include "policy/gateway.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>

#include "policy/relations.hpp"

namespace topo::policy {
namespace {

constexpr std::size_t gone = static_cast<std::size_t>(-1);

/// A part of the segments of an intent, with new numbers for these and their members.
class Part {
 public:
  Part(const Intent& whole, const std::vector<bool>& kept)
      : whole_(whole), segments_(whole.segments.size(), gone), members_(whole.members.size(), gone) {
    part.topology = whole.topology;
    part.default_allow = whole.default_allow;
    part.default_at = whole.default_at;
    part.reject = whole.reject;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (!kept[i]) continue;
      segments_[i] = part.segments.size();
      part.segments.push_back(whole.segments[i]);
    }
    for (std::size_t i = 0; i < whole.members.size(); ++i) {
      if (segments_[whole.members[i].segment] == gone) continue;
      members_[i] = part.members.size();
      part.members.push_back(whole.members[i]);
      part.members.back().segment = segments_[whole.members[i].segment];
    }
  }

  [[nodiscard]] std::size_t segment(std::size_t of_whole) const { return segments_[of_whole]; }
  [[nodiscard]] std::size_t member(std::size_t of_whole) const { return members_[of_whole]; }

  /// Without what is not in the part; false where nothing is left.
  [[nodiscard]] bool renumber(Ends& ends) const {
    const auto move = [](std::vector<std::size_t>& list, const std::vector<std::size_t>& numbers) {
      for (std::size_t& each : list) each = numbers[each];
      std::erase(list, gone);
    };
    move(ends.segments, segments_);
    move(ends.members, members_);
    return !ends.names_nothing();
  }

  template <class Wanted>
  void take_flows(Wanted&& wanted) {
    for (const auto list : {&Intent::allow, &Intent::deny}) {
      for (Flow flow : whole_.*list) {
        if (renumber(flow.from) && renumber(flow.to) && wanted(flow, list == &Intent::deny)) (part.*list).push_back(std::move(flow));
      }
    }
  }

  Intent part;

 private:
  const Intent& whole_;
  std::vector<std::size_t> segments_, members_;
};

bool is_between_members(const Flow& flow) {
  const auto members_alone = [](const Ends& ends) { return !ends.any && !ends.internet && !ends.host && ends.outside.empty(); };
  return members_alone(flow.from) && members_alone(flow.to);
}

}  // namespace

std::vector<bool> unknown_at_host(const Intent& intent, const std::vector<std::string>& uplinks) {
  const Relations relations(intent);
  std::vector<bool> unknown(intent.members.size());
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const std::size_t segment = intent.members[i].segment;
    unknown[i] = !uplinks[segment].empty() && relations.by_port(i) && relations.within_reach[segment].size() > 1;
  }
  return unknown;
}

std::optional<std::size_t> undecided_at_host(const Intent& intent, const Flow& flow, const std::vector<bool>& unknown, bool denies) {
  const Ends& to = flow.to;
  bool concerns_host = to.any || to.internet || to.host || !to.outside.empty() || (denies && !intent.ports.empty());
  const auto is_link = [&](std::size_t segment) { return !intent.segments[segment].bridge; };
  concerns_host = concerns_host || std::any_of(to.segments.begin(), to.segments.end(), is_link) ||
                  std::any_of(to.members.begin(), to.members.end(), [&](std::size_t member) { return is_link(intent.members[member].segment); });
  if (!concerns_host || flow.from.members.empty()) return std::nullopt;
  const auto member = std::find_if(flow.from.members.begin(), flow.from.members.end(), [&](std::size_t each) { return unknown[each]; });
  return member == flow.from.members.end() ? std::nullopt : std::optional(*member);
}

Intent at_host(const Intent& intent, const std::vector<std::string>& uplinks) {
  std::vector<bool> kept(intent.segments.size());
  bool has_links = false;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    kept[i] = !intent.segments[i].bridge || !uplinks[i].empty();
    has_links = has_links || !intent.segments[i].bridge;
  }
  Part host(intent, kept);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i]) continue;
    Segment& segment = host.part.segments[host.segment(i)];
    segment.uplink = segment.bridge;
    segment.bridge = segment.filtered = false;
    std::vector<SegmentCable> cables;
    for (const SegmentCable& cable : intent.segments[i].cables) {
      if (host.segment(cable.to) != gone) cables.push_back({{}, host.segment(cable.to)});
    }
    segment.cables = std::move(cables);
  }
  for (Member& member : host.part.members) member.port.clear();
  const bool members_meet = has_links || !intent.ports.empty();
  std::vector<bool> unknown;
  for (std::size_t i = 0; const bool each : unknown_at_host(intent, uplinks)) {
    if (host.member(i++) != gone) unknown.push_back(each);
  }
  host.take_flows([&](Flow& flow, bool) {
    std::erase_if(flow.from.members, [&](std::size_t member) { return unknown[member]; });
    return !flow.from.names_nothing() && (members_meet || !is_between_members(flow));
  });
  for (PortMap map : intent.ports) {
    map.member = host.member(map.member);
    host.part.ports.push_back(std::move(map));
  }
  if (!host.part.segments.empty()) host.part.statements = intent.statements;
  return std::move(host.part);
}

Intent at_gateway(const Intent& intent, const std::vector<std::string>& uplinks) {
  std::vector<bool> kept(intent.segments.size());
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = intent.segments[i].bridge;
  Part gateway(intent, kept);
  Intent& part = gateway.part;
  const bool host_has_segments =
      std::any_of(intent.segments.begin(), intent.segments.end(), [](const Segment& segment) { return !segment.bridge; }) ||
      std::any_of(uplinks.begin(), uplinks.end(), [](const std::string& name) { return !name.empty(); });
  if (!host_has_segments) part.statements = intent.statements;

  std::vector<std::size_t> bridges(part.segments.size());
  std::iota(bridges.begin(), bridges.end(), std::size_t{0});
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i]) continue;
    Segment& segment = part.segments[gateway.segment(i)];
    segment.nat = {};
    for (SegmentCable& cable : segment.cables) cable.to = kept[cable.to] ? gateway.segment(cable.to) : gateway.segment(i);
  }
  const Relations relations(intent);
  std::vector<Flow> ways;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (uplinks[i].empty()) continue;
    // By a bridge's uplink comes and goes what is for it and from it, and for those that cables join to it.
    Flow out, in;
    std::set<std::size_t> joined{gateway.segment(i)};
    for (const std::size_t member : relations.within_reach[i]) joined.insert(gateway.segment(intent.members[member].segment));
    out.from.segments.assign(joined.begin(), joined.end());
    out.to.segments = {part.segments.size()};
    in.from = out.to;
    in.to = out.from;
    out.text = intent.segments[i].interface + " -> host";
    in.text = "host -> " + intent.segments[i].interface;
    ways.push_back(std::move(out));
    ways.push_back(std::move(in));
    Member host;
    host.interface = uplinks[i];
    host.segment = part.segments.size();
    host.router = true;
    part.members.push_back(std::move(host));
    Segment& uplink = part.segments.emplace_back();
    uplink.interface = uplinks[i];
    uplink.bridge = false;
    uplink.gateway = intent.segments[i].gateway;
    uplink.at = intent.segments[i].at;
  }
  gateway.take_flows([&](Flow& flow, bool denies) {
    // Its own few addresses, 169.254.0.1 and the link-local ones, are the host's too.
    const bool is_about_host = denies && (flow.to.any || flow.to.host);
    for (Ends* ends : {&flow.from, &flow.to}) {
      if (ends->any) ends->segments = bridges;
      ends->any = ends->internet = ends->host = false;
      ends->outside.clear();
    }
    flow.to.host = is_about_host;
    return !flow.from.names_nothing() && !flow.to.names_nothing();
  });
  std::move(ways.begin(), ways.end(), std::back_inserter(part.allow));
  return std::move(part);
}

}  // namespace topo::policy
