// The commands: one function, in one file of its name, each. They print and give the exit code.
#pragma once

#include "cli/arguments.hpp"
#include "topo/error.hpp"

namespace topo::cli {

[[nodiscard]] Exit validate(const Arguments& arguments);
[[nodiscard]] Exit diff(const Arguments& arguments);
[[nodiscard]] Exit apply(const Arguments& arguments);
[[nodiscard]] Exit destroy(const Arguments& arguments);
[[nodiscard]] Exit confirm(const Arguments& arguments);
[[nodiscard]] Exit rollback(const Arguments& arguments);
[[nodiscard]] Exit status(const Arguments& arguments);
[[nodiscard]] Exit logs(const Arguments& arguments);
[[nodiscard]] Exit test(const Arguments& arguments);
[[nodiscard]] Exit explain(const Arguments& arguments);
[[nodiscard]] Exit export_topology(const Arguments& arguments);
[[nodiscard]] Exit doctor(const Arguments& arguments);
[[nodiscard]] Exit graph(const Arguments& arguments);
[[nodiscard]] Exit schema(const Arguments& arguments);
[[nodiscard]] Exit version(const Arguments& arguments);

/// The command's own exit code, or 126, 127 as env(1), or an Exit where it did not get as far.
[[nodiscard]] int exec(const Arguments& arguments);
[[nodiscard]] int shell(const Arguments& arguments);
[[nodiscard]] int run(const Arguments& arguments);

}  // namespace topo::cli
