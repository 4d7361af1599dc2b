// What packets have shown of reachability, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "reach/trials.hpp"
#include "topo/diagnostic.hpp"

namespace topo::report {

/// A trial and what it came to.
struct Proven {
  reach::Trial trial;
  bool passed = false;
  std::string what;
};

/// A table of who reaches whom, by bridges and zones, and every trial that did not come to what is declared. Every text in it is printable.
[[nodiscard]] std::string proof_text(const reach::Names& names, const std::vector<Proven>& all, const Sources& sources);
/// A JSON list: from, to, destination, service, by, declared, why, file and line, passed, what. ASCII only.
[[nodiscard]] std::string proof_json(const std::vector<Proven>& all, const Sources& sources);
/// A `testsuite` as JUnit's XML has it.
[[nodiscard]] std::string proof_junit(const std::string& topology, const std::vector<Proven>& all, double seconds);

}  // namespace topo::report
