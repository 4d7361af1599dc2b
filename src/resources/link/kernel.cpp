#include "resources/link/kernel.hpp"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "topo/names.hpp"

namespace topo::link {
namespace {

constexpr std::uint32_t smallest_ipv6_mtu = 1280;                          // below it the kernel runs no IPv6 on an interface (RFC 8200, section 5)
constexpr int devconf_force_forwarding = DEVCONF_ACCEPT_UNTRACKED_NA + 2;  // Linux 6.17, newer than the installed linux/ipv6.h
constexpr std::string_view memo_prefix = "sysctl,";

constexpr std::array<std::pair<int, const char*>, 4> ipv4_names{{{IPV4_DEVCONF_FORWARDING, "forwarding"},
                                                                 {IPV4_DEVCONF_RP_FILTER, "rp_filter"},
                                                                 {IPV4_DEVCONF_ARP_IGNORE, "arp_ignore"},
                                                                 {IPV4_DEVCONF_ROUTE_LOCALNET, "route_localnet"}}};

std::string name_of(int number) {
  const auto found = std::find_if(ipv4_names.begin(), ipv4_names.end(), [&](const auto& entry) { return entry.first == number; });
  return found == ipv4_names.end() ? std::to_string(number) : found->second;
}

/// "NS:NAME" alone is a bridge's reference, "NS:NAME=NS:NAME" a cable's.
bool refers_to(const std::string& reference, const std::string& place) {
  return reference == place || reference.starts_with(place + "=") || reference.ends_with("=" + place);
}

kernel::Message message_for(const Addressee& link, ifinfomsg fixed, std::size_t size) {
  fixed.ifi_index = link.index;
  kernel::Message message(RTM_NEWLINK, 0, fixed, size);
  if (link.index == 0) message.put_text(IFLA_IFNAME, link.name);
  return message;
}

}  // namespace

std::uint32_t scratch_group(const std::string& topology) { return link_group(topology) ^ ~link_group_mask; }

bool is_owned(const kernel::LinkRecord& link, const std::string& ns, const std::string& topology) {
  if (link.kind != "bridge" && link.kind != "veth") return false;
  const auto owner = owner_of(link.alias);
  if (owner && *owner != topology) return false;
  if (link.group == link_group(topology) || link.group == scratch_group(topology)) return true;
  return owner && refers_to(mark_ref(link.alias), ns + ":" + link.name);
}

std::string whose(const kernel::LinkRecord& link) {
  const auto owner = owner_of(link.alias);
  return owner ? "belongs to topology " + *owner : "is not made by topo";
}

void check_name(const Reading& reading, const std::string& ns, const std::string& name, Hindrances& found) {
  const auto place = reading.places.find(ns);
  if (place == reading.places.end()) return;
  const kernel::LinkRecord* const link = place->second->snapshot.link(name);
  if (link == nullptr) return;
  const bool is_ours = (!ns.empty() && link->index == 1) || is_owned(*link, ns, reading.topology);
  if (is_ours && link->name == name) return;
  const std::string alias = link->name == name ? "" : "is another name of " + link->name + ", which ";
  found.obstacles.push_back({"interface " + (ns.empty() ? "" : ns + ":") + name, alias + whose(*link), false});
}

kernel::Message set_message(const Settings& settings, bool has_ipv6, int index) {
  kernel::Message message = message_for({settings.name, index}, {}, 1024);
  message.put_text(IFLA_IFALIAS, settings.alias);
  message.put_u32(IFLA_GROUP, settings.group);
  const bool silence_ipv6 = has_ipv6 && settings.silence_ipv6 && settings.mtu >= smallest_ipv6_mtu;
  if (settings.ipv4.empty() && !silence_ipv6) return message;
  message.nest(IFLA_AF_SPEC, [&] {
    if (!settings.ipv4.empty()) {
      message.nest(AF_INET, [&] {
        message.nest(IFLA_INET_CONF, [&] {
          for (const auto& [number, value] : settings.ipv4) message.put_u32(number, value);
        });
      });
    }
    if (silence_ipv6) message.nest(AF_INET6, [&] { message.put_u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE); });
  });
  return message;
}

kernel::Message up_message(const Addressee& link) {
  ifinfomsg fixed{};
  fixed.ifi_flags = IFF_UP;
  fixed.ifi_change = IFF_UP;
  return message_for(link, fixed, 128);
}

kernel::Message down_message(const Addressee& link) {
  ifinfomsg fixed{};
  fixed.ifi_change = IFF_UP;
  return message_for(link, fixed, 128);
}

kernel::Message ipv4_message(int index, int setting, std::uint32_t value) {
  ifinfomsg fixed{};
  fixed.ifi_index = index;
  kernel::Message message(RTM_SETLINK, 0, fixed, 128);
  message.nest(IFLA_AF_SPEC, [&] { message.nest(AF_INET, [&] { message.nest(IFLA_INET_CONF, [&] { message.put_u32(setting, value); }); }); });
  return message;
}

