// A cable from this host into another namespace, and a way through it: what stand-ins for the outside are connected by.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/message.hpp"
#include "topo/ip.hpp"

namespace topo::kernel::uplink {

/// The end in the other namespace.
inline constexpr const char* inner = "eth0";

/// A veth pair with `outer` here and `inner` in the namespace of `netns_fd`.
[[nodiscard]] Message cable(const char* outer, int netns_fd);
[[nodiscard]] Message up(int index);
/// Ready at once: nobody is asked whether another has it.
[[nodiscard]] Message address(const Cidr& own, int index);
/// To one address; nullopt: the default route.
[[nodiscard]] Message route(const std::optional<IpAddress>& to, const IpAddress& via, int index);

/// AF_INET or AF_INET6.
[[nodiscard]] std::uint8_t number_of(Family family);

}  // namespace topo::kernel::uplink
