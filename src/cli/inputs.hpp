// The topology files of a command line, loaded and checked as a whole.
#pragma once

#include <nlohmann/json.hpp>
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
  std::vector<Diagnostic> diagnostics;  ///< of load and desire together, else of what it expects; empty: the topology may be used
};

enum class Purpose {
  check,  ///< only whether it is good: `desired` may be empty
  use
};

[[nodiscard]] Input load_input(const std::string& path, const LoadOptions& options, Purpose purpose);
[[nodiscard]] LoadOptions load_options(const Arguments& arguments);

/// Whether an operand that may be a topology's name is a file or folder instead: "-", with a slash, or ending in ".yaml".
[[nodiscard]] bool is_file(const std::string& operand);

/// `operands` with each folder among them replaced by the files called *.yaml in it, by name; one without any is kept as it is, to be complained of.
[[nodiscard]] std::vector<std::string> files_of(const std::vector<std::string>& operands);

/// All files, in their order; a topology's name that an earlier one has is a mistake of the later.
[[nodiscard]] std::vector<Input> load_all(const Arguments& arguments, Purpose purpose);
/// The same; nullopt and every mistake printed (with -o json in a document of `format`, too) where there is one in any of them, so that exit 2
/// means "nothing was touched".
[[nodiscard]] std::optional<std::vector<Input>> load_inputs(const Arguments& arguments, const char* format);

/// Prints every mistake of `input` to standard error, with its line and a caret.
void show_mistakes(const Input& input);

/// Whether it is valid, and every mistake.
[[nodiscard]] nlohmann::ordered_json to_json(const Input& input);

/// "three-tier.yaml", or what to call standard input.
[[nodiscard]] std::string name_of(const Input& input);

}  // namespace topo::cli
