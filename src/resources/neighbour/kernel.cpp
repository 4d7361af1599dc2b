#include "resources/neighbour/kernel.hpp"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "kernel/dump.hpp"
#include "resources/link/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

using kernel::Work;

kernel::Message message_for(int type, int flags, const Neighbour& neighbour, int index) {
  ndmsg fixed{};
  fixed.ndm_family = neighbour.address.family() == Family::v4 ? AF_INET : AF_INET6;
  fixed.ndm_ifindex = index;
  fixed.ndm_state = NUD_PERMANENT;
  fixed.ndm_flags = neighbour.mac ? 0 : NTF_PROXY;
  kernel::Message message(type, flags, fixed, 128);
  message.put_address(NDA_DST, neighbour.address);
  return message;
}

/// Answers at once. By default the kernel waits for up to 0.8 s, so that whoever has the address itself may be first (RFC 4861, 7.2.8).
kernel::Message prompt_message(Family family, int index) {
  ndtmsg fixed{};
  fixed.ndtm_family = family == Family::v4 ? AF_INET : AF_INET6;
  kernel::Message message(RTM_SETNEIGHTBL, 0, fixed, 128);
  message.put_text(NDTA_NAME, family == Family::v4 ? "arp_cache" : "ndisc_cache");
  message.nest(NDTA_PARMS, [&] {
    constexpr std::uint64_t none_ms = 0;
    message.put_u32(NDTPA_IFINDEX, static_cast<std::uint32_t>(index));
    message.put(NDTPA_PROXY_DELAY, &none_ms, sizeof none_ms);
  });
  return message;
}

/// Who answers for which address, and the bridges that are joined by cables.
struct Stations {
  std::map<std::string, Mac> macs;                           ///< by interface_need
  std::vector<std::pair<IpAddress, std::string>> addresses;  ///< each with the interface_need of where it is answered for
  std::set<std::pair<std::string, std::string>> joined;      ///< bridges: namespace, name

  void note(const Resource& resource) {
    if (const auto* address = std::get_if<Address>(&resource))
      addresses.emplace_back(address->address.address(), interface_need(address->ns, address->interface));
    const auto* neighbour = std::get_if<Neighbour>(&resource);
    if (neighbour != nullptr && !neighbour->mac) addresses.emplace_back(neighbour->address, interface_need(neighbour->ns, neighbour->interface));
    if (const auto* bridge = std::get_if<Bridge>(&resource)) macs.insert_or_assign(interface_need(bridge->ns, bridge->name), bridge->mac);
    if (const auto* cable = std::get_if<Veth>(&resource)) {
      const bool joins = !cable->ends[0].bridge.empty() && !cable->ends[1].bridge.empty();
      for (const VethEnd& end : cable->ends) {
        macs.insert_or_assign(interface_need(end.ns, end.name), end.mac);
        if (joins) joined.emplace(end.ns, end.bridge);
      }
    }
  }

  [[nodiscard]] std::map<IpAddress, std::set<Mac>> owners() const {
    std::map<IpAddress, std::set<Mac>> found;
    for (const auto& [address, interface] : addresses) {
      if (const auto mac = macs.find(interface); mac != macs.end()) found[address].insert(mac->second);
    }
    return found;
  }
};

Stations stations_after(const Execution& execution) {
  std::set<Id> changed;
  for (const Change& change : execution.plan.changes) changed.insert(id_of(change.after ? *change.after : *change.before));
  Stations after;
  for (const auto& [id, node] : execution.live.nodes()) {
    if (!changed.contains(id)) after.note(node.resource);
  }
  for (const Change& change : execution.plan.changes) {
    if (change.after) after.note(*change.after);
  }
  return after;
}

kernel::Message removal_of(const kernel::NeighbourRecord& neighbour) {
  ndmsg fixed{};
  fixed.ndm_family = neighbour.address.family() == Family::v4 ? AF_INET : AF_INET6;
  fixed.ndm_ifindex = neighbour.link;
  kernel::Message message(RTM_DELNEIGH, 0, fixed, 128);
  message.put_address(NDA_DST, neighbour.address);
  return message;
}

Result<void> forget_moved(kernel::Place& place, const std::set<IpAddress>& moved, const std::string& topology) {
  const auto concerns = [&](const Cidr& there) {
    return there.prefix() != 0 && std::any_of(moved.begin(), moved.end(), [&](const IpAddress& address) { return there.contains(address); });
  };
  const auto& addresses = place.snapshot.addresses;
  const auto& routes = place.snapshot.routes;
  // A gateway of its own has routes to its bridges' subnets, and no address there.
  const bool concerned = std::any_of(addresses.begin(), addresses.end(), [&](const auto& own) { return concerns(own.address.network()); }) ||
                         std::any_of(routes.begin(), routes.end(), [&](const auto& route) { return concerns(route.destination); });
  if (place.fresh || !concerned) return {};
  std::vector<kernel::NeighbourRecord> neighbours;
  if (auto read = kernel::dump_neighbours(place.channel, neighbours); !read) return read;
  kernel::Batch batch;
  for (const auto& neighbour : neighbours) {
    const kernel::LinkRecord* const link = place.snapshot.link(neighbour.link);
    const bool learnt = (neighbour.state & (NUD_PERMANENT | NUD_NOARP)) == 0;
    if (!learnt || link == nullptr || !moved.contains(neighbour.address) || !link::is_owned(*link, place.name, topology)) continue;
    batch.add(removal_of(neighbour), "cannot forget where " + neighbour.address.to_string() + " was", {ENOENT});
  }
  return place.channel.perform(batch);
}

