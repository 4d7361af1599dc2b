// What the apply room needs of a firewall, one namespace at a time. Two backends stand behind it: iptables/, on the legacy tables, and nftables/.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernel/records.hpp"
#include "resources/firewall/firewall.hpp"
#include "resources/firewall/ways.hpp"
#include "topo/error.hpp"

namespace topo::firewall {

/// A network namespace to work in: `netns_fd` is it, `home_fd` the one the calling thread is in (the same descriptor for the host).
struct Place {
  std::string ns;  ///< its name; empty: the host
  int netns_fd = -1;
  int home_fd = -1;
  std::string state{};  ///< a folder for what is to outlive the tables; empty: none
  /// The links of the namespace, where they were read a moment ago; nullptr: they are read when they are needed.
  const kernel::Snapshot* seen = nullptr;
};

/// How long to wait for programs that hold the xtables lock. `stop`, where there is one, ends that with Exit::interrupted.
struct Waiting {
  std::chrono::milliseconds timeout{60'000};
  std::function<bool()> stop{};
};

class Table;

namespace nftables {
class Live;
}

/// The rules of a namespace as one look finds them: read when they are first asked for, and kept.
class Tables {
 public:
  Tables(Place place);  // NOLINT(google-explicit-constructor)
  Tables(Tables&&) noexcept;
  ~Tables();
  [[nodiscard]] const Place& place() const { return *place_; }
  /// All legacy tables that exist; creates none. They are this object's.
  [[nodiscard]] Result<std::vector<const Table*>> read() const;
  [[nodiscard]] nftables::Live& nft() const { return *live_; }

 private:
  std::unique_ptr<const Place> place_;
  mutable std::unique_ptr<std::vector<Table>> tables_;
  std::unique_ptr<nftables::Live> live_;
};

/// Reads what `topology` has of nftables in several namespaces at once, for observe to find it read.
[[nodiscard]] Result<void> read_together(const std::vector<const Tables*>& looks, const std::string& topology);

/// The backend for a topology that has nothing in the kernel, by `place`, its gateway: iptables where the kernel has the legacy tables and no rule of
/// nftables is anybody else's there, else nftables where there is that. nullopt: the kernel has neither.
[[nodiscard]] Result<std::optional<Backend>> suitable_backend(const Tables& tables, const std::string& topology);

/// What `topology` owns in `tables`, of either backend; nullopt where that is nothing. A table that does not exist is empty.
[[nodiscard]] Result<std::optional<Firewall>> observe(const Tables& tables, const std::string& topology);

/// The topologies that have rules in a namespace, of either backend.
[[nodiscard]] Result<std::set<std::string>> topologies_in(const Tables& tables);

/// Brings what `place` has of the topology to `after` (nullptr: nothing of ours left): at most one commit a table and one transaction, none
/// for what does not change. Where `after` is of the other backend than what is there, it is there before that goes. Keeps the shared chain, its
/// memory of earlier sysctl values and the outside interfaces' forwarding in step with `after`. Does not touch connections. What the kernel
/// lacks is Exit::unsupported, naming it.
[[nodiscard]] Result<void> replace(const Place& place, const std::string& topology, const Firewall* after, const Waiting& waiting = {});

/// A port of the wanted port maps that somebody else holds.
struct PortConflict {
  std::string port;    ///< "80/tcp"
  std::string holder;  ///< "topology lab", or "the host itself listens on it (0.0.0.0:80)"
  bool listener = false;
};
/// Port maps of `wanted` that are not in `live` (nullptr: none live) and meet another topology's map or a listening socket.
[[nodiscard]] Result<std::vector<PortConflict>> port_conflicts(const Tables& tables, const std::string& topology, const Firewall& wanted,
                                                               const Firewall* live);

/// Chains and tables of `tables` that have the names of topo's and are not its own, or not only, where `topology` needs them (`wanted`; nullptr:
/// nothing is wanted) or has its mark there: "chain TOPO of the IPv4 table filter", and why.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> foreign_chains(const Tables& tables, const std::string& topology,
                                                                                      const Firewall* wanted);

/// The families of which packets that a topology's bridges pass from port to port meet what `place` has to say of forwarded ones.
struct Bridged {
  bool v4 = false, v6 = false;
  [[nodiscard]] bool has(Family family) const { return family == Family::v4 ? v4 : v6; }
};

/// Reasons why the host's own rules will drop traffic that `wanted` lets pass, to or from the outside (a FORWARD policy DROP), between members, or to
/// the host itself (an INPUT that drops), each with a remedy that is a command. Where nothing is to filter, `wanted` is empty.
[[nodiscard]] Result<std::vector<Warning>> warnings(const Tables& tables, const std::string& topology, const Firewall& wanted, Bridged bridged = {});

/// The addresses that `wanted` takes for the host's own, and `is_local` does not: of port maps, and of `snat`.
[[nodiscard]] std::vector<Warning> address_warnings(const Firewall& wanted, const std::function<bool(const IpAddress&)>& is_local);

/// Deletes the conntrack entries in `place` that touch the topology, as it was before or as it is after, and that `wanted` no longer lets
/// begin, whichever way their packets come and go; and those whose translation no rule of it would make again. nullptr: all that touch it.
[[nodiscard]] Result<void> forget_connections(const Place& place, const Firewall* wanted, const Ways& before, const Ways& after);

/// Whether the kernel tells of the connections that it tracks in `place`, as forget_connections needs it to.
[[nodiscard]] Result<void> check_connections(const Place& place);

}  // namespace topo::firewall
