// Changes that are taken back unless they are confirmed, in words; and which one a command means.
#pragma once

#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

#include "apply/confirm/confirmation.hpp"
#include "cli/arguments.hpp"

namespace topo::cli {

/// "14:03:20" of this machine's clock, with the date where that is not today's.
[[nodiscard]] std::string clock_text(std::time_t time);
/// The same with date and zone, as RFC 3339 has it: for programs.
[[nodiscard]] std::string date_text(std::time_t time);
/// `left` from now.
[[nodiscard]] std::time_t time_after(std::chrono::milliseconds left);

/// One line on a change of `topology` that is not confirmed; empty where there is none, or it was taken back.
[[nodiscard]] std::string status_text(const std::string& topology, const Confirmation& confirmation);
/// null where that is empty.
[[nodiscard]] nlohmann::ordered_json to_json(const Confirmation& confirmation);

/// The topology that the command line names; without a name the one whose last change is not confirmed yet. Errors: invalid, with what is in its way.
[[nodiscard]] Result<std::string> unconfirmed_topology(const Arguments& arguments);

/// How long to wait for locks, and for what is asked for: a first interrupt says on standard error that it goes on, a second ends the waiting.
[[nodiscard]] DemandOptions demand_options(const Arguments& arguments);

/// What cannot be done about a change, by State: nothing is known of it, it is still being made, its process does not answer, or there was
/// no more patience.
[[nodiscard]] Error undecided(const std::string& topology, const Confirmation& confirmation);

/// Says what came of it, as text or as a document of `format`; returns the exit code.
Exit conclude(const std::string& topology, const char* result, const std::string& text, const Arguments& arguments, const char* format);

}  // namespace topo::cli
