// The forwarding of the interfaces that are no topology's, and the shared chain that remembers what it was.
//
// An interface whose forwarding topo turns on has one rule in the chain: it drops what comes in there and goes out by no topology's link
// (as the host did before), unless it answers something or somebody's rules translated it; its comment is the memory of the earlier value. A topology that needs the forwarding has a rule of
// its own there that does nothing. Both are written in one commit, before the setting is.
//
// Each backend has such a chain, and topologies of both may be in one namespace. Each is then whole: it has all guards, and the topologies of its
// own backend; one without a topology is not there.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "firewall/backend.hpp"

namespace topo::firewall {

/// The meaning of the shared chain in one family's table filter.
struct SharedChain {
  struct Guard {
    std::string interface;
    /// The whole host forwarded and this interface alone did not, when topo turned it on.
    bool host_forwarded = false;
    auto operator<=>(const Guard&) const = default;
  };
  std::vector<Guard> guards;
  std::set<std::string> topologies;  ///< that need forwarding
  /// The chain is not topo's, or not only: it has rules without a mark, or it is empty and nothing says who made it.
  bool foreign = false;
  [[nodiscard]] bool empty() const { return guards.empty() && topologies.empty(); }
  /// What is to be said of a foreign one.
  [[nodiscard]] std::string whose() const { return empty() ? "is not made by topo" : "holds rules that are not topo's"; }

  bool operator==(const SharedChain&) const = default;
};

/// The shared chain's name in a table of iptables.
inline constexpr const char* shared_chain = "TOPO";

/// A guard's memory, "topo:v1:sysctl:net.ipv4.conf.eth0.forwarding=0", and what one says; nullopt where it is none.
[[nodiscard]] std::string memo_of(const SharedChain::Guard& guard, Family family);
[[nodiscard]] std::optional<SharedChain::Guard> guard_of(std::string memo, Family family);
/// The mark of a topology that needs the forwarding, and whose such a mark is.
[[nodiscard]] std::string need_mark(const std::string& topology);
[[nodiscard]] std::optional<std::string> who_needs(const std::string& mark);

/// What both chains say together.
[[nodiscard]] SharedChain together(const SharedChain& one, const SharedChain& other);

/// True where every interface of `place` that is no topology's, no loopback and no port of another forwards `family`.
[[nodiscard]] Result<bool> outside_forwards(const Place& place, Family family);

/// Of an interface where the calling thread is: whether its setting is as topo left it, in a host whose owner has not turned forwarding on or off
/// as a whole since.
[[nodiscard]] Result<bool> is_turned_on(Family family, const SharedChain::Guard& guard);

/// The shared chains of both backends, from the view of the one that is about to change.
struct SharedChains {
  SharedChain own, other;
};

/// What has to be done about forwarding, given what the shared chains say now.
struct ForwardingPlan {
  SharedChain wanted;                ///< to be committed
  std::optional<SharedChain> other;  ///< what the other backend's must be before that, where it is something else
  SharedChain meant;                 ///< both together, as they shall be
  std::vector<std::string> restore;  ///< settings to turn off before the commit
  std::vector<std::string> turn_on;  ///< settings to turn on after it
};
/// `needed`: whether `topology` needs the forwarding from now on by this backend. Exit::unsupported where the kernel cannot forward by interface.
[[nodiscard]] Result<ForwardingPlan> plan_forwarding(const Place& place, Family family, const std::string& topology, const SharedChains& live,
                                                     bool needed);

/// Whether what is meant of a topology's need is so in full: its backend's chain has all guards, and all interfaces forward.
[[nodiscard]] Result<bool> is_forwarding(const Place& place, Family family, const SharedChains& live, const SharedChain& meant);

/// Writes `value` to each of the settings; one that is gone with its interface is passed over.
[[nodiscard]] Result<void> write_settings(const Place& place, const std::vector<std::string>& settings, const std::string& value);

}  // namespace topo::firewall
