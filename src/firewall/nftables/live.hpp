// What one look finds of nf_tables in a namespace.
#pragma once

#include <linux/netlink.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "firewall/counters.hpp"
#include "firewall/nftables/elements.hpp"
#include "firewall/nftables/library.hpp"

namespace topo::firewall::nftables {

/// Adds what the rules of the topology's tables have counted.
[[nodiscard]] Result<void> count_packets(const Place& place, const std::string& topology, Counters& into);

/// A table by its name, and the mark that makes it topo's.
struct Named {
  std::string table, mark;
};

/// What a look at one namespace finds, read when it is asked for and kept.
class Live {
 public:
  explicit Live(const Place& place) : place_(place), channel_(place.netns_fd, place.home_fd, NETLINK_NETFILTER) {}

  /// All tables, whoever made them; none where the kernel has no nf_tables, or has not loaded it.
  [[nodiscard]] Result<const std::vector<TableName>*> names();
  /// The topologies whose tables are there, by name and mark together.
  [[nodiscard]] Result<std::vector<std::string>> topologies();
  /// Whether a table is there that bears the mark.
  [[nodiscard]] Result<bool> has(const std::string& table, const std::string& mark);
  /// The tables of a name that bear the mark, with all that they hold.
  [[nodiscard]] Result<topo::nftables::Ruleset> read(const std::string& table, const std::string& mark);

  /// Reads those tables of several namespaces at once, where they are there and bear their mark. Others are never read: they may be many, and of
  /// what libnftables can read some makes it fail.
  [[nodiscard]] static Result<void> list(const std::vector<Live*>& looks, const std::vector<Named>& tables);

 private:
  using Key = std::pair<std::uint8_t, std::string>;  ///< family and name
  [[nodiscard]] Result<topo::nftables::Table> read_table(std::uint8_t family, const std::string& table);

  const Place& place_;
  kernel::Channel channel_;
  std::optional<std::vector<TableName>> names_;
  std::map<Key, topo::nftables::Table> listed_;  ///< without the elements of sets
};

}  // namespace topo::firewall::nftables
