#include "resources/bridge/kernel.hpp"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cerrno>

#include "resources/link/kernel.hpp"
#include "resources/neighbour/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

using kernel::Work;

constexpr std::uint32_t answer_no_arp = 8;       // arp_ignore (Documentation/networking/ip-sysctl.rst)
constexpr std::uint32_t ticks_per_second = 100;  // IFLA_BR_AGEING_TIME is in USER_HZ

/// In a namespace of our own there are no source checks: on an interface without an address loose ones are strict (__fib_validate_source, net/ipv4/fib_frontend.c).
link::Settings settings_of(const Bridge& bridge, const std::string& topology) {
  return {bridge.ns,
          bridge.name,
          owner_mark(topology) + ":" + bridge.key(),
          link_group(topology),
          bridge.mtu,
          {{IPV4_DEVCONF_FORWARDING, bridge.gateway_v4 ? 1 : 0},
           {IPV4_DEVCONF_RP_FILTER, bridge.ns.empty() ? link::loose_rp_filter : 0},
           {IPV4_DEVCONF_ARP_IGNORE, bridge.gateway_v4 ? 0 : answer_no_arp},
           {IPV4_DEVCONF_ROUTE_LOCALNET, bridge.route_localnet ? 1 : 0}}};
}

void put_kind(kernel::Message& message, const Bridge& bridge) {
  message.nest(IFLA_LINKINFO, [&] {
    message.put(IFLA_INFO_KIND, "bridge", 6);
    message.nest(IFLA_INFO_DATA, [&] {
      message.put_u32(IFLA_BR_STP_STATE, bridge.stp ? 1 : 0);
      message.put_u32(IFLA_BR_AGEING_TIME, bridge.ageing_time_s * ticks_per_second);
      message.put_u8(IFLA_BR_NF_CALL_IPTABLES, bridge.filtered ? 1 : 0);
      message.put_u8(IFLA_BR_NF_CALL_IP6TABLES, bridge.filtered ? 1 : 0);
    });
  });
}

kernel::Message make_message(const Bridge& bridge, int index, const std::string& topology) {
  ifinfomsg fixed{};
  fixed.ifi_index = index;
  kernel::Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, fixed);
  message.put_text(IFLA_IFNAME, bridge.name);
  message.put_mac(IFLA_ADDRESS, bridge.mac);
  // A bridge follows the least MTU of its ports unless it was once changed from another value.
  message.put_u32(IFLA_MTU, bridge.mtu == 1500 ? 1499 : 1500);
  message.put_u32(IFLA_GROUP, link_group(topology));
  put_kind(message, bridge);
  return message;
}

/// While the spanning tree changes the kernel ages faster, and does not tell what it will go back to.
std::uint32_t ageing_time_of(const kernel::LinkRecord& link, const kernel::Place& place, const Reading& reading) {
  const kernel::BridgeRecord& bridge = *link.bridge;
  if (!bridge.stp || !bridge.topology_change) return bridge.ageing_time_cs / ticks_per_second;
  const Node* const desired = reading.desired.find("bridge " + place.name + ":" + link.name);
  return desired == nullptr ? Bridge().ageing_time_s : std::get<Bridge>(desired->resource).ageing_time_s;
}

Bridge told(const kernel::LinkRecord& link, const kernel::Place& place, const Reading& reading) {
  Bridge found;
  found.ns = place.name;
  found.name = link.name;
  found.mac = link.mac;
  found.mtu = link.mtu;
  found.stp = link.bridge->stp;
  found.ageing_time_s = ageing_time_of(link, place, reading);
  found.filtered = link.bridge->nf_call_iptables && link.bridge->nf_call_ip6tables;
  found.gateway_v4 = link.ipv4_setting(IPV4_DEVCONF_FORWARDING) != 0;
  found.route_localnet = link.ipv4_setting(IPV4_DEVCONF_ROUTE_LOCALNET) != 0;
  found.gateway_v6 = !link.ipv6.empty() && link.ipv6_setting(DEVCONF_DISABLE_IPV6) == 0;
  link::Settings settings = settings_of(found, reading.topology);
  link::yield_to_sysctls(settings, place);
  found.amiss = link::amiss(settings, link);
  const auto say = [&](const std::string& what) { found.amiss += (found.amiss.empty() ? "" : ", ") + what; };
  if (link.bridge->nf_call_iptables != link.bridge->nf_call_ip6tables) say("filters one family");
  if (const std::string ipv6 = found.gateway_v6 ? link::amiss_as_ipv6_gateway(link, place) : ""; !ipv6.empty()) say(ipv6);
  return found;
}

