// Who comes to reach whom, and who no longer does: the section of a plan's report.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reach/changes.hpp"
#include "topo/diagnostic.hpp"

namespace topo::report {

/// What a plan changes of who can reach whom; or why that cannot be told.
struct Reachability {
  reach::Changes changes;
  std::string unknown;  ///< not empty: `changes` are nothing, for this reason
};

/// A line of the section, in columns. Every text in it is printable.
struct ReachRow {
  reach::Change::Kind kind = reach::Change::Kind::allowed;
  std::string from, arrow, to, what;
};
[[nodiscard]] const char* to_text(reach::Change::Kind kind);  ///< "+", "~", "-", "="
[[nodiscard]] std::vector<ReachRow> rows_of(const reach::Changes& changes);

/// One JSON object: known, why where it is not, and changes: change, sign, from and to (name, members), both_ways, services, family, by, why, file
/// and line. ASCII only.
[[nodiscard]] std::string reachability_json(const Reachability& reachability, const Sources& sources);

}  // namespace topo::report
