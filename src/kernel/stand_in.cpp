#include "kernel/stand_in.hpp"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>

#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "kernel/private_host.hpp"
#include "kernel/sysctl.hpp"
#include "kernel/uplink.hpp"
#include "topo/names.hpp"

namespace topo::kernel {
namespace {

constexpr const char* place_name = "outside";
constexpr std::chrono::milliseconds patience{2000};

/// For documentation and benchmarks alone (RFC 5737, RFC 2544, RFC 3849): the host's end, and the stand-in's.
struct Pair {
  const char *host, *own;
};
constexpr Pair pairs_v4[]{{"198.51.100.253", "198.51.100.254"},
                          {"203.0.113.253", "203.0.113.254"},
                          {"192.0.2.253", "192.0.2.254"},
                          {"198.18.255.253", "198.18.255.254"},
                          {"198.19.255.253", "198.19.255.254"}};
constexpr Pair pairs_v6[]{{"2001:db8:746f::1", "2001:db8:746f::2"}, {"2001:db8:706f::1", "2001:db8:706f::2"}};

/// By which interface the host sends to it; 0: by none.
Result<int> way_to(Channel& channel, const IpAddress& to) {
  rtmsg fixed{};
  fixed.rtm_family = uplink::number_of(to.family());
  fixed.rtm_dst_len = static_cast<std::uint8_t>(to.bits());
  Message question(RTM_GETROUTE, 0, fixed, 256);
  question.put_address(RTA_DST, to);
  int index = 0;
  const auto asked = channel.ask(question, [&](nlmsghdr* header) {
    const nlattr* const out = nlmsg_find_attr(header, sizeof(rtmsg), RTA_OIF);
    if (out != nullptr) index = static_cast<int>(nla_get_u32(out));
  });
  if (!asked) return asked.error();
  return index;
}

}  // namespace

Result<std::unique_ptr<StandIn>> StandIn::make(const std::vector<IpAddress>& addresses, const std::vector<Cidr>& taken) {
  std::unique_ptr<StandIn> made(new StandIn());
  if (auto built = made->build(addresses, taken); !built) return built.error();
  return made;
}

int StandIn::netns() const { return places_.at(place_name)->netns.get(); }

Result<void> StandIn::build(const std::vector<IpAddress>& addresses, const std::vector<Cidr>& taken) {
  auto home = own_namespace();
  if (!home) return std::move(home).error();
  const auto& host = places_.emplace("", std::make_unique<Place>("", std::move(*home))).first->second;
  if (auto read = read_settings(host->channel, host->snapshot); !read) return read;
  if (auto read = dump_links(host->channel, host->snapshot); !read) return read;
  if (host->snapshot.link(std::string(interface)) != nullptr)
    return Error{Exit::conflict,
                 std::string("there is an interface ") + interface,
                 "on this host",
                 {},
                 "another topo test may be at work; else delete it",
                 {}};
  if (auto read = dump_addresses(host->channel, host->snapshot); !read) return read;
  if (auto read = dump_routes(host->channel, owner_protocol, host->snapshot); !read) return read;
  if (auto chosen = choose_networks(taken); !chosen) return chosen;
  Work work(places_, 0, {});
  const auto made = work.make_place(place_name);
  if (!made) return made.error();
  {
    const auto inside = Inside::enter((*made)->netns.get(), (*made)->home_fd);
    if (!inside) return inside.error();
    if (auto settled = settle_network(); !settled) return settled;
  }
  work.batch(Work::Step::make, "").add(uplink::cable(interface, (*made)->netns.get()), "cannot make the cable to the stand-in for the outside");
  work.will_make({"", interface});
  return furnish(work, addresses);
}

Result<void> StandIn::choose_networks(const std::vector<Cidr>& taken) {
  const Snapshot& host = places_.at("")->snapshot;
  // Wide routes are the way to somewhere else, and ours are narrower.
  const auto meets = [&](const IpAddress& address) {
    const auto holds = [&](const Cidr& network) { return network.prefix() > 0 && network.network().contains(address); };
    return std::any_of(taken.begin(), taken.end(), holds) ||
           std::any_of(host.addresses.begin(), host.addresses.end(), [&](const AddressRecord& own) { return own.address.address() == address; }) ||
           std::any_of(host.routes.begin(), host.routes.end(),
                       [&](const RouteRecord& own) { return own.destination.prefix() >= address.bits() - 8U && holds(own.destination); });
  };
  const auto choose = [&](const auto& pairs, std::size_t family) {
    for (const Pair& pair : pairs) {
      const IpAddress own = *IpAddress::parse(pair.own), gate = *IpAddress::parse(pair.host);
      if (meets(own) || meets(gate)) continue;
      host_[family] = gate;
      own_[family] = own;
      return true;
    }
    return false;
  };
  const bool v6 = host.settings.forwarding_v6.has_value();
  if (choose(pairs_v4, 0) && (!v6 || choose(pairs_v6, 1))) return {};
  return Error{
      Exit::conflict, "no network is free for the stand-in for the outside", {}, {}, "the subnets for documentation are in use on this host", {}};
}

Result<void> StandIn::furnish(Work& work, const std::vector<IpAddress>& addresses) {
  const auto outer = work.index({"", interface}), own = work.index({place_name, uplink::inner});
  if (!outer) return outer.error();
  if (!own) return own.error();
  // Both ends before anything that needs the cable to carry packets.
  auto& host = work.batch(Work::Step::configure, "");
  auto& place = work.batch(Work::Step::configure, place_name);
  host.add(uplink::up(*outer), "cannot bring up the stand-in");
  place.add(uplink::up(*own), "cannot bring up the stand-in");
  for (std::size_t family = 0; family < 2; ++family) {
    if (!host_[family]) continue;
    const auto prefix = static_cast<std::uint8_t>(host_[family]->bits() - 2);
    host.add(uplink::address(Cidr(*host_[family], prefix), *outer), "cannot give the stand-in's cable its address");
    place.add(uplink::address(Cidr(*own_[family], prefix), *own), "cannot give the stand-in its address");
    place.add(uplink::route(std::nullopt, *host_[family], *own), "cannot add the stand-in's route");
  }
  for (const IpAddress& each : addresses) {
    const std::size_t family = each.family() == Family::v4 ? 0 : 1;
    if (!host_[family]) continue;
    place.add(uplink::address(Cidr(each, static_cast<std::uint8_t>(each.bits())), *own), "cannot give the stand-in its address");
    host.add(uplink::route(each, *own_[family], *outer), "cannot add the route to the stand-in");
  }
  work.await({"", interface});
  if (auto finished = work.finish(patience); !finished) return finished;
  // The host may have rules of its own for what it sends where: nothing is to leave the machine.
  for (const IpAddress& each : addresses) {
    if (!host_[each.family() == Family::v4 ? 0 : 1]) continue;
    const auto index = way_to(places_.at("")->channel, each);
    if (!index) return index.error();
    if (*index != *outer)
      return Error{Exit::conflict,
                   "routing rules of this host send what is for " + each.to_string() + " past the stand-in for the outside",
                   {},
                   {},
                   "ip rule shows them; topo test sends nothing that would leave the machine",
                   {}};
  }
  // What comes from outside is forwarded: as topo has it for the interfaces that were there when it applied.
  const std::string name = interface;
  if (auto written = write_sysctl("net/ipv4/conf/" + name + "/forwarding", "1"); !written) return written;
  const auto forced = read_sysctl("net/ipv6/conf/" + name + "/force_forwarding");
  if (forced && *forced) return write_sysctl("net/ipv6/conf/" + name + "/force_forwarding", "1");
  return {};
}

StandIn::~StandIn() {
  const auto host = places_.find("");
  if (host == places_.end() || !places_.contains(place_name)) return;
  Batch batch;
  const ifinfomsg fixed{};
  Message message(RTM_DELLINK, 0, fixed, 128);
  message.put_text(IFLA_IFNAME, interface);
  batch.add(std::move(message), "cannot remove the stand-in's cable");
  (void)host->second->channel.perform(batch);
}

}  // namespace topo::kernel
