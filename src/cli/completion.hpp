// Completion for shells, made of the commands and options that there are.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace topo::cli {

/// A script for `shell` (bash, zsh or fish) that completes commands, options, their values, files, and the names that are here. `app` has every
/// command; the name of an operand says what it is (FILE, TOPOLOGY, NAME: a topology's, NS: a namespace's).
[[nodiscard]] std::string completion_script(const std::string& shell, const CLI::App& app);

/// What is here, one name a line, as the scripts ask for: `topologies` or `namespaces`. Empty where it cannot be read.
[[nodiscard]] std::string completion_names(const std::string& kind);

}  // namespace topo::cli