std::string amiss(const Settings& settings, const kernel::LinkRecord& link) {
  std::string found;
  const auto say = [&](const std::string& what) { found += (found.empty() ? "" : ", ") + what; };
  if (!link.is_up()) say("down");
  if (link.group != settings.group) say("group lost");
  if (link.alias != settings.alias) say("alias lost");
  for (const auto& [number, value] : settings.ipv4) {
    // Where none are wanted, loose source checks do no harm, and udev rules of many a host turn them on for every new interface.
    const bool loose = number == IPV4_DEVCONF_RP_FILTER && link.ipv4_setting(number) == loose_rp_filter;
    if (link.ipv4_setting(number) != value && !loose) say(name_of(number) + " is " + std::to_string(link.ipv4_setting(number)));
  }
  if (settings.silence_ipv6 && !link.ipv6.empty() && link.ipv6_setting(DEVCONF_ADDR_GEN_MODE) != IN6_ADDR_GEN_MODE_NONE)
    say("addr_gen_mode is not none");
  return found;
}

kernel::Message mtu_message(const std::string& name, std::uint32_t mtu) {
  kernel::Message message = message_for({name}, {}, 128);
  message.put_u32(IFLA_MTU, mtu);
  return message;
}

kernel::Message port_message(const Addressee& port, int option, std::uint8_t value) {
  kernel::Message message = message_for(port, {}, 256);
  message.nest(IFLA_LINKINFO, [&] {
    message.put(IFLA_INFO_SLAVE_KIND, "bridge", 6);
    message.nest(IFLA_INFO_SLAVE_DATA, [&] { message.put_u8(option, value); });
  });
  return message;
}

// None of the settings that the next two write has a netlink attribute.

Result<void> serve_ipv6(kernel::Work& work, const std::string& ns, const std::string& name, std::uint32_t mtu, bool gateway) {
  if (!work.has_ipv6() || mtu < smallest_ipv6_mtu) return {};
  const std::string folder = "net/ipv6/conf/" + name + "/";
  if (!gateway) return work.set_sysctl(ns, folder + "disable_ipv6", "1");
  if (auto set = work.set_sysctl(ns, folder + "disable_ipv6", "0"); !set) return set;
  if (auto set = work.set_sysctl(ns, folder + "accept_ra", "0"); !set) return set;
  auto place = work.place(ns);
  if (!place) return std::move(place).error();
  auto forced = work.set_sysctl(ns, folder + "force_forwarding", "1");
  if (forced || (*place)->snapshot.settings.forwarding_v6.value_or(false)) return {};
  forced.error().exit = Exit::unsupported;
  forced.error().what = "cannot forward IPv6 from interface " + name + " alone";
  forced.error().remedy = "use Linux 6.17 or later, or let all of the host forward: sysctl -w net.ipv6.conf.all.forwarding=1";
  return forced;
}

Result<void> retire_ipv6(kernel::Work& work, const std::string& ns, const std::string& name, std::uint32_t mtu) {
  if (!work.has_ipv6() || mtu < smallest_ipv6_mtu) return {};
  for (const std::string setting : {"disable_ipv6", "accept_ra", "force_forwarding"}) {
    const auto value = work.sysctl(ns, "net/ipv6/conf/default/" + setting);
    if (!value) return value.error();
    if (!*value) continue;
    if (auto set = work.set_sysctl(ns, "net/ipv6/conf/" + name + "/" + setting, **value); !set) return set;
  }
  return {};
}

std::string amiss_as_ipv6_gateway(const kernel::LinkRecord& link, const kernel::Place& place) {
  if (const std::uint32_t accept = link.ipv6_setting(DEVCONF_ACCEPT_RA); accept != 0) return "accept_ra is " + std::to_string(accept);
  const bool has_own = link.ipv6.size() > devconf_force_forwarding;
  const bool forwards = has_own ? link.ipv6_setting(devconf_force_forwarding) != 0 : place.snapshot.settings.forwarding_v6.value_or(false);
  return forwards ? "" : "does not forward IPv6";
}

std::string memo_of(const std::string& sysctl) {
  std::string memo = std::string(memo_prefix) + sysctl;
  std::replace(memo.begin(), memo.end(), '/', ',');
  return memo;
}

std::vector<std::string> remembered_sysctls(const kernel::Place& place) {
  std::vector<std::string> names;
  const kernel::LinkRecord* const loopback = place.snapshot.link(1);
  if (loopback == nullptr) return names;
  for (const std::string& memo : loopback->alternative_names) {
    if (!memo.starts_with(memo_prefix)) continue;
    names.push_back(memo.substr(memo_prefix.size()));
    std::replace(names.back().begin(), names.back().end(), ',', '/');
  }
  return names;
}

void yield_to_sysctls(Settings& settings, const kernel::Place& place) {
  const std::vector<std::string> names = remembered_sysctls(place);
  if (names.empty()) return;
  const auto decided = [&](const std::string& family, const std::string& setting) {
    return std::find(names.begin(), names.end(), "net/" + family + "/conf/" + settings.name + "/" + setting) != names.end();
  };
  std::erase_if(settings.ipv4, [&](const auto& setting) { return decided("ipv4", name_of(setting.first)); });
  settings.silence_ipv6 = !decided("ipv6", "addr_gen_mode") && !decided("ipv6", "stable_secret");
}

}  // namespace topo::link
