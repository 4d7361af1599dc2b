// From a topology to the kernel, for programs that embed topo: what `topo diff`, `apply` and `destroy` do, without a word printed.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "topo/error.hpp"
#include "topo/firewall.hpp"
#include "topo/topology.hpp"

namespace topo {

/// One line of a plan, in the words of `topo diff`.
struct Step {
  std::string sign;    ///< "+" added, "-" removed, "~" changed in place, "-/+" recreated, "!" repaired
  std::string kind;    ///< "bridge"
  std::string object;  ///< "frontend"
  std::string what;    ///< its value, or how it changes
  std::string why;     ///< where the file says so, or who else did
};

struct Reconciled {
  std::vector<Step> steps;            ///< empty: everything is as it shall be
  std::vector<std::string> warnings;  ///< what will not work although all is applied
};

struct ReconcileOptions {
  std::chrono::milliseconds lock_timeout{30'000};  ///< how long to wait for another topo, and for the lock of iptables
  bool take_port = false;                          ///< map ports although a program of this host listens on them
  FirewallChoice firewall = FirewallChoice::automatic;
  /// How often it shall stop: once is finish the step and roll back, twice is leave at once. Asked between steps; may be empty.
  std::function<int()> interrupts;
};

// All three need the capabilities NET_ADMIN, SYS_ADMIN and NET_RAW. They change the network namespace of the calling thread now and then and always
// back: no other thread may be made or enter one meanwhile. Errors have the exit code of `topo` in the same case, with everything that it would say;
// Exit::invalid, with the mistakes as details, where a topology contradicts itself.

/// What `apply_topology` would do. Changes nothing.
[[nodiscard]] Result<Reconciled> plan_topology(const Topology& topology, const ReconcileOptions& options = {});

/// Makes it so, all or nothing, and verifies it: what was done. On an error the kernel is as it was before, unless that is Exit::left_over.
[[nodiscard]] Result<Reconciled> apply_topology(const Topology& topology, const ReconcileOptions& options = {});

/// Removes all that bears the mark of the topology called `name`; where nothing does, nothing is done.
[[nodiscard]] Result<Reconciled> destroy_topology(const std::string& name, const ReconcileOptions& options = {});

}  // namespace topo
