// The options of commands, as the parser knows them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace topo::cli {

/// Which of the options that several commands share a command takes.
struct Options {
  bool format = false, set = false, lock = false, yes = false, firewall = false;
};

/// Adds those. What they say comes into `arguments`, and each --set into `set`; both must outlive the parsing.
void add_options(CLI::App& app, const Options& options, Arguments& arguments, std::vector<std::string>& set);

/// What the environment says: TOPO_FIREWALL. False where that is none of its words.
[[nodiscard]] bool read_environment(Arguments& arguments);

/// Adds those that `command` alone has.
void add_own_options(CLI::App& sub, const std::string& command, Arguments& arguments);

}  // namespace topo::cli