/// The spanning tree is off, but ports that it held back would go on waiting for half a minute.
Result<void> release_ports(const Bridge& bridge, Execution& execution, kernel::Batch& batch) {
  const auto place = execution.work.place(bridge.ns);
  if (!place) return place.error();
  const kernel::Snapshot& there = (*place)->snapshot;
  const kernel::LinkRecord* const master = there.link(bridge.name);
  if (master == nullptr) return {};
  for (const auto& port : there.links) {
    if (port.master != master->index || (*place)->gone.contains(port.name) || !link::is_owned(port, bridge.ns, execution.plan.topology)) continue;
    batch.add(link::port_message({port.name}, IFLA_BRPORT_STATE, BR_STATE_FORWARDING), "cannot let port " + port.name + " forward", {ENETDOWN});
  }
  return {};
}

}  // namespace

Result<void> KernelHalf<Bridge>::create(const Bridge& wanted, Execution& execution) {
  auto& work = execution.work;
  auto& batch = work.batch(Work::Step::make, wanted.ns);
  const int index = work.choose_index({wanted.ns, wanted.name});
  batch.add(make_message(wanted, index, execution.plan.topology), "cannot create bridge " + wanted.name);
  kernel::Message settings = link::set_message(settings_of(wanted, execution.plan.topology), work.has_ipv6(), index);
  settings.put_u32(IFLA_MTU, wanted.mtu);
  batch.join(std::move(settings), "cannot configure bridge " + wanted.name);
  batch.join(link::up_message({wanted.name, index}), "cannot bring up bridge " + wanted.name);
  work.after_making([&work, &wanted] { return link::serve_ipv6(work, wanted.ns, wanted.name, wanted.mtu, wanted.gateway_v6); });
  return {};
}

Result<void> KernelHalf<Bridge>::update(const Bridge& before, const Bridge& after, Execution& execution) {
  auto& work = execution.work;
  kernel::Message message = link::set_message(settings_of(after, execution.plan.topology), work.has_ipv6());
  message.put_mac(IFLA_ADDRESS, after.mac);
  put_kind(message, after);
  forget_neighbours(execution);
  auto& batch = work.batch(Work::Step::make, after.ns);
  batch.add(link::mtu_message(after.name, after.mtu), "cannot set the MTU of bridge " + after.name);
  batch.add(std::move(message), "cannot change bridge " + after.name);
  batch.join(link::up_message({after.name}), "cannot bring up bridge " + after.name);
  if (before.stp && !after.stp) {
    if (auto released = release_ports(after, execution, batch); !released) return released;
  }
  if (before.gateway_v6 && !after.gateway_v6) {
    if (auto retired = link::retire_ipv6(work, after.ns, after.name, after.mtu); !retired) return retired;
  }
  return link::serve_ipv6(execution.work, after.ns, after.name, after.mtu, after.gateway_v6);
}

Result<void> KernelHalf<Bridge>::remove(const Bridge& live, Execution& execution) {
  execution.work.doom_link({{live.ns, live.name}});
  return {};
}

Result<void> KernelHalf<Bridge>::observe(const Reading& reading, Graph& live) {
  for (const auto& [ns, place] : reading.places) {
    for (const auto& link : place->snapshot.links) {
      if (link.bridge && link::is_owned(link, ns, reading.topology)) live.put(told(link, *place, reading));
    }
  }
  return {};
}

Result<void> KernelHalf<Bridge>::find_hindrances(const Reading& reading, const Graph& live, Hindrances& found) {
  for (const Bridge* wanted : reading.desired.all<Bridge>()) {
    link::check_name(reading, wanted->ns, wanted->name, found);
    if (wanted->ns.empty() && live.find(id_of(*wanted)) == nullptr) found.new_interfaces.push_back({wanted->name, "bridge"});
  }
  return {};
}

}  // namespace topo
