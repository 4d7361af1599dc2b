// Who can reach whom before and after a plan.
#pragma once

#include "cli/live.hpp"
#include "report/reachability.hpp"

namespace topo::cli {

/// What there shall be of one topology; what its plan makes of reachability is told once it is known from where the plan starts.
class Reaching {
 public:
  /// `topology` and `desired` (nullptr: nothing shall be) must outlive it, and so must `last`, what was last applied under that name, where known.
  Reaching(const Topology* topology, const Desired* desired, const Recorded* last) : topology_(topology), desired_(desired), last_(last) {}

  /// From `live`, which is read back into a file to know what it means, unless it is just as last applied. Nothing is modelled for an empty plan.
  [[nodiscard]] report::Reachability of(const Plan& plan, const Graph& live) const;

 private:
  const Topology* topology_;
  const Desired* desired_;
  const Recorded* last_;
};

}  // namespace topo::cli
