#include "firewall/forwarding.hpp"

#include <net/if.h>

#include <algorithm>
#include <optional>

#include "firewall/memory.hpp"
#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "kernel/sysctl.hpp"
#include "topo/names.hpp"

namespace topo::firewall {
namespace {

constexpr std::string_view whole_host_mark = " all=1";

/// "forwarding" forwards IPv4 by interface. The IPv6 one of that name does not; "force_forwarding" does, since Linux 6.17.
std::string leaf(Family family) { return family == Family::v4 ? "forwarding" : "force_forwarding"; }
std::string folder(Family family) { return family == Family::v4 ? "net/ipv4/conf/" : "net/ipv6/conf/"; }
std::string setting(Family family, const std::string& interface) { return folder(family) + interface + "/" + leaf(family); }

/// The memory in a guard's comment: "topo:v1:sysctl:net.ipv4.conf.eth0.forwarding=0".
std::string memo_front(Family family) { return std::string("topo:v1:sysctl:net.") + (family == Family::v4 ? "ipv4" : "ipv6") + ".conf."; }
std::string memo_back(Family family) { return "." + leaf(family) + "=0"; }

/// True, false, or nullopt where there is no such setting.
Result<std::optional<bool>> is_on(const std::string& name) {
  auto value = kernel::read_sysctl(name);
  if (!value) return std::move(value).error();
  if (!*value) return std::optional<bool>();
  return std::optional(**value != "0");
}

/// The names of the interfaces that are no topology's. What is a port of another interface receives nothing itself.
Result<std::vector<std::string>> outside_interfaces(const Place& place) {
  kernel::Snapshot read_now;
  if (place.seen == nullptr) {
    kernel::Channel channel(place.netns_fd, place.home_fd);
    if (auto read = kernel::dump_links(channel, read_now); !read) return std::move(read).error();
  }
  std::vector<std::string> names;
  for (const auto& link : (place.seen != nullptr ? *place.seen : read_now).links) {
    const bool ours = (link.group & link_group_mask) == link_group_any;
    if (!ours && (link.flags & IFF_LOOPBACK) == 0 && link.master == 0) names.push_back(link.name);
  }
  return names;
}

/// The state of a family's forwarding in a namespace.
struct Forwarding {
  bool by_host = false;          ///< IPv6 only: on for all interfaces, whatever their own settings say
  std::optional<bool> all;       ///< conf/all of the setting by interface; nullopt: the kernel has no such setting
  std::vector<std::string> off;  ///< interfaces of the outside that do not forward
};

Result<Forwarding> read_forwarding(const Place& place, Family family) {
  auto names = outside_interfaces(place);
  if (!names) return std::move(names).error();
  auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
  if (!inside) return std::move(inside).error();
  Forwarding state;
  auto all = is_on(setting(family, "all"));
  if (!all) return std::move(all).error();
  state.all = *all;
  if (family == Family::v6) {
    auto by_host = is_on("net/ipv6/conf/all/forwarding");
    if (!by_host) return std::move(by_host).error();
    state.by_host = by_host->value_or(false);
  }
  if (state.by_host) return state;
  for (const auto& name : *names) {
    auto on = is_on(setting(family, name));
    if (!on) return std::move(on).error();
    // An interface without the setting (an MTU too small for the family) has no part in it.
    if (*on == false || (!state.all && family == Family::v6)) state.off.push_back(name);
  }
  return state;
}

Error no_forwarding(Family family) {
  if (family == Family::v4) return {Exit::unsupported, "cannot forward IPv4", {}, "the kernel has no IPv4 settings here", "mount /proc", {}};
  return {Exit::unsupported,
          "cannot forward IPv6 from and to the outside",
          {},
          "this kernel (before Linux 6.17) cannot turn it on by interface",
          "sysctl -w net.ipv6.conf.all.forwarding=1 (an interface that learns its address from router advertisements needs accept_ra=2 then)",
          {}};
}

/// Guards that are still needed: not those of a host whose owner has meanwhile turned forwarding on as a whole.
std::vector<SharedChain::Guard> still_needed(const std::vector<SharedChain::Guard>& guards, const Forwarding& state) {
  std::vector<SharedChain::Guard> kept;
  for (const auto& guard : guards) {
    if (state.by_host || (state.all == true && !guard.host_forwarded)) continue;
    kept.push_back(guard);
  }
  return kept;
}

/// The settings to put back.
Result<std::vector<std::string>> to_restore(const Place& place, Family family, const std::vector<SharedChain::Guard>& guards) {
  auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
  if (!inside) return std::move(inside).error();
  std::vector<std::string> settings;
  for (const auto& guard : guards) {
    auto on = is_turned_on(family, guard);
    if (!on) return std::move(on).error();
    if (*on) settings.push_back(setting(family, guard.interface));
  }
  return settings;
}

}  // namespace

std::string memo_of(const SharedChain::Guard& guard, Family family) {
  std::string memo = memo_front(family) + guard.interface + memo_back(family);
  if (guard.host_forwarded) memo += whole_host_mark;
  return memo;
}

std::optional<SharedChain::Guard> guard_of(std::string comment, Family family) {
  const std::string front = memo_front(family), back = memo_back(family);
  SharedChain::Guard guard;
  if (comment.ends_with(whole_host_mark)) {
    guard.host_forwarded = true;
    comment.resize(comment.size() - whole_host_mark.size());
  }
  if (!comment.starts_with(front) || !comment.ends_with(back) || comment.size() <= front.size() + back.size()) return std::nullopt;
  guard.interface = comment.substr(front.size(), comment.size() - front.size() - back.size());
  if (guard.interface.size() >= IFNAMSIZ || guard.interface.find('/') != std::string::npos || guard.interface == "..") return std::nullopt;
  return guard;
}

std::string need_mark(const std::string& topology) { return owner_mark(topology) + ":forwards"; }

std::optional<std::string> who_needs(const std::string& mark) { return mark_ref(mark) == "forwards" ? owner_of(mark) : std::nullopt; }

SharedChain together(const SharedChain& one, const SharedChain& other) {
  SharedChain both = one;
  for (const auto& guard : other.guards) {
    const auto same = [&](const auto& known) { return known.interface == guard.interface; };
    if (std::none_of(both.guards.begin(), both.guards.end(), same)) both.guards.push_back(guard);
  }
  both.topologies.insert(other.topologies.begin(), other.topologies.end());
  both.foreign = one.foreign || other.foreign;
  return both;
}

Result<bool> outside_forwards(const Place& place, Family family) {
  auto state = read_forwarding(place, family);
  if (!state) return std::move(state).error();
  return state->off.empty();
}

Result<bool> is_turned_on(Family family, const SharedChain::Guard& guard) {
  auto all = is_on(setting(family, "all"));
  if (!all) return std::move(all).error();
  auto on = is_on(setting(family, guard.interface));
  if (!on) return std::move(on).error();
  return *on == true && *all == guard.host_forwarded;
}

Result<bool> is_forwarding(const Place& place, Family family, const SharedChains& live, const SharedChain& meant) {
  const auto sorted = [](std::vector<SharedChain::Guard> guards) {
    std::sort(guards.begin(), guards.end());
    return guards;
  };
  if (together(live.own, live.other).topologies != meant.topologies || sorted(live.own.guards) != sorted(meant.guards)) return false;
  return outside_forwards(place, family);
}

Result<ForwardingPlan> plan_forwarding(const Place& place, Family family, const std::string& topology, const SharedChains& live, bool needed) {
  auto known = recalled(place, family, together(live.own, live.other));
  if (!known) return std::move(known).error();
  ForwardingPlan plan{live.own, {}, *known, {}, {}};
  // What was recalled of topologies is the chain's that is there, or else this one's.
  for (const auto& each : known->topologies) {
    if (!live.other.topologies.contains(each)) plan.wanted.topologies.insert(each);
  }
  plan.wanted.topologies.erase(topology);
  if (needed) {
    plan.wanted.topologies.insert(topology);
    auto state = read_forwarding(place, family);
    if (!state) return std::move(state).error();
    if (!state->off.empty() && !state->all) return no_forwarding(family);
    plan.meant.guards = still_needed(known->guards, *state);
    for (const auto& interface : state->off) {
      const bool guarded =
          std::any_of(plan.meant.guards.begin(), plan.meant.guards.end(), [&](const auto& guard) { return guard.interface == interface; });
      if (!guarded) plan.meant.guards.push_back({interface, state->all == true});
      plan.turn_on.push_back(setting(family, interface));
    }
  }
  plan.meant.topologies = plan.wanted.topologies;
  plan.meant.topologies.insert(live.other.topologies.begin(), live.other.topologies.end());
  if (plan.meant.topologies.empty() && !known->empty()) {
    auto settings = to_restore(place, family, known->guards);
    if (!settings) return std::move(settings).error();
    plan.restore = std::move(*settings);
    plan.meant.guards.clear();
  }
  const auto guards_for = [&](const std::set<std::string>& topologies) {
    return topologies.empty() ? std::vector<SharedChain::Guard>() : plan.meant.guards;
  };
  plan.wanted.guards = guards_for(plan.wanted.topologies);
  SharedChain other = live.other;
  other.guards = guards_for(other.topologies);
  if (!(other == live.other)) plan.other = std::move(other);
  return plan;
}

Result<void> write_settings(const Place& place, const std::vector<std::string>& settings, const std::string& value) {
  if (settings.empty()) return {};
  auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
  if (!inside) return std::move(inside).error();
  for (const auto& name : settings) {
    auto there = kernel::read_sysctl(name);
    if (!there) return std::move(there).error();
    if (!*there) continue;
    if (auto written = kernel::write_sysctl(name, value); !written) return written;
  }
  return {};
}

}  // namespace topo::firewall
