#include "kernel/uplink.hpp"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>

#include <utility>

namespace topo::kernel::uplink {

Message cable(const char* outer, int netns_fd) {
  const ifinfomsg fixed{};
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, fixed);
  message.put_text(IFLA_IFNAME, outer);
  return std::move(message.nest(IFLA_LINKINFO, [&] {
    message.put(IFLA_INFO_KIND, "veth", 4);
    message.nest(IFLA_INFO_DATA, [&] {
      message.nest_with(VETH_INFO_PEER, fixed, [&] {
        message.put_text(IFLA_IFNAME, inner);
        message.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(netns_fd));
      });
    });
  }));
}

Message up(int index) {
  ifinfomsg fixed{};
  fixed.ifi_index = index;
  fixed.ifi_flags = IFF_UP;
  fixed.ifi_change = IFF_UP;
  return Message(RTM_NEWLINK, 0, fixed, 128);
}

Message address(const Cidr& own, int index) {
  ifaddrmsg fixed{};
  fixed.ifa_family = number_of(own.family());
  fixed.ifa_prefixlen = own.prefix();
  fixed.ifa_index = static_cast<std::uint32_t>(index);
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, fixed, 256);
  message.put_address(IFA_LOCAL, own.address());
  message.put_address(IFA_ADDRESS, own.address());
  message.put_u32(IFA_FLAGS, IFA_F_NODAD);
  return message;
}

Message route(const std::optional<IpAddress>& to, const IpAddress& via, int index) {
  rtmsg fixed{};
  fixed.rtm_family = number_of(via.family());
  fixed.rtm_dst_len = to ? static_cast<std::uint8_t>(to->bits()) : std::uint8_t{0};
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_STATIC;
  fixed.rtm_type = RTN_UNICAST;
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, fixed, 256);
  if (to) message.put_address(RTA_DST, *to);
  message.put_address(RTA_GATEWAY, via);
  message.put_u32(RTA_OIF, static_cast<std::uint32_t>(index));
  return message;
}

std::uint8_t number_of(Family family) { return family == Family::v4 ? AF_INET : AF_INET6; }

}  // namespace topo::kernel::uplink
