// The topology files of a command line, loaded and checked as a whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "desire/desire.hpp"
#include "topo/load.hpp"

namespace topo::cli {

/// A file and what it means.
struct Input {
  std::string path;
  Topology topology;
  Desired desired;
  std::vector<Diagnostic> diagnostics;  ///< of load and desire together; empty: the topology may be used
};

enum class Purpose {
  check,  ///< only whether it is good: nothing is desired
  use
};

[[nodiscard]] Input load_input(const std::string& path, const LoadOptions& options, Purpose purpose);
[[nodiscard]] LoadOptions load_options(const Arguments& arguments);

/// All files, in their order; nullopt and every mistake printed where there is one in any of them, so that exit 2 means "nothing was touched".
[[nodiscard]] std::optional<std::vector<Input>> load_inputs(const Arguments& arguments);

/// Prints every mistake of `input` to standard error, with its line and a caret.
void show_mistakes(const Input& input);

/// "three-tier.yaml", or what to call standard input.
[[nodiscard]] std::string name_of(const Input& input);

}  // namespace topo::cli
