#include "cli/unconfirmed.hpp"

#include <algorithm>
#include <functional>

#include "apply/confirm/rendezvous.hpp"
#include "cli/clock.hpp"
#include "cli/interrupt.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

using State = Confirmation::State;

/// Rounded up: what is nearly over is not over.
std::string seconds_text(std::chrono::milliseconds time) { return std::to_string((time.count() + 999) / 1000) + " s"; }

std::string process_text(const Confirmation& confirmation) {
  return confirmation.process == 0 ? "the process" : "the process " + std::to_string(confirmation.process);
}

const char* word_of(State state) {
  switch (state) {
    case State::applying:
      return "applying";
    case State::waiting:
      return "waiting";
    case State::taking_back:
      return "taking back";
    case State::abandoned:
      return "abandoned";
    case State::silent:
      return "silent";
    default:
      return nullptr;
  }
}

/// The topology that is meant.
Result<std::string> unconfirmed_topology(const Arguments& arguments) {
  if (!arguments.operands.empty()) {
    const std::string& name = arguments.operands.front();
    if (const auto problem = topology_name_problem(name))
      return Error{Exit::invalid, "the topology name '" + printable(name) + "' " + *problem, {}, {}, {}, {}};
    return name;
  }
  auto names = rendezvous::topologies(state_folder);
  // What was taken back is of interest where nothing waits.
  const auto waits = [](const std::string& name) { return rendezvous::find(state_folder, name).what == rendezvous::Found::What::socket; };
  if (std::any_of(names.begin(), names.end(), waits)) names.erase(std::remove_if(names.begin(), names.end(), std::not_fn(waits)), names.end());
  if (names.size() == 1) return names.front();
  if (names.empty()) return Error{Exit::invalid, "no change waits to be confirmed", {}, {}, {}, {}};
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return Error{Exit::invalid, "several topologies have a change to confirm: " + list, {}, {}, "name one", {}};
}

/// How long to wait for locks, and for what is asked for.
DemandOptions demand_options(const Arguments& arguments) {
  DemandOptions options;
  options.lock_timeout = lock_timeout(arguments);
  options.stop = [said = false]() mutable {
    if (interrupts() > 0 && !said) complain("interrupted: what is being done with the change goes on and is waited for; interrupt again to wait no longer");
    said = said || interrupts() > 0;
    return interrupts() > 1;
  };
  return options;
}

}  // namespace

std::string status_text(const std::string& topology, const Confirmation& confirmation) {
  const std::string choices = ": topo confirm " + topology + ", or topo rollback " + topology;
  switch (confirmation.state) {
    case State::applying:
      return "being applied, and taken back unless it is confirmed then";
    case State::waiting:
      if (confirmation.trouble) {
        return "not confirmed, and cannot be taken back yet; tried again in " + seconds_text(confirmation.left) + choices + "\n  " +
               confirmation.trouble->to_string();
      }
      return "not confirmed; taken back at " + clock_text(time_after(confirmation.left)) + ", in " + seconds_text(confirmation.left) + choices;
    case State::taking_back:
      return "not confirmed, and being taken back";
    case State::abandoned:
      return "not confirmed, and stays: the process that was to take it back was killed: topo confirm " + topology + ", or apply what shall be";
    case State::silent:
      return "not confirmed; " + process_text(confirmation) + " that is to take it back does not answer";
    default:
      return {};
  }
}

nlohmann::ordered_json to_json(const Confirmation& confirmation) {
  const char* const word = word_of(confirmation.state);
  if (word == nullptr) return nullptr;
  nlohmann::ordered_json json{{"state", word}};
  if (confirmation.state == State::waiting) {
    json["seconds_left"] = static_cast<double>(confirmation.left.count()) / 1000;
    json["until"] = date_text(time_after(confirmation.left));
  }
  if (confirmation.process != 0) json["process"] = confirmation.process;
  if (confirmation.trouble) json["error"] = to_json(*confirmation.trouble);
  return json;
}

Result<Demanded> demand_of(const Arguments& arguments, Result<Confirmation> (*demand)(const std::string&, const DemandOptions&)) {
  if (auto allowed = need_privilege("change the network"); !allowed) return std::move(allowed).error();
  drop_privileges();
  count_interrupts();
  auto topology = unconfirmed_topology(arguments);
  if (!topology) return std::move(topology).error();
  auto known = demand(*topology, demand_options(arguments));
  if (!known) return std::move(known).error();
  return Demanded{*std::move(topology), *std::move(known)};
}

Error undecided(const std::string& topology, const Confirmation& confirmation) {
  const std::string process = process_text(confirmation);
  switch (confirmation.state) {
    case State::applying:
      return {Exit::locked, topology + " is still being applied; nothing was touched", {}, {}, "try again", {}};
    case State::taking_back:
      return {Exit::left_over, "interrupted: " + process + " goes on taking the change back", {}, {}, "topo status " + topology + " says how far it is", {}};
    case State::silent:
      return {Exit::locked, process + " that is to take the change back does not answer", {}, {}, "if it is stopped, kill -CONT it: it does what it was asked then", {}};
    default:
      return {Exit::invalid, "no change of " + topology + " waits to be confirmed", {}, {}, {}, {}};
  }
}

Exit conclude(const std::string& topology, const char* result, const std::string& text, const Arguments& arguments, const char* format) {
  if (arguments.format == Format::json) {
    say_json({{"format", format}, {"exit", static_cast<int>(Exit::ok)}, {"topology", topology}, {"result", result}});
  } else {
    say(topology + ": " + text);
  }
  return Exit::ok;
}

}  // namespace topo::cli
