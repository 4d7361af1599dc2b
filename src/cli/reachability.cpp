#include "cli/reachability.hpp"

#include <algorithm>
#include <optional>

#include "reach/picture.hpp"
#include "report/export.hpp"
#include "topo/load.hpp"

namespace topo::cli {
namespace {

/// What a live graph means: the topology that asks for it, and its policy.
struct Meaning {
  Topology topology;
  policy::Intent intent;
  std::string problem;  ///< not empty: no file says it
};

Meaning meaning_of(const Graph& live) {
  LoadOptions options;
  options.max_bytes = std::numeric_limits<std::size_t>::max();
  Loaded loaded = load_text(report::topology_file(live), "live", options);
  Desired desired;
  if (loaded.diagnostics.empty()) desired = desire(loaded.topology);
  const auto& mistakes = loaded.diagnostics.empty() ? desired.diagnostics : loaded.diagnostics;
  if (!mistakes.empty()) return {{}, {}, "no topology file can say what is there: " + mistakes.front().message};
  return {std::move(loaded.topology), std::move(desired.intent), {}};
}

/// Zones that reading back had to invent are no names that anybody knows.
void drop_unknown_zones(Topology& topology, const Topology* known) {
  std::erase_if(topology.zones, [&](const ZoneSpec& zone) {
    return known == nullptr || std::none_of(known->zones.begin(), known->zones.end(), [&](const ZoneSpec& own) { return own.name == zone.name; });
  });
}

}  // namespace

report::Reachability Reaching::of(const Plan& plan, const Graph& live) const {
  report::Reachability found;
  if (plan.empty()) return found;
  std::optional<reach::Picture> before, after;
  Meaning meaning;
  if (last_ != nullptr && diff(live, last_->desired.graph).empty()) {
    before.emplace(last_->topology, live, last_->desired.intent);
  } else if (!live.empty()) {
    meaning = meaning_of(live);
    if (!meaning.problem.empty()) {
      found.unknown = meaning.problem;
      return found;
    }
    drop_unknown_zones(meaning.topology, topology_);
    before.emplace(meaning.topology, live, meaning.intent);
  }
  if (desired_ != nullptr) after.emplace(*topology_, desired_->graph, desired_->intent);
  found.changes = reach::compare(before ? &before->names() : nullptr, after ? &after->names() : nullptr);
  return found;
}

}  // namespace topo::cli
