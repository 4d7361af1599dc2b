// Plans and live states as they are printed.
#pragma once

#include <cstddef>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/arguments.hpp"
#include "diff/plan.hpp"
#include "report/reachability.hpp"
#include "topo/diagnostic.hpp"

namespace topo::cli {

/// Prints the plan to `stream`, standard output or standard error.
void show_plan(const Plan& plan, const Sources& sources, const report::Reachability& reachability, const Arguments& arguments, FILE* stream = stdout);
/// `reachability`, where it is given, is told with it.
[[nodiscard]] nlohmann::ordered_json to_json(const Plan& plan, const Sources& sources, const report::Reachability* reachability = nullptr);

/// How many changes a person sees in it: what comes and goes with something is told with it.
[[nodiscard]] std::size_t count_of(const Plan& plan);

}  // namespace topo::cli
