#include <algorithm>
#include <chrono>
#include <iterator>
#include <thread>

#include "apply/confirm/rendezvous.hpp"
#include "cli/clock.hpp"
#include "cli/commands.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "cli/screen.hpp"
#include "cli/show.hpp"
#include "cli/unconfirmed.hpp"
#include "report/status.hpp"

namespace topo::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* format = "topo.status/1";
constexpr std::chrono::seconds watch_interval{1};

/// What one look at the kernel has shown.
struct Look {
  Exit exit = Exit::ok;
  std::string text;
  Json topologies = Json::array();
};

void add_status(const std::string& name, const Arguments& arguments, Look& look) {
  const auto recorded = recall_topology(name);
  const Graph nothing(name);
  const auto firewall = recorded ? recorded->applied.firewall : FirewallChoice::automatic;
  const auto planned = plan_graph(live_kernels(lock_timeout(arguments), firewall), recorded ? recorded->desired.graph : nothing);
  if (!planned) {
    look.topologies.push_back({{"topology", name}, {"error", to_json(planned.error())}});
    look.exit = worse(look.exit, complain(planned.error()));
    return;
  }
  report::Status status = report::status_of(planned->observed.live);
  if (recorded) status.since = {clock_text(recorded->applied.when), date_text(recorded->applied.when), count_of(planned->plan)};
  const auto confirmation = confirmation_of(name);
  status.notice = status_text(name, confirmation);
  const auto paint = colored(arguments, stdout) ? report::Paint::colored : report::Paint::plain;
  look.text += (look.text.empty() ? "" : "\n") + report::status_text(status, paint);
  look.topologies.push_back(Json::parse(report::status_json(status)));
  look.topologies.back()["confirmation"] = to_json(confirmation);
}

/// Those in the kernel, and those whose last change is not confirmed though it left nothing there. With `wanted` not empty: these.
Result<std::vector<std::string>> topologies_to_show(const std::vector<std::string>& wanted) {
  std::vector<std::string> unconfirmed, all;
  for (auto& name : rendezvous::topologies(state_folder)) {
    if (rendezvous::find(state_folder, name).what == rendezvous::Found::What::socket) unconfirmed.push_back(std::move(name));
  }
  if (!wanted.empty() && std::find(unconfirmed.begin(), unconfirmed.end(), wanted.front()) != unconfirmed.end()) return wanted;
  auto here = topologies_here(wanted);
  if (!here || !wanted.empty()) return here;
  std::set_union(here->begin(), here->end(), unconfirmed.begin(), unconfirmed.end(), std::back_inserter(all));
  return all;
}

Result<Look> look(const Arguments& arguments) {
  const auto names = topologies_to_show(arguments.operands);
  if (!names) return names.error();
  Look look;
  if (names->empty()) look.text = "no topology is here";
  for (const auto& name : *names) add_status(name, arguments, look);
  if (arguments.format == Format::json)
    look.text = json_text(Json{{"format", format}, {"exit", static_cast<int>(look.exit)}, {"topologies", std::move(look.topologies)}});
  return look;
}

}  // namespace

Exit status(const Arguments& arguments) {
  if (auto allowed = need_privilege("read the network"); !allowed) return complain(allowed.error(), arguments, format);
  drop_privileges();
  // Watching ends as any program does that is interrupted, or whose reader has gone: there is nothing to take back.
  for (Screen screen;; std::this_thread::sleep_for(watch_interval)) {
    const auto seen = look(arguments);
    if (!seen) return complain(seen.error(), arguments, format);
    const bool goes_on = arguments.watch && seen->exit == Exit::ok;
    if (!seen->text.empty()) goes_on ? screen.show(seen->text) : say(seen->text);
    if (!goes_on) return seen->exit;
  }
}

}  // namespace topo::cli
