#include "desire/flows.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace topo::network {
namespace {

bool contains(const std::vector<std::size_t>& sorted, std::size_t value) { return std::binary_search(sorted.begin(), sorted.end(), value); }

/// Where the two sides of one rule can meet, by the segments of one of them.
class Meeting {
 public:
  Meeting(const Network& network, const Side& other) : network_(network), ends_(other.ends) {
    for (const auto& element : other.elements) segments_.insert(segments_.end(), element.segments.begin(), element.segments.end());
    std::sort(segments_.begin(), segments_.end());
    segments_.erase(std::unique(segments_.begin(), segments_.end()), segments_.end());
  }

  bool possible(std::size_t segment) {
    const auto [known, fresh] = known_.emplace(segment, false);
    if (fresh) known->second = look(segment);
    return known->second;
  }

 private:
  [[nodiscard]] bool look(std::size_t index) const {
    const policy::Segment& segment = network_.intent.segments[index];
    if (ends_.any || contains(segments_, index)) return true;
    const bool v4 = has_gateway(segment, Family::v4);
    const bool v6 = has_gateway(segment, Family::v6);
    if (!v4 && !v6) return false;
    if (ends_.internet || ends_.host || !ends_.outside.empty()) return true;
    return std::any_of(segments_.begin(), segments_.end(), [&](std::size_t other) {
      const policy::Segment& there = network_.intent.segments[other];
      const bool joined = network_.segment_domain[index] != nowhere && network_.segment_domain[index] == network_.segment_domain[other];
      return !joined && ((v4 && has_gateway(there, Family::v4)) || (v6 && has_gateway(there, Family::v6)));
    });
  }

  const Network& network_;
  const policy::Ends& ends_;
  std::vector<std::size_t> segments_;
  std::unordered_map<std::size_t, bool> known_;
};

bool has_member(const Side& side) { return side.ends.any || !side.elements.empty(); }

/// The first of `side`'s names that is on no network of the gateway's at all, or nullptr.
const Element* off_all(const Side& side) {
  const auto found = std::find_if(side.elements.begin(), side.elements.end(), [](const Element& element) { return element.segments.empty(); });
  return found == side.elements.end() ? nullptr : &*found;
}

/// What a namespace sends to itself never leaves it.
bool is_itself(const Side& side, const Side& other) {
  return side.elements.size() == 1 && other.elements.size() == 1 && side.elements.front().space != nowhere &&
         side.elements.front().space == other.elements.front().space && !other.ends.internet && !other.ends.host && other.ends.outside.empty();
}

/// The first of `side`'s names that meets nothing of `other`, or nullptr.
const Element* stranded(const Network& network, const Side& side, const Side& other) {
  if (is_itself(side, other)) return &side.elements.front();
  Meeting meeting(network, other);
  const auto meets = [&](const Element& element) {
    return std::any_of(element.segments.begin(), element.segments.end(), [&](std::size_t segment) { return meeting.possible(segment); });
  };
  const auto found = std::find_if_not(side.elements.begin(), side.elements.end(), meets);
  return found == side.elements.end() ? nullptr : &*found;
}

std::set<std::size_t> domains_of(const Network& network, const Element& element) {
  std::set<std::size_t> domains;
  if (element.space == nowhere) {
    domains.insert(network.switches[network.find(element.name)->index].domain);
  } else {
    for (const auto& ref : network.spaces[element.space].interfaces) domains.insert(network.cables[ref.cable].domain);
  }
  return domains;
}

/// Where packets to the first of the others pass, as far as one look shows it; or nothing.
std::string way_between(const Network& network, const Element& one, const Side& other) {
  if (other.elements.empty()) return {};
  const Element& first = other.elements.front();
  const auto here = domains_of(network, one);
  const auto there = domains_of(network, first);
  if (std::any_of(here.begin(), here.end(), [&](std::size_t domain) { return there.contains(domain); })) return "it passes a cable between the two";
  for (std::size_t i = 0; i < network.spaces.size(); ++i) {
    const Space& space = network.spaces[i];
    if (!space.spec->router || i == one.space || i == first.space) continue;
    const auto is_in = [&](const std::set<std::size_t>& domains) {
      return std::any_of(space.interfaces.begin(), space.interfaces.end(),
                         [&](const EndRef& ref) { return domains.contains(network.cables[ref.cable].domain); });
    };
    if (is_in(here) && is_in(there)) return "it passes router " + in_quotes(space.name);
  }
  return {};
}

/// Where and in which words `name` stands in the rule.
void refuse_stranded(Network& network, const FlowSpec& spec, const Located<std::string>& written, const Element& element, const std::string& other,
                     const Side& other_side) {
  std::string hint = "policy holds across the gateway, where both have an address of it, and inside one bridge";
  if (written.value == other) {
    hint = "what it sends to itself never leaves it";
  } else if (const std::string way = way_between(network, element, other_side); !way.empty()) {
    hint = way;
  } else if (element.segments.empty()) {
    hint = in_quotes(element.name) + " is on no bridge";
  }
  const std::string who = element.name == written.value
                              ? "it"
                              : "what is between " + in_quotes(element.name) + " of " + in_quotes(written.value) + " and " + in_quotes(other);
  network.mistakes.refuse(written.at, "topo cannot filter " + in_quotes(spec.text) + ": " + who + " passes neither the gateway nor one bridge",
                          std::move(hint), written.value.size());
}

bool covers(const policy::Intent& intent, const policy::Ends& wide, const policy::Ends& narrow) {
  if (wide.any) return true;
  if (narrow.any || (narrow.internet && !wide.internet) || (narrow.host && !wide.host)) return false;
  const auto covers_segment = [&](std::size_t segment) { return contains(wide.segments, segment); };
  const auto covers_member = [&](std::size_t member) { return contains(wide.members, member) || covers_segment(intent.members[member].segment); };
  const auto covers_network = [&](const Cidr& network) {
    return wide.internet || std::any_of(wide.outside.begin(), wide.outside.end(), [&](const Cidr& other) { return other.contains(network); });
  };
  return std::all_of(narrow.segments.begin(), narrow.segments.end(), covers_segment) &&
         std::all_of(narrow.members.begin(), narrow.members.end(), covers_member) &&
         std::all_of(narrow.outside.begin(), narrow.outside.end(), covers_network);
}

bool covers(const std::vector<PortRange>& wide, const std::vector<PortRange>& narrow) {
  if (wide.empty()) return true;
  return !narrow.empty() && std::all_of(narrow.begin(), narrow.end(), [&](const PortRange& range) {
    return std::any_of(wide.begin(), wide.end(), [&](const PortRange& other) {
      return other.protocol == Protocol::any ||
             (other.protocol == range.protocol && (range.protocol == Protocol::icmp || (other.first <= range.first && range.last <= other.last)));
    });
  });
}

/// A deny in one direction.
struct Denied {
  const policy::Ends* from;
  const policy::Ends* to;
  const FlowSpec* spec;
};

/// The denies by one thing that their `from` holds, so that an allow is held only against those that could cover it.
class Denials {
 public:
  explicit Denials(const policy::Intent& intent) : intent_(intent) {}

