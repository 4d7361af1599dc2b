// What one types: the end of each command's help.
#pragma once

#include <string>

namespace topo::cli {

/// A line each, a command and where it needs one a comment. tests/cli/help runs them all.
[[nodiscard]] std::string examples_of(const std::string& command);

}  // namespace topo::cli
