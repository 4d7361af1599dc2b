// The Linux kernel this program runs on.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apply/kernel.hpp"
#include "kernel/work.hpp"
#include "resources/kernel.hpp"
#include "topo/firewall.hpp"

namespace topo {

/// Reads and changes the network of the machine (or private host) that this program runs on. `observe` looks anew each time, on
/// sockets of its own; `perform` works on what was last observed, and observes by itself where nothing was.
class LinuxKernel : public Kernel {
 public:
  /// `lock_timeout`: how long `perform` waits for other programs that hold the lock of the iptables tables. `firewall`: by what to filter.
  /// `launcher`: of the commands in namespaces; null: one is made when it is needed, with the capabilities that the process has then.
  explicit LinuxKernel(std::chrono::milliseconds lock_timeout = std::chrono::milliseconds(30'000), kernel::Progress progress = {},
                       FirewallChoice firewall = FirewallChoice::automatic, std::shared_ptr<kernel::Launcher> launcher = nullptr);
  [[nodiscard]] Result<Graph> observe(const Graph& desired) override;
  [[nodiscard]] Result<std::optional<Graph>> settle(const Graph& desired, bool applied = false) override;
  [[nodiscard]] Result<Hindrances> find_hindrances(const Graph& desired) override;
  [[nodiscard]] Result<void> perform(const Plan& plan, const std::function<bool()>& stop) override;

 private:
  [[nodiscard]] Reading reading(const Graph& desired);
  [[nodiscard]] Result<void> read_all(const std::string& topology);
  [[nodiscard]] Result<void> read_host();
  [[nodiscard]] Result<void> read_named(const std::string& name, const std::string& topology);
  [[nodiscard]] Result<void> perform_changes(const Plan& plan, kernel::Work& work);

  std::chrono::milliseconds lock_timeout_;
  kernel::Progress progress_;
  FirewallChoice firewall_;
  std::shared_ptr<kernel::Launcher> launcher_;
  kernel::Places places_;                                ///< the host, and the topology's own namespaces
  std::vector<std::string> leftovers_;                   ///< own names without a namespace
  std::map<std::string, std::string> strangers_;         ///< other names in the folder of namespaces -> whose they are
  std::map<std::uint64_t, std::string> names_by_inode_;  ///< of the topology's own namespaces
  std::map<std::string, std::string> second_names_;      ///< that somebody else gave to these: their own
  std::map<std::string, firewall::Tables> tables_;       ///< of these, as far as somebody asked for them
  Graph live_;
};

/// Makes LinuxKernels.
[[nodiscard]] Kernels linux_kernels(std::chrono::milliseconds lock_timeout = std::chrono::milliseconds(30'000), kernel::Progress progress = {},
                                    FirewallChoice firewall = FirewallChoice::automatic,
                                    std::shared_ptr<kernel::Launcher> launcher = nullptr);

}  // namespace topo
