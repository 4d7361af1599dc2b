// A machine of its own for a process and its children: namespaces(7) that end with the process that made them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "topo/error.hpp"

namespace topo::kernel {

/// A setting of the machine that keeps user namespaces from users without privilege, and the command that lets them have some.
struct Ban {
  std::string setting;  ///< "user.max_user_namespaces is 0"
  std::string remedy;
};
/// The first of those that are known; nullopt where none is in force.
[[nodiscard]] std::optional<Ban> user_namespace_ban();

/// Makes the calling process, which must have no other thread, root of a new user namespace in which its user and its group are the only ones
/// (user_namespaces(7)). Exit::unsupported where the machine forbids that; the remedy is a command.
[[nodiscard]] Result<void> become_root();

/// New network, mount and process namespaces: the calling process is in the first two of them from `make` on, its children in all three.
/// Their first process, which adopts orphans, is made here. They end when this object does or when the calling process dies in whatever way.
class PrivateHost {
 public:
  /// Needs CAP_SYS_ADMIN.
  [[nodiscard]] static Result<PrivateHost> make();
  PrivateHost(PrivateHost&& other) noexcept : first_(std::exchange(other.first_, -1)) {}
  PrivateHost& operator=(PrivateHost&&) = delete;
  /// Ends every process in there and returns when they are gone.
  ~PrivateHost();

 private:
  explicit PrivateHost(pid_t first) : first_(first) {}
  pid_t first_;
};

/// Whether the kernel would let `make` have a process namespace; makes none that stays. Needs CAP_SYS_ADMIN.
[[nodiscard]] Result<void> try_processes();

/// To be called by a child, once: gives the private host a /proc, a /sys and an empty /run of its own, and a loopback that is up, and has its network
/// as a fresh Linux has it where a new namespace inherits settings of the machine; and an /etc/netns, where the machine has one or `lays_over_etc` says that
/// it is needed (provide_etc). The process that made the private host is in that /proc no more.
[[nodiscard]] Result<void> furnish(bool lays_over_etc);

/// Leaves the machine's network for good: the calling process is in a new one from here on, with mounts of its own, an empty /run and an empty /etc/netns,
/// so that nothing it does to networks is seen by anybody else or outlives it. Needs CAP_SYS_ADMIN.
[[nodiscard]] Result<void> retire();

/// Where the calling thread is: a loopback that is up, and a fresh Linux's settings.
[[nodiscard]] Result<void> settle_network();

}  // namespace topo::kernel
