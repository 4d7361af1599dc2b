// Reading a namespace by rtnetlink(7). Knows no kind and no topology.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/channel.hpp"
#include "kernel/records.hpp"

namespace topo::kernel {

[[nodiscard]] Result<void> dump_links(Channel& channel, Snapshot& into);
[[nodiscard]] Result<void> dump_addresses(Channel& channel, Snapshot& into);
/// All tables; without those that the kernel itself or a routing daemon put there (RTPROT_BOOT, RTPROT_STATIC and `protocol` are kept).
[[nodiscard]] Result<void> dump_routes(Channel& channel, std::uint8_t protocol, Snapshot& into);
/// All families; the kernel's own are left out.
[[nodiscard]] Result<void> dump_rules(Channel& channel, Snapshot& into);
/// Both families' neighbour tables, or the addresses that are answered for; not the forwarding tables of bridges.
[[nodiscard]] Result<void> dump_neighbours(Channel& channel, std::vector<NeighbourRecord>& into, bool proxies = false);
[[nodiscard]] Result<void> read_settings(Channel& channel, Snapshot& into);
/// One link by its name, or nullopt.
[[nodiscard]] Result<std::optional<LinkRecord>> read_link(Channel& channel, const std::string& name);

}  // namespace topo::kernel
