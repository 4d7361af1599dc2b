// nf_tables asked directly: which tables there are, and what is in their sets. libnftables would need ten times as long for the elements, and would
// have to be loaded to know that there is nothing.
#pragma once

#include <string>
#include <vector>

#include "kernel/channel.hpp"
#include "resources/firewall/nftables.hpp"
#include "topo/error.hpp"

namespace topo::firewall::nftables {

struct TableName {
  std::uint8_t family = 0;  ///< NFPROTO_x (linux/netfilter.h)
  std::string name;
  std::string comment;
  bool flagged = false;  ///< it is dormant, or bound to a process
};

/// All tables of the channel's namespace. Exit::unsupported where the kernel has no nf_tables.
[[nodiscard]] Result<std::vector<TableName>> table_names(kernel::Channel& channel);

/// Reads what `set`, which is in the table, holds. False where it holds something that its terms cannot say (a time limit, a counter).
[[nodiscard]] Result<bool> read_elements(kernel::Channel& channel, std::uint8_t family, const std::string& table, const std::string& name,
                                         topo::nftables::Set& set);

}  // namespace topo::firewall::nftables
