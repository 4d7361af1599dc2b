#include "resources/veth/kernel.hpp"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "resources/link/kernel.hpp"
#include "resources/neighbour/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

using kernel::Work;

constexpr std::uint32_t answer_no_arp = 8;  // arp_ignore
constexpr char nowhere = '?';               // begins the name given to an end that is in no namespace of ours

/// The gateway's end of a link, on which it stands as on a bridge.
bool is_gateway_end(const VethEnd& end) { return end.ns.empty() && end.bridge.empty(); }

std::string title_of(const VethEnd& end) { return end.ns.empty() ? end.name : end.ns + ":" + end.name; }
std::string title_of(const Veth& cable) { return title_of(cable.ends[0]) + " <-> " + title_of(cable.ends[1]); }

/// Of an end that is being made. What the file says of it comes after, whatever its predecessor of that name was told.
link::Settings new_settings_of(const VethEnd& end, const std::string& key, const std::string& topology, const kernel::Place& place) {
  link::Settings settings{end.ns, end.name, owner_mark(topology) + ":" + key, link_group(topology), end.mtu, {}};
  const bool forwards = end.ns.empty() ? end.gateway_v4 : place.snapshot.settings.forwarding_v4.value_or(false);
  settings.ipv4 = {{IPV4_DEVCONF_FORWARDING, forwards ? 1 : 0}, {IPV4_DEVCONF_RP_FILTER, end.ns.empty() ? link::loose_rp_filter : 0}};
  // Of a port all this is without effect, but an end of the gateway may become one.
  if (end.ns.empty()) {
    settings.ipv4.emplace_back(IPV4_DEVCONF_ARP_IGNORE, is_gateway_end(end) && !end.gateway_v4 ? answer_no_arp : 0);
    settings.ipv4.emplace_back(IPV4_DEVCONF_ROUTE_LOCALNET, end.route_localnet ? 1 : 0);
  }
  return settings;
}

/// Of one that is there.
link::Settings settings_of(const VethEnd& end, const std::string& key, const std::string& topology, const kernel::Place& place) {
  link::Settings settings = new_settings_of(end, key, topology, place);
  link::yield_to_sysctls(settings, place);
  return settings;
}

void put_end(kernel::Message& message, const VethEnd& end, const std::string& topology) {
  message.put_text(IFLA_IFNAME, end.name);
  message.put_mac(IFLA_ADDRESS, end.mac);
  message.put_u32(IFLA_MTU, end.mtu);
  message.put_u32(IFLA_GROUP, link_group(topology));
  // The kernel would make a queue for every processor there may ever be.
  message.put_u32(IFLA_NUM_TX_QUEUES, 1);
  message.put_u32(IFLA_NUM_RX_QUEUES, 1);
}

/// Both ends in their namespaces by one message. The peer's IFF_UP would make it fail, its master would be ignored.
kernel::Message make_message(const Veth& cable, const std::array<int, 2>& indexes, int master, int peer_netns, const std::string& topology) {
  const VethEnd& own = cable.ends[0];
  const VethEnd& peer = cable.ends[1];
  ifinfomsg fixed{};
  fixed.ifi_index = indexes[0];
  ifinfomsg peer_fixed{};
  peer_fixed.ifi_index = indexes[1];
  kernel::Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, fixed);
  put_end(message, own, topology);
  if (master != 0) message.put_u32(IFLA_MASTER, static_cast<std::uint32_t>(master));
  message.nest(IFLA_LINKINFO, [&] {
    message.put(IFLA_INFO_KIND, "veth", 4);
    message.nest(IFLA_INFO_DATA, [&] {
      message.nest_with(VETH_INFO_PEER, peer_fixed, [&] {
        put_end(message, peer, topology);
        message.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer_netns));
      });
    });
  });
  return message;
}

kernel::Message hairpin_message(const VethEnd& end, int index = 0) {
  return link::port_message({end.name, index}, IFLA_BRPORT_MODE, end.hairpin ? 1 : 0);
}