kernel::Message flush_of(const std::string& bridge) {
  const ifinfomsg fixed{};
  kernel::Message message(RTM_NEWLINK, 0, fixed, 256);
  message.put_text(IFLA_IFNAME, bridge);
  message.nest(IFLA_LINKINFO, [&] {
    message.put(IFLA_INFO_KIND, "bridge", 6);
    message.nest(IFLA_INFO_DATA, [&] { message.put(IFLA_BR_FDB_FLUSH, nullptr, 0); });
  });
  return message;
}

Result<void> forget_all(const Execution& execution) {
  Stations before;
  for (const auto& [id, node] : execution.live.nodes()) before.note(node.resource);
  const Stations after = stations_after(execution);
  if (after.addresses.empty()) return {};
  const auto now = after.owners();
  std::set<IpAddress> moved;
  for (const auto& [address, macs] : before.owners()) {
    const auto found = now.find(address);
    if (found == now.end() || found->second != macs) moved.insert(address);
  }
  for (const auto& [ns, place] : execution.work.places()) {
    if (moved.empty()) break;
    if (auto done = forget_moved(*place, moved, execution.plan.topology); !done) return done;
  }
  for (const auto& [ns, bridge] : after.joined) {
    const auto place = execution.work.place(ns);
    if (!place) return place.error();
    if ((*place)->fresh) continue;
    kernel::Batch batch;
    batch.add(flush_of(bridge), "cannot flush the forwarding table of bridge " + bridge);
    if (auto done = (*place)->channel.perform(batch); !done) return done;
  }
  return {};
}

}  // namespace

Result<void> KernelHalf<Neighbour>::create(const Neighbour& wanted, Execution& execution) {
  const auto index = execution.work.index({wanted.ns, wanted.interface});
  if (!index) return index.error();
  auto& batch = execution.work.batch(Work::Step::configure, wanted.ns);
  const std::string failed = "cannot add neighbour " + wanted.title();
  if (!wanted.mac) batch.add(prompt_message(wanted.address.family(), *index), failed);
  if (wanted.is_everybody()) {
    batch.add(link::ipv4_message(*index, IPV4_DEVCONF_PROXY_ARP, 1), failed);
    return {};
  }
  kernel::Message message = message_for(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, wanted, *index);
  if (wanted.mac) message.put_mac(NDA_LLADDR, *wanted.mac);
  message.put_u8(NDA_PROTOCOL, owner_protocol);
  batch.add(std::move(message), failed);
  return {};
}

Result<void> KernelHalf<Neighbour>::update(const Neighbour&, const Neighbour& after, Execution& execution) { return create(after, execution); }

Result<void> KernelHalf<Neighbour>::remove(const Neighbour& live, Execution& execution) {
  const auto index = execution.work.index({live.ns, live.interface});
  if (!index) return index.error();
  auto& batch = execution.work.batch(Work::Step::configure, live.ns);
  const std::string failed = "cannot remove neighbour " + live.title();
  batch.add(live.is_everybody() ? link::ipv4_message(*index, IPV4_DEVCONF_PROXY_ARP, 0) : message_for(RTM_DELNEIGH, 0, live, *index), failed,
            {ENOENT});
  return {};
}

Result<void> KernelHalf<Neighbour>::observe(const Reading& reading, Graph& live) {
  for (const auto& [ns, place] : reading.places) {
    const auto& links = place->snapshot.links;
    if (ns.empty() || std::none_of(links.begin(), links.end(), [](const auto& link) { return link.bridge.has_value(); })) continue;
    for (const auto& link : links) {
      if (link.ipv4_setting(IPV4_DEVCONF_PROXY_ARP) != 0) live.put(Neighbour{ns, link.name, IpAddress::any(Family::v4), {}});
    }
    for (const bool proxies : {false, true}) {
      std::vector<kernel::NeighbourRecord> records;
      if (auto read = kernel::dump_neighbours(place->channel, records, proxies); !read) return read;
      for (const auto& record : records) {
        const kernel::LinkRecord* const link = place->snapshot.link(record.link);
        if (link == nullptr || (!proxies && (record.state & NUD_PERMANENT) == 0)) continue;
        live.put(Neighbour{ns, link->name, record.address, proxies ? std::nullopt : std::optional(record.mac)});
      }
    }
  }
  return {};
}

void forget_neighbours(Execution& execution) {
  execution.work.at_end_once("neighbours", [&execution] { return forget_all(execution); });
}

}  // namespace topo
