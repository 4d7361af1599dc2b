// Plans as JSON text, for programs. The document around them ("format": "topo.diff/1") is the command's.
#pragma once

#include <string>

#include "diff/plan.hpp"
#include "report/reachability.hpp"

namespace topo::report {

/// One object: topology, differs, summary (the rows of the text), also_hit, namespaces_recreated and changes (every one of the plan, in its
/// order: action, repair, implied, kind, id, title, before, after, differences, file and line), and reachability (report/reachability.hpp) where it
/// is given. ASCII only, without a last line end.
[[nodiscard]] std::string plan_json(const Plan& plan, const Sources& sources, const Reachability* reachability = nullptr);

}  // namespace topo::report
