#include "cli/live.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "apply/linux_kernel.hpp"
#include "apply/presence.hpp"
#include "cli/interrupt.hpp"
#include "cli/launch.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/show.hpp"
#include "topo/load.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

/// Waits for an answer on standard input; anything but y or yes, the end, or an interrupt is a no.
bool says_yes(const std::string& question) {
  clear_progress();
  std::fputs((question + " [y/N] ").c_str(), stderr);
  std::string answer;
  for (char c = 0; c != '\n';) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    int ready = 0;
    // Again and again, since an interrupt may come just before the waiting and so end none.
    while (ready == 0 && interrupts() == 0) ready = ::poll(&input, 1, 100);
    if (ready != 1 || interrupts() > 0 || ::read(STDIN_FILENO, &c, 1) != 1) {
      std::fputc('\n', stderr);
      return false;
    }
    if (c != '\n') answer += c;
  }
  return answer == "y" || answer == "yes" || answer == "Y";
}

bool destroys(const Plan& plan) {
  return std::any_of(plan.changes.begin(), plan.changes.end(),
                     [](const Change& change) { return change.action == Change::Action::remove || change.action == Change::Action::recreate; });
}

}  // namespace

std::chrono::milliseconds lock_timeout(const Arguments& arguments) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(arguments.lock_timeout_s, 1e9) * 1000));
}

Kernels live_kernels(std::chrono::milliseconds lock_timeout, FirewallChoice firewall) {
  return linux_kernels(lock_timeout, show_progress, firewall, launcher());
}

namespace {

std::optional<Recorded> read_recorded(const std::string& name, Applied applied) {
  LoadOptions options;
  options.set = applied.set;
  options.max_bytes = std::numeric_limits<std::size_t>::max();
  options.recorded = &applied.sources;
  Loaded loaded = load(applied.sources.front().name, options);
  Recorded recorded{{}, std::move(loaded.topology), Desired()};
  if (loaded.diagnostics.empty()) recorded.desired = desire(recorded.topology);
  if (!loaded.diagnostics.empty() || !recorded.desired.diagnostics.empty() || recorded.topology.name.value != name) {
    warn("what was last applied of " + name + " cannot be read any more; give its file");
    return std::nullopt;
  }
  recorded.applied = std::move(applied);
  return recorded;
}

}  // namespace

FirewallChoice recorded_choice(const std::string& topology) {
  const auto applied = recall(topology);
  return applied ? applied->firewall : FirewallChoice::automatic;
}

std::optional<Recorded> recall_topology(const std::string& name) {
  auto applied = recall(name);
  if (!applied) return std::nullopt;
  return read_recorded(name, *std::move(applied));
}

LastApplied::LastApplied(const Input& input, const Arguments& arguments) : input_(input), now_{input.topology.sources, arguments.set} {
  const std::string& name = input.topology.name.value;
  auto applied = recall(name);
  now_.firewall = arguments.firewall.value_or(applied ? applied->firewall : FirewallChoice::automatic);
  if (!applied) return;
  is_input_ = *applied == now_;
  if (!is_input_) other_ = read_recorded(name, *std::move(applied));
}

const Graph* LastApplied::graph() const {
  if (is_input_) return &input_.desired.graph;
  return other_ ? &other_->desired.graph : nullptr;
}

void keep(const std::string& topology, const Applied& applied) {
  if (auto kept = record(topology, applied); !kept) warn(kept.error().to_string());
}

ApplyOptions apply_options(const Arguments& arguments, const Sources& sources, bool expects_change, Reachable reachable) {
  ApplyOptions options;
  options.lock_timeout = lock_timeout(arguments);
  options.take_port = arguments.take_port;
  options.interrupts = interrupts;
  const bool may_ask = !arguments.yes && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  options.lock_first = expects_change && !may_ask;
  options.agree = [&arguments, &sources, may_ask, reachable = std::move(reachable)](const Plan& plan, const Observed& observed) {
    const report::Reachability told = reachable(plan, observed.live);
    const bool ask = may_ask && destroys(plan);
    if (arguments.format == Format::text || ask) show_plan(plan, sources, told, arguments, arguments.format == Format::text ? stdout : stderr);
    for (const auto& warning : observed.warnings) warn(warning.to_string());
    return !ask || says_yes(plan.topology + ": go on?");
  };
  return options;
}

Result<std::vector<std::string>> topologies_here(const std::vector<std::string>& wanted) {
  auto present = topologies_present();
  if (!present || wanted.empty()) return present;
  for (const auto& name : wanted) {
    if (std::find(present->begin(), present->end(), name) != present->end()) continue;
    const auto near = nearest(name, *present);
    return Error{Exit::invalid, "the topology " + name + " is not here", {}, {}, near ? "did you mean '" + *near + "'?" : "", {}};
  }
  return wanted;
}

Error several_here(const std::vector<std::string>& names, const std::string& remedy) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return Error{Exit::invalid, "several topologies are here: " + list, {}, {}, remedy, {}};
}

}  // namespace topo::cli
