#include "report/status.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "report/rows.hpp"
#include "report/statements.hpp"
#include "topo/names.hpp"

namespace topo::report {
namespace {

using Json = nlohmann::ordered_json;

Status::Places places_of(const Graph& live) {
  Status::Places places;
  for (const auto* ns : live.all<Namespace>()) places[ns->name];
  for (const auto* bridge : live.all<Bridge>()) places[bridge->ns][bridge->name];
  for (const auto* veth : live.all<Veth>()) {
    for (std::size_t end = 0; end < 2; ++end) {
      const VethEnd &here = veth->ends[end], &there = veth->ends[1 - end];
      // The gateway's end of an attachment is the bridge's port and nothing a reader looks for.
      if (here.bridge.empty()) places[here.ns][here.name].bridge = there.bridge;
    }
  }
  for (const auto* address : live.all<Address>()) {
    if (!address->address.address().is_link_local()) places[address->ns][address->interface].addresses.push_back(address->address.to_string());
  }
  return places;
}

std::string since_text(const std::optional<Since>& since, Paint paint) {
  if (!since) return painted(paint, color::yellow, "what was applied is not recorded");
  if (since->differences == 0) return painted(paint, color::green, "as applied") + " at " + since->time;
  return painted(paint, color::yellow, counted(since->differences, "difference")) + " from what was applied at " + since->time + " (topo diff)";
}

/// namespace, interface, what is on it; a namespace's name stands in its first row alone.
std::vector<std::array<std::string, 3>> rows_of(const Status::Places& places) {
  std::vector<std::array<std::string, 3>> rows;
  for (const auto& [ns, interfaces] : places) {
    std::string title = ns.empty() ? "host" : printable(ns);
    if (interfaces.empty()) rows.push_back({title, "", ""});
    for (const auto& [name, interface] : interfaces) {
      std::string text;
      for (const auto& address : interface.addresses) text += (text.empty() ? "" : " ") + address;
      if (!interface.bridge.empty()) text += (text.empty() ? "on " : " on ") + printable(interface.bridge);
      rows.push_back({std::exchange(title, ""), printable(name), std::move(text)});
    }
  }
  return rows;
}

std::vector<Status::Run> runs_of(const Graph& live) {
  std::vector<Status::Run> runs;
  for (const auto* command : live.all<Command>()) runs.push_back({command->key(), typed(command->words), command->amiss});
  return runs;
}

std::string run_text(const Status::Run& run, Paint paint) {
  constexpr std::size_t widest = 60;
  const std::string command = run.command.size() <= widest ? run.command : run.command.substr(0, widest - 3) + "...";
  return printable(command) + (run.amiss.empty() ? "" : painted(paint, color::yellow, " (" + run.amiss + ")"));
}

}  // namespace

Status status_of(const Graph& live) {
  const auto bridges = live.all<Bridge>();
  const bool filtered = std::any_of(bridges.begin(), bridges.end(), [](const Bridge* bridge) { return bridge->filtered; });
  return {live.topology(), places_of(live), statements(live, "port"), to_string(backends_of(live.all<Firewall>())), filtered, runs_of(live), {}, {}};
}

std::string status_text(const Status& status, Paint paint) {
  const auto named = static_cast<std::size_t>(std::count_if(status.places.begin(), status.places.end(), [](const auto& place) { return !place.first.empty(); }));
  std::string text = painted(paint, color::bold, status.topology) + ": " + counted(named, "namespace") + ", " + since_text(status.since, paint);
  if (!status.notice.empty()) text += "\n  " + painted(paint, color::yellow, status.notice);
  const auto rows = rows_of(status.places);
  std::array<std::size_t, 2> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < widths.size(); ++i) line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    line += row[2];
    text += "\n" + line.substr(0, line.find_last_not_of(' ') + 1);
  }
  for (const auto& port : status.ports) text += "\n  port " + printable(port);
  for (const auto& run : status.runs) text += "\n  run " + printable(run.name) + ": " + run_text(run, paint);
  if (!status.backend.empty()) {
    text += "\n  firewall: " + status.backend + (status.bridges_filtered ? ", inside bridges by their option nf_call_iptables" : "");
  }
  return text;
}

std::string status_json(const Status& status) {
  auto namespaces = Json::array();
  for (const auto& [ns, interfaces] : status.places) {
    auto entries = Json::array();
    for (const auto& [name, interface] : interfaces) {
      Json entry{{"name", name}, {"addresses", interface.addresses}};
      if (!interface.bridge.empty()) entry["bridge"] = interface.bridge;
      entries.push_back(std::move(entry));
    }
    namespaces.push_back({{"name", ns.empty() ? Json() : Json(ns)}, {"interfaces", std::move(entries)}});
  }
  auto commands = Json::array();
  for (const auto& run : status.runs)
    commands.push_back({{"name", run.name}, {"command", run.command}, {"state", run.amiss.empty() ? "running" : run.amiss}});
  const auto& since = status.since;
  const Json document{{"topology", status.topology},
                      {"namespaces", std::move(namespaces)},
                      {"ports", status.ports},
                      {"firewall", status.backend.empty() ? Json() : Json(status.backend)},
                      {"bridged", status.bridges_filtered ? Json("nf_call_iptables") : Json()},
                      {"commands", std::move(commands)},
                      {"drift", since ? Json(since->differences) : Json()},
                      {"applied", since ? Json(since->date) : Json()}};
  return document.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace topo::report
