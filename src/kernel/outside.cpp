#include "kernel/outside.hpp"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>

#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "kernel/private_host.hpp"
#include "kernel/work.hpp"
#include "topo/ip.hpp"

namespace topo::kernel {
namespace {

constexpr const char* inner = "eth0";
constexpr std::chrono::milliseconds patience{2000};

int number_of(Family family) { return family == Family::v4 ? AF_INET : AF_INET6; }

Message cable(int netns_fd) {
  const ifinfomsg fixed{};
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, fixed);
  message.put_text(IFLA_IFNAME, Outside::uplink);
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

Message up(const char* interface) {
  ifinfomsg fixed{};
  fixed.ifi_flags = IFF_UP;
  fixed.ifi_change = IFF_UP;
  Message message(RTM_NEWLINK, 0, fixed, 128);
  message.put_text(IFLA_IFNAME, interface);
  return message;
}

Message address(const Cidr& cidr, int index) {
  ifaddrmsg fixed{};
  fixed.ifa_family = static_cast<std::uint8_t>(number_of(cidr.family()));
  fixed.ifa_prefixlen = cidr.prefix();
  fixed.ifa_index = static_cast<std::uint32_t>(index);
  Message message(RTM_NEWADDR, NLM_F_CREATE, fixed, 256);
  message.put_address(IFA_LOCAL, cidr.address());
  message.put_address(IFA_ADDRESS, cidr.address());
  message.put_u32(IFA_FLAGS, IFA_F_NODAD);
  return message;
}

Message default_route(const IpAddress& gateway, int index) {
  rtmsg fixed{};
  fixed.rtm_family = static_cast<std::uint8_t>(number_of(gateway.family()));
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_STATIC;
  fixed.rtm_type = RTN_UNICAST;
  Message message(RTM_NEWROUTE, NLM_F_CREATE, fixed, 256);
  message.put_address(RTA_GATEWAY, gateway);
  message.put_u32(RTA_OIF, static_cast<std::uint32_t>(index));
  return message;
}

/// Queues the addresses of one end that are of a family which the kernel has.
Result<void> address_end(Work& work, const InterfaceName& end, const char* const (&addresses)[2], bool leads_out) {
  const auto index = work.index(end);
  if (!index) return index.error();
  auto& batch = work.batch(Work::Step::configure, end.ns);
  batch.add(up(end.interface.c_str()), "cannot bring up the uplink");
  for (std::size_t i = 0; i < std::size(addresses); ++i) {
    const Cidr cidr = Cidr::parse(addresses[i]).value();
    if (cidr.family() == Family::v6 && !work.has_ipv6()) continue;
    batch.add(address(cidr, *index), "cannot give the uplink its address");
    if (leads_out) batch.add(default_route(Cidr::parse(Outside::addresses[i])->address(), *index), "cannot add the route to the outside");
  }
  return {};
}

}  // namespace

Result<void> make_outside() {
  auto home = own_namespace();
  if (!home) return std::move(home).error();
  Places places;
  const auto& host = places.emplace("", std::make_unique<Place>("", std::move(*home))).first->second;
  if (auto read = read_settings(host->channel, host->snapshot); !read) return read;
  Work work(places, 0, {});
  const auto made = work.make_place(Outside::ns);
  if (!made) return made.error();
  Place& outside = **made;
  {
    const auto inside = Inside::enter(outside.netns.get(), outside.home_fd);
    if (!inside) return inside.error();
    if (auto settled = settle_network(); !settled) return settled;
  }
  work.batch(Work::Step::make, "").add(cable(outside.netns.get()), "cannot make the uplink");
  work.will_make({"", Outside::uplink});
  if (auto queued = address_end(work, {"", Outside::uplink}, Outside::host_addresses, true); !queued) return queued;
  if (auto flushed = work.flush(); !flushed) return flushed;
  // The end that comes up last finds its peer up, and so is ready at once.
  if (auto queued = address_end(work, {Outside::ns, inner}, Outside::addresses, false); !queued) return queued;
  work.await({"", Outside::uplink});
  if (auto finished = work.finish(patience); !finished) return finished;
  return work.pin_places({});
}

}  // namespace topo::kernel
