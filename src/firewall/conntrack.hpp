// The connections that the kernel tracks in a namespace: nfnetlink_conntrack.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "firewall/backend.hpp"
#include "kernel/channel.hpp"
#include "topo/error.hpp"
#include "topo/ip.hpp"

namespace topo::firewall::conntrack {

/// One direction of a connection, as its packets look.
struct Tuple {
  IpAddress source, destination;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t icmp_type = 0;
};

struct Connection {
  Tuple original, reply;
  std::uint32_t status = 0;  ///< IPS_*
  std::uint16_t zone = 0;
  std::vector<std::pair<int, std::string>> key;  ///< the attributes that name it in a request to delete it

  [[nodiscard]] bool has(std::uint32_t bit) const { return (status & bit) != 0; }
};

/// All connections, where they are so few that the kernel lists them in one piece (nf_conntrack(5): /proc/net/nf_conntrack); nullopt where they
/// are more, or the kernel has no such list. Of `status` only the two bits of NAT are told; GRE has no keys in its ports' place; and there is no
/// `key`.
[[nodiscard]] Result<std::optional<std::vector<Connection>>> list_few(const Place& place);

/// Those of all connections that are `wanted`. Takes the kernel 10 ms or more, be there any or not: it goes through its whole hash table bucket by
/// bucket, locking each.
[[nodiscard]] Result<std::vector<Connection>> read(kernel::Channel& channel, const std::function<bool(const Connection&)>& wanted);

/// The request that deletes one that was read.
[[nodiscard]] kernel::Message deletion_of(const Connection& connection);

}  // namespace topo::firewall::conntrack
