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

  /// Reads the rules of several namespaces at once, where there are some of topo's.
  [[nodiscard]] static Result<void> list(const std::vector<Live*>& looks);

 private:
  using Listing = std::map<std::string, topo::nftables::Table>;
  [[nodiscard]] Result<topo::nftables::Table> read_table(std::uint8_t family, const std::string& table);

  const Place& place_;
  kernel::Channel channel_;
  std::optional<std::vector<TableName>> names_;
  std::optional<std::map<std::uint8_t, Listing>> listings_;  ///< by family
};

}  // namespace topo::firewall::nftables
