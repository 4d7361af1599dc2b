#include <algorithm>

#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/launch.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "cli/show.hpp"
#include "report/rows.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* format = "topo.destroy/1";

/// The topologies that the operands name; nullopt, and the mistakes printed, where one does not.
std::optional<std::vector<std::string>> named(const Arguments& arguments) {
  std::vector<std::string> names;
  bool good = true;
  nlohmann::ordered_json document{{"format", format}, {"exit", static_cast<int>(Exit::invalid)}};
  std::vector<std::string> operands;
  for (const auto& operand : arguments.operands) {
    const auto files = is_file(operand) ? files_of({operand}) : std::vector{operand};
    operands.insert(operands.end(), files.begin(), files.end());
  }
  for (const auto& operand : operands) {
    std::string name = operand;
    if (is_file(operand)) {
      LoadOptions options = load_options(arguments);
      options.name_only = true;
      Loaded loaded = load(operand, options);
      const Input input{operand, std::move(loaded.topology), Desired(), std::move(loaded.diagnostics)};
      document["files"].push_back(to_json(input));
      show_mistakes(input);
      good = good && input.diagnostics.empty();
      name = input.topology.name.value;
    } else if (const auto problem = topology_name_problem(operand)) {
      const Error misnamed{Exit::invalid, "the topology name '" + printable(operand) + "' " + *problem, {}, {}, {}, {}};
      document["error"] = to_json(misnamed);
      complain(misnamed);
      good = false;
    }
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (!good && arguments.format == Format::json) say_json(document);
  return good ? std::optional(std::move(names)) : std::nullopt;
}

/// That it cannot be removed makes what was destroyed no less so: a warning.
void drop_record(const std::string& topology) {
  if (auto gone = forget(topology); !gone) warn(gone.error().to_string());
}

/// " (did you mean 'lab'?)", where what is here has a name like it.
std::string suggestion_for(const std::string& name) {
  const auto here = topologies_here({});
  const auto near = here ? nearest(name, *here) : std::nullopt;
  return near ? " (did you mean '" + *near + "'?)" : "";
}

Exit destroy_one(const std::string& name, const Arguments& arguments, nlohmann::ordered_json& results) {
  const auto begin = Clock::now();
  const Sources none;
  const auto untold = [](const Plan&, const Graph&) { return report::Reachability(); };  // all of it goes
  ApplyOptions options = apply_options(arguments, none, true, untold);
  bool forgotten = false;
  options.done = [&] {
    drop_record(name);
    forgotten = true;
  };
  auto outcome = apply_graph(live_kernels(lock_timeout(arguments)), Graph(name), options);
  if (!outcome) {
    results.push_back({{"topology", name}, {"result", "failed"}, {"error", to_json(outcome.error())}});
    return complain(outcome.error());
  }
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
  const std::size_t count = count_of(outcome->plan);
  const char* const result = outcome->refused ? "refused" : count == 0 ? "nothing to destroy" : "destroyed";
  if (arguments.format == Format::json)
    results.push_back({{"topology", name}, {"result", result}, {"duration_ms", milliseconds}, {"plan", to_json(outcome->plan, none)}});
  if (outcome->refused) {
    complain(name + ": left as it was");
    return interrupts() > 0 ? Exit::interrupted : Exit::difference;
  }
  if (count == 0 && !forgotten) {
    // Left to whoever is at work on it.
    if (const auto locks = Locks::take(state_folder, name, std::chrono::milliseconds(0), {})) drop_record(name);
  }
  if (arguments.format == Format::text) {
    say(name + ": " + result +
        (count == 0 ? suggestion_for(name) : ", " + report::counted(count, "change") + " in " + std::to_string(milliseconds) + " ms"));
  }
  return Exit::ok;
}

}  // namespace

Exit destroy(const Arguments& arguments) {
  if (arguments.all && !arguments.operands.empty()) return complain(Error{Exit::invalid, "--all takes no name", {}, {}, {}, {}}, arguments, format);
  auto names = named(arguments);
  if (!names) return Exit::invalid;
  if (auto allowed = need_privilege("change the network"); !allowed) return complain(allowed.error(), arguments, format);
  if (auto prepared = prepare_launcher({}); !prepared) return complain(prepared.error(), arguments, format);
  drop_privileges();
  if (arguments.operands.empty()) {
    auto here = topologies_here({});
    if (!here) return complain(here.error(), arguments, format);
    if (here->size() > 1 && !arguments.all) return complain(several_here(*here, "name one, or give --all"), arguments, format);
    names = *std::move(here);
    if (names->empty() && arguments.format == Format::text) say("nothing to destroy");
  }
  count_interrupts();
  Exit exit = Exit::ok;
  auto results = nlohmann::ordered_json::array();
  for (const auto& name : *names) {
    if (interrupts() > 0) {
      exit = worse(exit, Exit::interrupted);
      break;
    }
    exit = worse(exit, destroy_one(name, arguments, results));
  }
  if (arguments.format == Format::json)
    say_json(nlohmann::ordered_json{{"format", format}, {"exit", static_cast<int>(exit)}, {"topologies", std::move(results)}});
  return exit;
}

}  // namespace topo::cli
