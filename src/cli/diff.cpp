#include <algorithm>

#include "apply/presence.hpp"
#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "cli/reachability.hpp"
#include "cli/show.hpp"
#include "diff/plan.hpp"

namespace topo::cli {
namespace {

constexpr const char* format = "topo.diff/1";

/// What there shall be of one topology, and the files that say so.
struct Wanted {
  const Topology& topology;
  const Desired& desired;
  const Graph* applied;   ///< the graph of what was last applied
  const Recorded* other;  ///< that, where it is not this
  FirewallChoice firewall;
};

Exit diff_one(const Wanted& wanted, const Arguments& arguments, nlohmann::ordered_json& results) {
  const std::string& name = wanted.topology.name.value;
  const Sources& sources = wanted.topology.sources;
  auto planned = plan_graph(live_kernels(lock_timeout(arguments), wanted.firewall), wanted.desired.graph, wanted.applied);
  if (!planned) {
    results.push_back({{"topology", name}, {"error", to_json(planned.error())}});
    return complain(planned.error());
  }
  const Plan& plan = planned->plan;
  for (const auto& warning : planned->observed.warnings) warn(warning.to_string());
  const auto reachability = Reaching(&wanted.topology, &wanted.desired, wanted.other).of(plan, planned->observed.live);
  auto result = to_json(plan, sources, &reachability);
  if (arguments.format == Format::text) show_plan(plan, sources, reachability, arguments);
  Exit exit = plan.empty() ? Exit::ok : Exit::difference;
  if (const auto conflict = plan.empty() ? std::nullopt : conflict_of(planned->observed, name, arguments.take_port)) {
    result["error"] = to_json(*conflict);
    exit = complain(*conflict);
  }
  results.push_back(std::move(result));
  return exit;
}

Exit diff_files(const std::vector<Input>& inputs, const Arguments& arguments, nlohmann::ordered_json& results) {
  Exit exit = Exit::ok;
  for (const auto& input : inputs) {
    const LastApplied last(input, arguments);
    exit = worse(exit, diff_one({input.topology, input.desired, last.graph(), last.other(), last.now().firewall}, arguments, results));
  }
  return exit;
}

/// Drift of all that was applied here and is recorded.
Exit diff_recorded(const Arguments& arguments, nlohmann::ordered_json& results) {
  auto present = topologies_present();
  if (!present) {
    results.push_back({{"error", to_json(present.error())}});
    return complain(present.error());
  }
  auto names = recorded();
  Exit exit = Exit::ok;
  if (names.empty() && present->empty() && arguments.format == Format::text) say("nothing was applied here");
  for (const auto& name : *present) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const Error unknown{Exit::invalid, "what was applied of " + name + " is not recorded", {}, {}, "give its file: topo diff FILE", {}};
    results.push_back({{"topology", name}, {"error", to_json(unknown)}});
    exit = complain(unknown);
  }
  for (const auto& name : names) {
    const auto recorded = recall_topology(name);
    if (!recorded) {
      exit = worse(exit, Exit::invalid);
      continue;
    }
    exit = worse(exit, diff_one({recorded->topology, recorded->desired, &recorded->desired.graph, nullptr, recorded->applied.firewall}, arguments, results));
  }
  return exit;
}

}  // namespace

Exit diff(const Arguments& arguments) {
  const auto inputs = load_inputs(arguments, format);
  if (!inputs) return Exit::invalid;
  if (auto allowed = need_privilege("read the network"); !allowed) return complain(allowed.error(), arguments, format);
  drop_privileges();
  auto results = nlohmann::ordered_json::array();
  const Exit exit = inputs->empty() ? diff_recorded(arguments, results) : diff_files(*inputs, arguments, results);
  if (arguments.format == Format::json)
    say_json(nlohmann::ordered_json{{"format", format}, {"exit", static_cast<int>(exit)}, {"topologies", std::move(results)}});
  return exit;
}

}  // namespace topo::cli