/// A bridge that had no port drops what it shall send until the kernel has noticed, in its own time, that it has one.
void await(const VethEnd& end, Work& work) {
  work.await({end.ns, end.name});
  if (!end.bridge.empty()) work.await({end.ns, end.bridge});
}

Result<int> master_of(const VethEnd& end, Work& work) {
  if (end.bridge.empty()) return 0;
  return work.index({end.ns, end.bridge});
}

/// What is live of one end.
struct Seen {
  const kernel::Place* place;
  const kernel::LinkRecord* link;
  std::string reference;  ///< of its alias
  bool paired = false;
};

VethEnd told(const Seen& seen, const Veth* desired) {
  VethEnd end;
  end.ns = seen.place->name;
  end.name = seen.link->name;
  end.mac = seen.link->mac;
  end.mtu = seen.link->mtu;
  if (const kernel::LinkRecord* master = seen.place->snapshot.link(seen.link->master)) end.bridge = master->name;
  end.hairpin = seen.link->port && seen.link->port->hairpin;
  if (is_gateway_end(end)) {
    end.gateway_v4 = seen.link->ipv4_setting(IPV4_DEVCONF_FORWARDING) != 0;
    end.route_localnet = seen.link->ipv4_setting(IPV4_DEVCONF_ROUTE_LOCALNET) != 0;
    end.ipv6 = !seen.link->ipv6.empty() && seen.link->ipv6_setting(DEVCONF_DISABLE_IPV6) == 0;
  } else if (desired != nullptr) {
    // Elsewhere it makes no difference to the kernel, which so keeps no trace of it, unless somebody turned IPv6 off.
    for (const VethEnd& wanted : desired->ends) {
      if (wanted.ns == end.ns && wanted.name == end.name) end.ipv6 = wanted.ipv6 && seen.link->ipv6_setting(DEVCONF_DISABLE_IPV6) == 0;
    }
  }
  return end;
}

std::string key_of(const Seen& a, const Seen& b) {
  const auto name = [](const Seen& seen) { return seen.place->name + ":" + seen.link->name; };
  return name(a) + "=" + name(b);
}

bool comes_before(const Seen& a, const Seen& b) { return std::tie(a.place->name, a.link->name) < std::tie(b.place->name, b.link->name); }

void put_cable(Seen a, Seen b, const Reading& reading, Graph& live) {
  if (comes_before(b, a)) std::swap(a, b);
  const std::string key = key_of(a, b);
  const Node* const node = reading.desired.find("veth " + key);
  const Veth* const desired = node == nullptr ? nullptr : std::get_if<Veth>(&node->resource);
  Veth cable{{told(a, desired), told(b, desired)}};
  for (std::size_t i = 0; i < 2; ++i) {
    const Seen& seen = i == 0 ? a : b;
    cable.ends[i].amiss = link::amiss(settings_of(cable.ends[i], key, reading.topology, *seen.place), *seen.link);
    if (is_gateway_end(cable.ends[i]) && cable.ends[i].ipv6) {
      const std::string more = link::amiss_as_ipv6_gateway(*seen.link, *seen.place);
      if (!more.empty()) cable.ends[i].amiss += (cable.ends[i].amiss.empty() ? "" : ", ") + more;
    }
  }
  live.put(std::move(cable));
}

/// An end whose peer is nowhere among ours: somebody moved that, or its namespace is about to end. Never what is desired, so it goes.
void put_lone_end(const Seen& seen, Graph& live) {
  VethEnd peer;
  peer.ns = seen.place->name;
  peer.name = nowhere + std::to_string(seen.link->index);
  Veth cable{{told(seen, nullptr), peer}};
  if (std::tie(cable.ends[1].ns, cable.ends[1].name) < std::tie(cable.ends[0].ns, cable.ends[0].name)) std::swap(cable.ends[0], cable.ends[1]);
  live.put(std::move(cable));
}

