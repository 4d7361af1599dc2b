// The Kernel interface over a machine in memory, with faults where a test wants them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "apply/kernel.hpp"
#include "simulation/machine.hpp"

namespace topo::test {

/// An operation that fails: a look, a look for hindrances, one change, the naming of one namespace.
struct Fault {
  std::size_t at = 0;    ///< of all the simulation's operations, from 0
  int error = 5;         ///< errno, EIO
  bool halfway = false;  ///< a change is begun before it fails
  bool lasting = false;  ///< all later operations fail as well
};

/// What the kernels of one test share.
struct Simulation {
  Simulation() = default;
  explicit Simulation(Machine start) : machine(std::move(start)) {}

  Machine machine;
  std::optional<Fault> fault;
  std::function<void(Machine&)> intruder;  ///< somebody else, who does something right before operation `intrudes_at`
  std::size_t intrudes_at = 0;
  std::size_t operations = 0;
  std::size_t changes = 0;  ///< those that were to change the machine

  /// For apply_graph; this must outlive what it makes.
  [[nodiscard]] Kernels kernels();
  /// Counts an operation; the fault's Error where it is this one's turn.
  [[nodiscard]] Result<void> begin_operation(const std::string& what, const std::function<void()>& halfway = {});
};

/// Performs as LinuxKernel does: new namespaces get their names at the end and end with a failure, links go after what stands on them, and what
/// `stop` says is heard between two changes.
class SimulatedKernel : public Kernel {
 public:
  explicit SimulatedKernel(Simulation& simulation) : simulation_(simulation) {}
  [[nodiscard]] Result<Graph> observe(const Graph& desired) override;
  [[nodiscard]] Result<Hindrances> find_hindrances(const Graph& desired) override;
  [[nodiscard]] Result<void> perform(const Plan& plan, const std::function<bool()>& stop) override;

 private:
  [[nodiscard]] Result<void> perform_changes(const Plan& plan, const std::function<bool()>& stop);
  [[nodiscard]] Result<void> perform_one(const Change& change, const std::string& topology);

  Simulation& simulation_;
  std::set<std::string> unnamed_;  ///< namespaces that were made and have no name yet
};

}  // namespace topo::test
