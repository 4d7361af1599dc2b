#include <algorithm>
#include <iterator>
#include <map>

#include "apply/confirm/rendezvous.hpp"
#include "cli/commands.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "cli/show.hpp"
#include "cli/unconfirmed.hpp"
#include "report/rows.hpp"
#include "report/statements.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* format = "topo.status/1";

/// An interface of a namespace (of the gateway, where `ns` is empty) and what is on it.
struct Interface {
  std::string on;  ///< the bridge it leads to
  std::vector<std::string> addresses;
};
/// By namespace, then by interface. Namespaces without an interface are there too.
using Places = std::map<std::string, std::map<std::string, Interface>>;

Places places_of(const Graph& live) {
  Places places;
  for (const auto* ns : live.all<Namespace>()) places[ns->name];
  for (const auto* bridge : live.all<Bridge>()) places[bridge->ns][bridge->name];
  for (const auto* veth : live.all<Veth>()) {
    for (std::size_t end = 0; end < 2; ++end) {
      const VethEnd &here = veth->ends[end], &there = veth->ends[1 - end];
      // The gateway's end of an attachment is the bridge's port and nothing a reader looks for.
      if (here.bridge.empty()) places[here.ns][here.name].on = there.bridge;
    }
  }
  for (const auto* address : live.all<Address>()) {
    if (!address->address.address().is_link_local()) places[address->ns][address->interface].addresses.push_back(address->address.to_string());
  }
  return places;
}

/// What is known of how far the kernel is from what was last applied.
struct Drift {
  bool known = false;
  std::size_t changes = 0;
  [[nodiscard]] std::string text() const {
    if (!known) return "what was applied is not recorded";
    return changes == 0 ? "as applied" : report::counted(changes, "difference") + " from what was applied";
  }
};

Json to_json(const std::string& topology, const Places& places, const std::vector<std::string>& ports, const Drift& drift,
             const Confirmation& confirmation) {
  auto namespaces = Json::array();
  for (const auto& [ns, interfaces] : places) {
    auto entries = Json::array();
    for (const auto& [name, interface] : interfaces) {
      Json entry{{"name", name}, {"addresses", interface.addresses}};
      if (!interface.on.empty()) entry["bridge"] = interface.on;
      entries.push_back(std::move(entry));
    }
    namespaces.push_back({{"name", ns.empty() ? Json() : Json(ns)}, {"interfaces", std::move(entries)}});
  }
  return {{"topology", topology}, {"namespaces", std::move(namespaces)}, {"ports", ports}, {"drift", drift.known ? Json(drift.changes) : Json()},
          {"confirmation", cli::to_json(confirmation)}};
}

void show(const std::string& topology, const Places& places, const std::vector<std::string>& ports, const Drift& drift,
          const Confirmation& confirmation) {
  const auto named = static_cast<std::size_t>(std::count_if(places.begin(), places.end(), [](const auto& place) { return !place.first.empty(); }));
  say(topology + ": " + report::counted(named, "namespace") + ", " + drift.text());
  if (const auto text = status_text(topology, confirmation); !text.empty()) say("  " + text);
  std::vector<std::array<std::string, 3>> rows;
  for (const auto& [ns, interfaces] : places) {
    std::string title = ns.empty() ? "host" : ns;
    if (interfaces.empty()) rows.push_back({title, "", ""});
    for (const auto& [name, interface] : interfaces) {
      std::string text;
      for (const auto& address : interface.addresses) text += (text.empty() ? "" : " ") + address;
      if (!interface.on.empty()) text += (text.empty() ? "on " : " on ") + interface.on;
      rows.push_back({std::exchange(title, ""), name, text});
    }
  }
  std::array<std::size_t, 2> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < widths.size(); ++i) line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    line += row[2];
    say(printable(line.substr(0, line.find_last_not_of(' ') + 1)));
  }
  for (const auto& port : ports) say("  port " + printable(port));
}

Exit status_of(const std::string& name, const Arguments& arguments, Json& results) {
  const auto recorded = recall_topology(name);
  const Graph nothing(name);
  auto planned = plan_graph(live_kernels(arguments), recorded ? recorded->desired.graph : nothing);
  if (!planned) {
    results.push_back({{"topology", name}, {"error", cli::to_json(planned.error())}});
    return complain(planned.error());
  }
  const Graph& live = planned->observed.live;
  const Drift drift{recorded.has_value(), recorded ? count_of(planned->plan) : 0};
  const Places places = places_of(live);
  const auto ports = report::statements(live, "port");
  const auto confirmation = confirmation_of(name);
  if (arguments.format == Format::text) show(name, places, ports, drift, confirmation);
  results.push_back(to_json(name, places, ports, drift, confirmation));
  return Exit::ok;
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

}  // namespace

Exit status(const Arguments& arguments) {
  if (auto allowed = need_privilege("read the network"); !allowed) return complain(allowed.error(), arguments, format);
  drop_privileges();
  const auto names = topologies_to_show(arguments.operands);
  if (!names) return complain(names.error(), arguments, format);
  Exit exit = Exit::ok;
  auto results = Json::array();
  if (names->empty() && arguments.format == Format::text) say("no topology is here");
  for (const auto& name : *names) exit = worse(exit, status_of(name, arguments, results));
  if (arguments.format == Format::json) say_json(Json{{"format", format}, {"exit", static_cast<int>(exit)}, {"topologies", std::move(results)}});
  return exit;
}

}  // namespace topo::cli