/// Ends that are each other's peers by index, which are numbers of different namespaces: the reference in the alias tells which of
/// several. Where a reference is lost, the other end's will do.
void pair_ends(std::vector<Seen>& ends, const Reading& reading, Graph& live) {
  std::multimap<std::pair<int, int>, Seen*> by_indexes;
  std::map<std::tuple<int, int, std::string>, Seen*> by_reference;
  for (Seen& seen : ends) {
    by_indexes.emplace(std::pair(seen.link->index, seen.link->peer), &seen);
  }
  const auto pair_up = [&](Seen& a, Seen& b) {
    a.paired = b.paired = true;
    put_cable(a, b, reading, live);
  };
  for (Seen& seen : ends) {
    if (seen.reference.empty()) continue;
    const auto key = std::tuple(seen.link->peer, seen.link->index, seen.reference);
    if (const auto found = by_reference.find(key); found != by_reference.end() && !found->second->paired) {
      pair_up(*found->second, seen);
    } else {
      by_reference.emplace(std::tuple(seen.link->index, seen.link->peer, seen.reference), &seen);
    }
  }
  for (Seen& seen : ends) {
    if (seen.paired) continue;
    const auto candidates = by_indexes.equal_range({seen.link->peer, seen.link->index});
    const auto first = candidates.first;
    const auto last = candidates.second;
    const auto fits = [&](const Seen& other) {
      if (other.paired || &other == &seen) return false;
      const std::string key = comes_before(seen, other) ? key_of(seen, other) : key_of(other, seen);
      return seen.reference == key || other.reference == key || reading.desired.find("veth " + key) != nullptr ||
             (seen.reference.empty() && other.reference.empty() && std::next(first) == last);
    };
    const auto partner = std::find_if(first, last, [&](const auto& entry) { return fits(*entry.second); });
    if (partner != last) pair_up(seen, *partner->second);
  }
  for (const Seen& seen : ends) {
    if (!seen.paired) put_lone_end(seen, live);
  }
}

}  // namespace

Result<void> KernelHalf<Veth>::create(const Veth& wanted, Execution& execution) {
  auto& work = execution.work;
  const std::string& topology = execution.plan.topology;
  const auto& [own, peer] = wanted.ends;
  auto place = work.place(own.ns);
  if (!place) return std::move(place).error();
  auto peer_place = work.place(peer.ns);
  if (!peer_place) return std::move(peer_place).error();
  auto master = master_of(own, work);
  if (!master) return std::move(master).error();
  auto peer_master = master_of(peer, work);
  if (!peer_master) return std::move(peer_master).error();

  const std::string title = title_of(wanted);
  auto& batch = work.batch(Work::Step::make, own.ns);
  const std::array<int, 2> indexes{work.choose_index({own.ns, own.name}), work.choose_index({peer.ns, peer.name})};
  batch.add(make_message(wanted, indexes, *master, (*peer_place)->netns.get(), topology), "cannot create cable " + title);
  kernel::Message own_message = link::set_message(new_settings_of(own, wanted.key(), topology, **place), work.has_ipv6(), indexes[0]);
  batch.join(std::move(own_message), "cannot configure cable " + title);
  batch.join(link::up_message({own.name, indexes[0]}), "cannot bring up cable " + title);
  if (own.hairpin) batch.add(hairpin_message(own, indexes[0]), "cannot set hairpin of " + title_of(own));
  kernel::Message peer_message = link::set_message(new_settings_of(peer, wanted.key(), topology, **peer_place), work.has_ipv6(), indexes[1]);
  if (*peer_master != 0) peer_message.put_u32(IFLA_MASTER, static_cast<std::uint32_t>(*peer_master));
  auto& peer_batch = work.batch(Work::Step::configure, peer.ns);
  peer_batch.add(std::move(peer_message), "cannot configure cable " + title);
  peer_batch.join(link::up_message({peer.name, indexes[1]}), "cannot bring up cable " + title);
  if (peer.hairpin) peer_batch.add(hairpin_message(peer, indexes[1]), "cannot set hairpin of " + title_of(peer));

  if (!(*place)->fresh && (*peer_place)->fresh) work.outlives_nothing({own.ns, own.name});
  if ((*place)->fresh && !(*peer_place)->fresh) work.outlives_nothing({peer.ns, peer.name});
  await(own, work);
  // The end that comes up last finds its peer up, and so is ready at once; what it is a port of may not be.
  if (!peer.bridge.empty()) await(peer, work);
  for (const VethEnd& end : wanted.ends) {
    if (!is_gateway_end(end)) continue;
    if (auto served = link::serve_ipv6(work, end.ns, end.name, end.mtu, end.ipv6); !served) return served;
  }
  return {};
}

