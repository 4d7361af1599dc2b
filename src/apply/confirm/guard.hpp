// A process that takes a change back unless it is confirmed in time.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "apply/transaction.hpp"
#include "kernel/file_descriptor.hpp"

namespace topo {

/// Sees to it that a change is taken back, whatever becomes of the process that makes it: from before the first step a process in a session of
/// its own holds the earlier state, in memory, and goes back to it by apply_graph
///  - at once where the one that makes the change dies before it has succeeded,
///  - when the time is over, counted from when it has succeeded, suspended machines included (CLOCK_BOOTTIME, clock_gettime(2)),
///  - at once where it is asked to (take_change_back), or sent SIGTERM, which comes before SIGKILL where sessions are ended;
/// and it ends without that when it hears keep_change. Where going back fails it tries again, every 30 seconds in the end, until either happens. It
/// holds no lock but while it goes back, tells syslog(3) what it does, and is known by confirmation_of.
class Guard : public Witness {
 public:
  struct Options {
    std::string folder = state_folder;
    std::chrono::milliseconds time{60'000};          ///< to confirm it
    std::chrono::milliseconds lock_timeout{30'000};  ///< of the way back
    std::vector<int> kept{};                         ///< descriptors that the Kernels need
  };
  /// Makes Kernels that wait so long for the lock of iptables.
  using KernelsThatWait = std::function<Kernels(std::chrono::milliseconds)>;
  Guard(KernelsThatWait kernels, Options options) : kernels_(std::move(kernels)), options_(std::move(options)) {}

  Result<void> begins(const Graph& earlier) override;
  Result<void> succeeded() override;
  void failed() override;

  /// Whether there is a change that it takes back.
  [[nodiscard]] bool is_armed() const { return armed_; }

 private:
  KernelsThatWait kernels_;
  Options options_;
  std::string topology_;
  kernel::FileDescriptor line_;  ///< to the process; that it closes unsaid means that this one was killed
  bool armed_ = false;
};

}  // namespace topo