  void add(const Denied& denied) {
    if (denied.from->any) others_.push_back(denied);
    if (denied.from->internet || denied.from->host || !denied.from->outside.empty()) others_.push_back(denied);
    for (const std::size_t segment : denied.from->segments) by_segment_[segment].push_back(denied);
    for (const std::size_t member : denied.from->members) by_member_[member].push_back(denied);
  }

  [[nodiscard]] const FlowSpec* covering(const policy::Ends& from, const policy::Ends& to, const FlowSpec& spec) const {
    const auto search = [&](const std::vector<Denied>& among) -> const FlowSpec* {
      const auto found = std::find_if(among.begin(), among.end(), [&](const Denied& denied) {
        return covers(denied.spec->ports, spec.ports) && covers(intent_, *denied.from, from) && covers(intent_, *denied.to, to);
      });
      return found == among.end() ? nullptr : found->spec;
    };
    const auto search_in = [&](const auto& index, std::size_t key) {
      const auto among = index.find(key);
      return among == index.end() ? nullptr : search(among->second);
    };
    const FlowSpec* found = search(others_);
    if (found == nullptr && !from.segments.empty()) found = search_in(by_segment_, from.segments.front());
    if (found == nullptr && !from.members.empty()) found = search_in(by_member_, from.members.front());
    if (found == nullptr && !from.members.empty()) found = search_in(by_segment_, intent_.members[from.members.front()].segment);
    return found;
  }

 private:
  const policy::Intent& intent_;
  std::vector<Denied> others_;
  std::unordered_map<std::size_t, std::vector<Denied>> by_segment_, by_member_;
};

}  // namespace

void check_flow(Network& network, const FlowSpec& spec, const Side& from, const Side& to) {
  if (!has_member(from) && !has_member(to)) {
    network.mistakes.refuse(spec.at, in_quotes(spec.text) + " names nothing of this topology", "topo never filters the host's own business",
                            spec.text.size());
    return;
  }
  const Element* of_from = off_all(from);
  const Element* of_to = of_from == nullptr ? off_all(to) : nullptr;
  if (of_from == nullptr && of_to == nullptr) of_from = stranded(network, from, to);
  if (of_from == nullptr && of_to == nullptr) of_to = stranded(network, to, from);
  if (of_from != nullptr) refuse_stranded(network, spec, spec.from, *of_from, spec.to.value, to);
  if (of_to != nullptr) refuse_stranded(network, spec, spec.to, *of_to, spec.from.value, from);
}

void check_cancelled(Network& network, const std::vector<Rule>& allowed, const std::vector<Rule>& denied) {
  Denials denials(network.intent);
  for (const auto& [spec, from, to] : denied) {
    denials.add({&from->ends, &to->ends, spec});
    if (spec->both_ways) denials.add({&to->ends, &from->ends, spec});
  }
  for (const auto& [spec, from, to] : allowed) {
    const FlowSpec* by = denials.covering(from->ends, to->ends, *spec);
    if (by == nullptr || (spec->both_ways && denials.covering(to->ends, from->ends, *spec) == nullptr)) continue;
    network.mistakes.refuse(spec->at, "the allow " + in_quotes(spec->text) + " is cancelled whole by the deny " + in_quotes(by->text),
                            by->at.line != 0 ? "the deny is in line " + std::to_string(by->at.line) : std::string(), spec->text.size());
  }
}

}  // namespace topo::network