Result<void> KernelHalf<Veth>::update(const Veth& before, const Veth& after, Execution& execution) {
  auto& work = execution.work;
  forget_neighbours(execution);
  for (std::size_t i = 0; i < 2; ++i) {
    const VethEnd& end = after.ends[i];
    if (end == before.ends[i]) continue;
    auto place = work.place(end.ns);
    if (!place) return std::move(place).error();
    auto master = master_of(end, work);
    if (!master) return std::move(master).error();
    kernel::Message message = link::set_message(settings_of(end, after.key(), execution.plan.topology, **place), work.has_ipv6());
    message.put_mac(IFLA_ADDRESS, end.mac);
    message.put_u32(IFLA_MASTER, static_cast<std::uint32_t>(*master));
    auto& batch = work.batch(Work::Step::configure, end.ns);
    batch.add(link::mtu_message(end.name, end.mtu), "cannot set the MTU of " + title_of(end));
    batch.add(std::move(message), "cannot change cable end " + title_of(end));
    batch.join(link::up_message({end.name}), "cannot bring up cable end " + title_of(end));
    if (!end.bridge.empty() && (end.hairpin || before.ends[i].hairpin)) batch.add(hairpin_message(end), "cannot set hairpin of " + title_of(end));
    await(end, work);
    if (is_gateway_end(before.ends[i]) && !(is_gateway_end(end) && end.ipv6)) {
      if (auto retired = link::retire_ipv6(work, end.ns, end.name, end.mtu); !retired) return retired;
    }
    if (!is_gateway_end(end)) {
      if (!end.ipv6 || before.ends[i].ipv6) continue;
      if (auto on = work.set_sysctl(end.ns, "net/ipv6/conf/" + end.name + "/disable_ipv6", "0"); !on) return on;
      continue;
    }
    if (auto served = link::serve_ipv6(work, end.ns, end.name, end.mtu, end.ipv6); !served) return served;
  }
  return {};
}

Result<void> KernelHalf<Veth>::remove(const Veth& live, Execution& execution) {
  std::vector<kernel::InterfaceName> ends;
  for (const VethEnd& end : live.ends) {
    if (end.name.front() != nowhere) ends.push_back({end.ns, end.name});
  }
  execution.work.doom_link(std::move(ends));
  forget_neighbours(execution);
  return {};
}

Result<void> KernelHalf<Veth>::observe(const Reading& reading, Graph& live) {
  std::vector<Seen> ends;
  for (const auto& [ns, place] : reading.places) {
    for (const auto& link : place->snapshot.links) {
      if (link.kind == "veth" && link::is_owned(link, ns, reading.topology)) ends.push_back({place.get(), &link, mark_ref(link.alias)});
    }
  }
  pair_ends(ends, reading, live);
  return {};
}

Result<void> KernelHalf<Veth>::find_hindrances(const Reading& reading, const Graph& live, Hindrances& found) {
  for (const Veth* wanted : reading.desired.all<Veth>()) {
    const bool is_new = live.find(id_of(*wanted)) == nullptr;
    for (const VethEnd& end : wanted->ends) {
      link::check_name(reading, end.ns, end.name, found);
      if (is_new && end.ns.empty()) found.new_interfaces.push_back({end.name, "veth"});
    }
  }
  return {};
}

}  // namespace topo
