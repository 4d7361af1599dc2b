// A plan as text, as `topo diff` prints it.
#pragma once

#include <string>

#include "diff/plan.hpp"
#include "report/paint.hpp"
#include "report/reachability.hpp"

namespace topo::report {

struct PlanTextOptions {
  Paint paint = Paint::plain;
  /// Of more rows than this, only the first few of each sign and kind are shown, and how many there are besides.
  std::size_t most_rows = 200;
  const Reachability* reachability = nullptr;  ///< nullptr: nothing is said of it
};

/// Several lines without a last line end; "NAME: no changes" where the plan is empty. `sources`: the files that origins in the plan are
/// about; none: there is no file (destroy).
[[nodiscard]] std::string plan_text(const Plan& plan, const Sources& sources, const PlanTextOptions& options = {});

}  // namespace topo::report
