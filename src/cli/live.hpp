// What commands need of the machine they run on.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "apply/state.hpp"
#include "apply/transaction.hpp"
#include "cli/arguments.hpp"
#include "cli/inputs.hpp"
#include "desire/desire.hpp"
#include "report/reachability.hpp"

namespace topo::cli {

[[nodiscard]] std::chrono::milliseconds lock_timeout(const Arguments& arguments);

/// Kernels of this machine, each with sockets of its own, that wait so long for the lock of iptables. `firewall` says by what to filter; a topology
/// that is here has it in itself, unless it was applied with another choice than FirewallChoice::automatic (Applied::firewall).
[[nodiscard]] Kernels live_kernels(std::chrono::milliseconds lock_timeout, FirewallChoice firewall = FirewallChoice::automatic);

/// What was asked for when the topology was last applied here; automatic where nothing is recorded.
[[nodiscard]] FirewallChoice recorded_choice(const std::string& topology);

/// The topology that was last applied here under a name, from the files as they were then.
struct Recorded {
  Applied applied;
  Topology topology;
  Desired desired;
};
/// nullopt: nothing is recorded, or nothing that this version can read (then it is said on standard error).
[[nodiscard]] std::optional<Recorded> recall_topology(const std::string& name);

/// What was last applied under an input's name: the input itself, other files, or nothing that is known.
class LastApplied {
 public:
  explicit LastApplied(const Input& input, const Arguments& arguments);
  [[nodiscard]] const Applied& now() const { return now_; }  ///< the input as it would be recorded
  [[nodiscard]] bool is_input() const { return is_input_; }
  [[nodiscard]] const Graph* graph() const;  ///< nullptr: not known
  /// What other files said; nullptr: it is the input, or not known.
  [[nodiscard]] const Recorded* other() const { return other_ ? &*other_ : nullptr; }

 private:
  const Input& input_;
  Applied now_;
  bool is_input_ = false;
  std::optional<Recorded> other_;
};

/// Keeps the files for `diff` and `destroy` without one. That they cannot be kept does not make what was applied less so: a warning.
void keep(const std::string& topology, const Applied& applied);

/// What a plan from a live graph makes of who can reach whom.
using Reachable = std::function<report::Reachability(const Plan&, const Graph&)>;

/// Options of a change: lock timeout, interrupts, and `agree`, which shows the plan and on a terminal asks before something is deleted
/// or recreated. `expects_change`: that there is nothing to do would be a surprise. `reachable` is asked when a plan is shown, or has to be told.
[[nodiscard]] ApplyOptions apply_options(const Arguments& arguments, const Sources& sources, bool expects_change, Reachable reachable);

/// The topologies in this kernel, by its marks. With `wanted` not empty: these, and Exit::invalid where one of them is not here.
[[nodiscard]] Result<std::vector<std::string>> topologies_here(const std::vector<std::string>& wanted);

/// That one topology was meant and there are several; `remedy` says how to choose.
[[nodiscard]] Error several_here(const std::vector<std::string>& names, const std::string& remedy);

}  // namespace topo::cli
