// From a desired graph to the kernel: all or nothing.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apply/kernel.hpp"
#include "apply/locks.hpp"

namespace topo {

/// What is there of a topology, and what stands in its way.
struct Observed : Hindrances {
  Graph live;
};

/// What a look at the kernel showed, and what has to change to have what is wanted.
struct Planned {
  std::unique_ptr<Kernel> kernel;  ///< the one it was seen through, which can perform the plan
  Observed observed;
  Plan plan;
  std::optional<Graph> settled;  ///< what was wanted, where the kernel had a say in it
};

/// What to do about something of somebody else's that no option goes over. Whether it may go is for people to say.
inline constexpr const char* make_way = "remove it, or give the file another name, address or port";

/// Observes, looks for hindrances, and plans from there to `desired`. Changes nothing.
[[nodiscard]] Result<Planned> plan_graph(const Kernels& kernels, const Graph& desired, const Graph* applied = nullptr);

/// Told of a change as it is made, under the locks.
class Witness {
 public:
  virtual ~Witness() = default;
  /// `earlier` is what is there, and now the change begins. An error stops it: nothing is touched.
  [[nodiscard]] virtual Result<void> begins(const Graph& earlier) = 0;
  /// The kernel is in the desired state. An error has it taken back.
  [[nodiscard]] virtual Result<void> succeeded() = 0;
  /// It failed after it had begun, and was taken back as far as it could be.
  virtual void failed() = 0;
};

struct ApplyOptions {
  std::string folder = state_folder;
  std::chrono::milliseconds lock_timeout{30'000};
  /// Where the locks are free, look only once, under them: for when something is likely to change and nobody is asked.
  bool lock_first = false;
  bool take_port = false;          ///< a program that listens on a mapped port is no obstacle
  const Graph* applied = nullptr;  ///< of the file that was last applied, where known: tells drift from change
  /// Shown the plan before it is performed; false: leave everything as it is. Called again where the plan is another one under the locks.
  std::function<bool(const Plan&, const Observed&)> agree;
  /// How often the user has asked to stop: once is finish the step and roll back, twice is leave at once.
  std::function<int()> interrupts;
  Witness* witness = nullptr;
  bool takes_back = false;  ///< a change that is not confirmed; otherwise such a one is a conflict
  /// Called under the locks once the kernel is in the desired state.
  std::function<void()> done;
};

struct Outcome {
  Plan plan;  ///< what was performed; empty: everything was so already
  std::vector<Warning> warnings;
  bool refused = false;  ///< `agree` said no
};

/// What stands in the way of `desired`, as one Exit::conflict; nullopt where nothing does.
[[nodiscard]] std::optional<Error> conflict_of(const Observed& observed, const std::string& topology, bool take_port);

/// Brings the kernel from what is there to `desired` (an empty graph with a topology's name destroys that). Plans, and is done without a
/// change where the plan is empty, nor does that wait for a lock; else takes the locks, plans again, performs, reads everything again on fresh
/// sockets, and where the result is not `desired` goes back to what was there before.
/// Errors: conflict, locked, unsupported (nothing was touched, or all was rolled back), rolled_back, interrupted, and left_over, which
/// names every object that differs from before.
[[nodiscard]] Result<Outcome> apply_graph(const Kernels& kernels, const Graph& desired, const ApplyOptions& options = {});

}  // namespace topo
