// Explanations of reachability, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "reach/explanation.hpp"
#include "topo/diagnostic.hpp"

namespace topo::report {

struct Explained {
  reach::Explanation explanation;
  std::string differs;  ///< of a live one: what the file says otherwise; empty: the same
};

/// A block of lines for each, an empty line between them. Every text in it is printable.
[[nodiscard]] std::string explained_text(const std::vector<Explained>& all, const Sources& sources);

/// A JSON list: from, to (each with how many are equal), source, destination, service, verdict, why, file and line, services where no port was asked
/// for, differs, and hops. ASCII only.
[[nodiscard]] std::string explained_json(const std::vector<Explained>& all, const Sources& sources);

}  // namespace topo::report
