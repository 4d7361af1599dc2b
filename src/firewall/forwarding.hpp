// The forwarding of the interfaces that are no topology's, and the shared chain that remembers what it was.
//
// An interface whose forwarding topo turns on has one rule in the chain: it drops what comes in there and goes out by no topology's link
// (as the host did before), unless it answers something or somebody's rules translated it; its comment is the memory of the earlier value. A topology that needs the forwarding has a rule of
// its own there that does nothing. Both are written in one commit, before the setting is.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "firewall/ownership.hpp"

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
  [[nodiscard]] static SharedChain read(const Owned& shared, Family family);
  [[nodiscard]] Result<std::vector<Entry>> entries(Family family) const;
  [[nodiscard]] static Result<Entry> jump(Family family);
};

/// True where every interface of `place` that is no topology's, no loopback and no port of another forwards `family`.
[[nodiscard]] Result<bool> outside_forwards(const Place& place, Family family);

/// Of an interface where the calling thread is: whether its setting is as topo left it, in a host whose owner has not turned forwarding on or off
/// as a whole since.
[[nodiscard]] Result<bool> is_turned_on(Family family, const SharedChain::Guard& guard);

/// What has to be done about forwarding, given what the shared chain says now.
struct ForwardingPlan {
  SharedChain wanted;                ///< to be committed
  std::vector<std::string> restore;  ///< settings to turn off before the commit
  std::vector<std::string> turn_on;  ///< settings to turn on after it
};
/// `needed`: whether `topology` needs the forwarding from now on. Exit::unsupported where the kernel cannot forward by interface.
[[nodiscard]] Result<ForwardingPlan> plan_forwarding(const Place& place, Family family, const std::string& topology, const SharedChain& live,
                                                     bool needed);

/// Writes `value` to each of the settings; one that is gone with its interface is passed over.
[[nodiscard]] Result<void> write_settings(const Place& place, const std::vector<std::string>& settings, const std::string& value);

}  // namespace topo::firewall
