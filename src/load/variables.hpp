// `vars`, `--set` and ${name}.
#pragma once

#include <map>
#include <string>

#include "load/mistakes.hpp"
#include "load/yaml.hpp"

namespace topo::reading {

/// Puts the variables' values in place of every scalar that is "${NAME}" as a whole; `set` goes above `vars`.
void substitute(Node& root, const std::map<std::string, std::string>& set, Mistakes& mistakes);

}  // namespace topo::reading
