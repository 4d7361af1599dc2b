// Zones and flows to end points.
#include <algorithm>
#include <unordered_map>

#include "desire/flows.hpp"
#include "desire/statements.hpp"

namespace topo::network {
namespace {

template <class T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

void add_bridge(const Network& network, std::size_t index, Side& side) {
  const std::size_t segment = network.switches[index].segment;
  side.ends.segments.push_back(segment);
  side.elements.push_back({network.intent.segments[segment].interface, nowhere, {segment}});
  side.known &= !network.switches[index].doubtful;
}

void add_space(const Network& network, std::size_t index, Side& side) {
  const Space& space = network.spaces[index];
  Element element{space.name, index, {}};
  for (const std::size_t member : space.members) {
    side.ends.members.push_back(member);
    element.segments.push_back(network.intent.members[member].segment);
  }
  sort_unique(element.segments);
  side.elements.push_back(std::move(element));
  side.known &= !space.doubtful;
}

/// False where the name is none of a bridge or of namespaces.
bool add_named(const Network& network, const std::string& name, Side& side) {
  if (const Name* found = network.find(name); found != nullptr && found->kind == Name::Kind::bridge) {
    add_bridge(network, found->index, side);
    return true;
  }
  const auto span = spaces_named(network, name);
  for (std::size_t i = 0; span && i < span->count; ++i) add_space(network, span->first + i, side);
  return span.has_value();
}

void note_way_out(Network& network, const policy::Flow& flow) {
  if (!flow.to.internet && !flow.to.any) return;
  if (flow.from.any) network.segment_reaches_internet.assign(network.intent.segments.size(), true);
  for (const std::size_t segment : flow.from.segments) network.segment_reaches_internet[segment] = true;
  for (const std::size_t member : flow.from.members) {
    const Name* space = network.find(network.intent.members[member].ns);
    if (space != nullptr) network.spaces[space->index].reaches_internet = true;
  }
}

/// A name means the same wherever it stands; a thousand replicas need not be gathered for each rule anew.
using KnownSides = std::unordered_map<std::string, Side>;

const Side& known_side(const Network& network, const std::string& name, KnownSides& known) {
  const auto found = known.find(name);
  return found != known.end() ? found->second : known.emplace(name, side_of(network, name)).first->second;
}

std::vector<Rule> resolve(Network& network, const std::vector<FlowSpec>& specs, KnownSides& known, std::vector<policy::Flow>& flows) {
  std::vector<Rule> rules;
  for (const auto& spec : specs) {
    const Side& from = known_side(network, spec.from.value, known);
    const Side& to = known_side(network, spec.to.value, known);
    if (!from.known || !to.known) continue;
    rules.push_back({&spec, &from, &to});
    check_flow(network, spec, from, to);
    const std::string ports = ports_text(spec.ports);
    flows.push_back({from.ends, to.ends, spec.ports, spec.from.value + " -> " + spec.to.value + ports, spec.at});
    if (spec.both_ways) flows.push_back({to.ends, from.ends, spec.ports, spec.to.value + " -> " + spec.from.value + ports, spec.at});
  }
  // The order of rules is of no account, so it must not show either.
  std::stable_sort(flows.begin(), flows.end(), [](const auto& a, const auto& b) { return a.text < b.text; });
  flows.erase(std::unique(flows.begin(), flows.end(), [](const auto& a, const auto& b) { return a.text == b.text; }), flows.end());
  return rules;
}

}  // namespace

Side side_of(const Network& network, const std::string& name) {
  Side side;
  if (name == "any") {
    side.ends.any = true;
  } else if (name == "internet") {
    side.ends.internet = true;
  } else if (name == "host") {
    side.ends.host = true;
  } else if (const Name* found = network.find(name); found != nullptr && found->kind == Name::Kind::zone) {
    for (const auto& member : network.topology.zones[found->index].members) {
      if (const auto* outside = std::get_if<Cidr>(&member.value)) {
        side.ends.outside.push_back(*outside);
      } else {
        side.known &= add_named(network, std::get<std::string>(member.value), side);
      }
    }
    side.known &= !network.topology.zones[found->index].members.empty();
  } else {
    side.known &= add_named(network, name, side);
  }
  sort_unique(side.ends.segments);
  sort_unique(side.ends.members);
  sort_unique(side.ends.outside);
  return side;
}

void resolve_policy(Network& network) {
  const PolicySpec& policy = network.topology.policy;
  network.intent.default_allow = policy.default_allow;
  network.intent.default_at = policy.default_at;
  network.intent.reject = policy.reject;
  network.segment_reaches_internet.assign(network.intent.segments.size(), false);
  KnownSides known;
  const auto allowed = resolve(network, policy.allow, known, network.intent.allow);
  const auto denied = resolve(network, policy.deny, known, network.intent.deny);
  for (const auto& flow : network.intent.allow) note_way_out(network, flow);
  check_cancelled(network, allowed, denied);
}

}  // namespace topo::network
