// Changes that are taken back unless they are confirmed, in words; and which one a command means.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "apply/confirm/confirmation.hpp"
#include "cli/arguments.hpp"

namespace topo::cli {

/// One line on a change of `topology` that is not confirmed; empty where there is none, or it was taken back.
[[nodiscard]] std::string status_text(const std::string& topology, const Confirmation& confirmation);
/// null where that is empty.
[[nodiscard]] nlohmann::ordered_json to_json(const Confirmation& confirmation);

struct Demanded {
  std::string topology;
  Confirmation known;  ///< what came of it
};
/// Demands it of the topology that the command line names; without a name of the one whose last change is not confirmed yet. A first interrupt says on
/// standard error that it goes on, a second ends the waiting. Errors: unsupported without privilege; invalid where it is not clear which topology is
/// meant; those of `demand`.
[[nodiscard]] Result<Demanded> demand_of(const Arguments& arguments, Result<Confirmation> (*demand)(const std::string&, const DemandOptions&));

/// What cannot be done about a change, by State: nothing is known of it, it is still being made, its process does not answer, or there was
/// no more patience.
[[nodiscard]] Error undecided(const std::string& topology, const Confirmation& confirmation);

/// Says what came of it, as text or as a document of `format`; returns the exit code.
Exit conclude(const std::string& topology, const char* result, const std::string& text, const Arguments& arguments, const char* format);

}  // namespace topo::cli
