// What a file expects of itself.
#pragma once

#include <vector>

#include "desire/desire.hpp"

namespace topo::reach {

/// What the file's `expect` says and its own policy, routes and port maps do not keep: a mistake each. Both must be without mistakes. Nothing is
/// modelled where the file expects nothing.
[[nodiscard]] std::vector<Diagnostic> unmet_expectations(const Topology& topology, const Desired& desired);

}  // namespace topo::reach
