#include <optional>
#include <vector>

#include "apply/confirm/guard.hpp"
#include "cli/clock.hpp"
#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/launch.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "cli/reachability.hpp"
#include "cli/show.hpp"
#include "cli/unconfirmed.hpp"
#include "report/rows.hpp"

namespace topo::cli {
namespace {

constexpr const char* format = "topo.apply/1";

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

/// Nothing had to change, but the files are others than those recorded (a comment, say), or none are. Left for the next time where another topo is at
/// work.
void keep_up(const std::string& topology, const Applied& applied) {
  const auto locks = Locks::take(state_folder, topology, std::chrono::milliseconds(0), {});
  if (locks) keep(topology, applied);
}

std::chrono::milliseconds time_to_confirm(const Arguments& arguments) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(arguments.confirm_s.value_or(0) * 1000));
}

std::string confirmation_text(const std::string& topology, const Guard& guard, const Arguments& arguments) {
  if (!guard.is_armed()) return "nothing to confirm or to take back";
  return "taken back at " + clock_text(time_after(time_to_confirm(arguments))) + " unless this comes first: topo confirm " + topology;
}

Exit apply_one(const Input& input, const Arguments& arguments, nlohmann::ordered_json& results) {
  const auto begin = Clock::now();
  const std::string& name = input.topology.name.value;
  const LastApplied last(input, arguments);
  const Reaching reaching(&input.topology, &input.desired, last.other());
  report::Reachability told;
  ApplyOptions options = apply_options(arguments, input.topology.sources, !last.is_input(),
                                       [&](const Plan& plan, const Graph& live) { return told = reaching.of(plan, live); });
  options.applied = last.graph();
  bool recorded = last.is_input();
  options.done = [&] {
    if (!recorded) keep(name, last.now());
    recorded = true;
  };
  std::optional<Guard> guard;
  if (arguments.confirm_s) {
    guard.emplace([](std::chrono::milliseconds timeout) { return live_kernels(timeout); }, Guard::Options{state_folder, time_to_confirm(arguments), options.lock_timeout, launcher() ? std::vector{launcher()->fd()} : std::vector<int>{}});
    options.witness = &*guard;
  }
  auto outcome = apply_graph(live_kernels(options.lock_timeout, last.now().firewall), input.desired.graph, options);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
  if (!outcome) {
    results.push_back({{"topology", name}, {"result", "failed"}, {"error", to_json(outcome.error())}});
    return complain(outcome.error());
  }
  const std::size_t count = count_of(outcome->plan);
  const char* const result = outcome->refused ? "refused" : count == 0 ? "unchanged" : "applied";
  if (arguments.format == Format::json) {
    results.push_back({{"topology", name},
                       {"result", result},
                       {"duration_ms", milliseconds},
                       {"warnings", to_strings(outcome->warnings)},
                       {"plan", to_json(outcome->plan, input.topology.sources, &told)}});
    if (guard) results.back()["until"] = guard->is_armed() ? Json(date_text(time_after(time_to_confirm(arguments)))) : Json();
  }
  if (outcome->refused) {
    complain(name + ": left as it was");
    return interrupts() > 0 ? Exit::interrupted : Exit::difference;
  }
  if (count == 0) {
    for (const auto& warning : outcome->warnings) warn(warning.to_string());
    if (!recorded) keep_up(name, last.now());
  }
  if (arguments.format == Format::text) {
    say(name + (count == 0 ? ": no changes" : ": applied, " + report::counted(count, "change")) + " in " + std::to_string(milliseconds) + " ms");
    if (guard) say(name + ": " + confirmation_text(name, *guard, arguments));
  }
  return Exit::ok;
}

}  // namespace

Exit apply(const Arguments& arguments) {
  if (arguments.dry_run) return diff(arguments);
  const auto inputs = load_inputs(arguments, format);
  if (!inputs) return Exit::invalid;
  if (auto allowed = need_privilege("change the network"); !allowed) return complain(allowed.error(), arguments, format);
  if (auto prepared = prepare_launcher(*inputs); !prepared) return complain(prepared.error(), arguments, format);
  drop_privileges();
  count_interrupts();
  Exit exit = Exit::ok;
  auto results = nlohmann::ordered_json::array();
  for (const auto& input : *inputs) {
    if (interrupts() > 0) {
      exit = worse(exit, Exit::interrupted);
      break;
    }
    exit = worse(exit, apply_one(input, arguments, results));
  }
  if (arguments.format == Format::json)
    say_json(nlohmann::ordered_json{{"format", format}, {"exit", static_cast<int>(exit)}, {"topologies", std::move(results)}});
  return exit;
}

}  // namespace topo::cli
