#include "firewall/listeners.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <optional>

#include "kernel/channel.hpp"

namespace topo::firewall {
namespace {

std::optional<Listener> listener_of(nlmsghdr* message, std::uint8_t protocol) {
  if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || nlmsg_datalen(message) < static_cast<int>(sizeof(inet_diag_msg))) return std::nullopt;
  const auto* found = static_cast<const inet_diag_msg*>(nlmsg_data(message));
  Listener listener;
  listener.protocol = protocol;
  listener.port = ntohs(found->id.idiag_sport);
  listener.address = IpAddress::from_bytes(found->idiag_family == AF_INET ? Family::v4 : Family::v6, found->id.idiag_src);
  if (listener.port == 0) return std::nullopt;
  if (found->idiag_family == AF_INET6) {
    const nlattr* v6_only = nlmsg_find_attr(message, sizeof(inet_diag_msg), INET_DIAG_SKV6ONLY);
    listener.both_families = listener.address.is_unspecified() && (v6_only == nullptr || nla_get_u8(v6_only) == 0);
    if (listener.address.is_v4_mapped()) listener.address = IpAddress::from_bytes(Family::v4, &listener.address.bytes()[12]);
  }
  return listener;
}

}  // namespace

std::string Listener::to_string() const {
  const std::string text = address.to_string();
  return (address.family() == Family::v6 ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

Result<std::vector<Listener>> listeners(const Place& place) {
  kernel::Channel channel(place.netns_fd, place.home_fd, NETLINK_SOCK_DIAG);
  std::vector<Listener> found;
  for (const std::uint8_t protocol : {std::uint8_t{IPPROTO_TCP}, std::uint8_t{IPPROTO_UDP}}) {
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
      inet_diag_req_v2 asked{};
      asked.sdiag_family = family;
      asked.sdiag_protocol = protocol;
      // A UDP socket without a peer is in the state that TCP calls closed.
      asked.idiag_states = 1U << static_cast<unsigned>(protocol == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE);
      const std::size_t before = found.size();
      auto read = channel.dump(
          kernel::Message(SOCK_DIAG_BY_FAMILY, 0, asked), [&] { found.resize(before); },
          [&](nlmsghdr* message) {
            if (auto listener = listener_of(message, protocol)) found.push_back(*listener);
          });
      if (!read) return std::move(read).error();
    }
  }
  return found;
}

}  // namespace topo::firewall
