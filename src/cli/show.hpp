// Plans and live states as they are printed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "diff/plan.hpp"
#include "topo/diagnostic.hpp"

namespace topo::cli {

/// Prints the plan to standard output.
void show_plan(const Plan& plan, const Sources& sources, const Arguments& arguments);
[[nodiscard]] nlohmann::ordered_json to_json(const Plan& plan, const Sources& sources);

/// The port maps of a live state, in the file's words: "80/tcp -> web:80".
[[nodiscard]] std::vector<std::string> ports_of(const Graph& live);

}  // namespace topo::cli
