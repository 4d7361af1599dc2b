#include "resources/namespace/kernel.hpp"

#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>

#include "resources/link/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

using kernel::Work;

constexpr const char* forwarding_v4 = "net/ipv4/ip_forward";
constexpr const char* forwarding_v6 = "net/ipv6/conf/all/forwarding";
constexpr const char* rp_filter = "net/ipv4/conf/all/rp_filter";
constexpr std::uint32_t strict = 1;  // its value that drops what is routed one way only

/// Writes only what is not so already: in thousands of namespaces each write costs more than the one before.
Result<void> set_forwarding(const Namespace& wanted, kernel::Place& place, Work& work) {
  auto& settings = place.snapshot.settings;
  const std::string value = wanted.forwards ? "1" : "0";
  if (settings.forwarding_v4 && *settings.forwarding_v4 != wanted.forwards) {
    if (auto set = work.set_sysctl(wanted.name, forwarding_v4, value); !set) return set;
  }
  if (settings.forwarding_v6 && *settings.forwarding_v6 != wanted.forwards) {
    if (auto set = work.set_sysctl(wanted.name, forwarding_v6, value); !set) return set;
  }
  if (settings.rp_filter == strict) {
    if (auto set = work.set_sysctl(wanted.name, rp_filter, "0"); !set) return set;
  }
  settings = {settings.forwarding_v4 ? std::optional(wanted.forwards) : std::nullopt,
              settings.forwarding_v6 ? std::optional(wanted.forwards) : std::nullopt, 0};
  return {};
}

kernel::Message mark_message(const std::string& topology) {
  ifinfomsg fixed{};
  fixed.ifi_index = 1;
  fixed.ifi_flags = IFF_UP;
  fixed.ifi_change = IFF_UP;
  kernel::Message message(RTM_NEWLINK, 0, fixed, 256);
  message.put_text(IFLA_IFALIAS, owner_mark(topology));
  message.put_u32(IFLA_GROUP, link_group(topology));
  return message;
}

/// Forwarding is written for all interfaces at once: a bridge that the namespace has no part in, and which stays as it is, loses it again.
void spare_switches(const Namespace& wanted, const kernel::Place& place, Execution& execution) {
  auto& batch = execution.work.batch(Work::Step::configure, wanted.name);
  const auto changes = [&](const Bridge& bridge) {
    return std::any_of(execution.plan.changes.begin(), execution.plan.changes.end(),
                       [&](const Change& change) { return change.before && id_of(*change.before) == id_of(bridge); });
  };
  for (const Bridge* bridge : execution.live.all<Bridge>()) {
    if (bridge->ns != wanted.name || bridge->gateway_v4 || changes(*bridge)) continue;
    const kernel::LinkRecord* const link = place.snapshot.link(bridge->name);
    if (link != nullptr) batch.add(link::ipv4_message(link->index, IPV4_DEVCONF_FORWARDING, 0), "cannot configure bridge " + bridge->title());
  }
}

Result<void> configure(const Namespace& wanted, kernel::Place& place, Execution& execution) {
  if (auto set = set_forwarding(wanted, place, execution.work); !set) return set;
  execution.work.batch(Work::Step::configure, wanted.name).add(mark_message(execution.plan.topology), "cannot mark namespace " + wanted.name);
  return {};
}

/// When a namespace ends its filter goes first, and its links only then: where it passes on what others send, none of them may be up by then.
Result<void> silence(const Namespace& live, Work& work) {
  if (!work.has_place(live.name)) return {};
  const auto place = work.place(live.name);
  if (!place) return place.error();
  const auto& links = (*place)->snapshot.links;
  const bool switches = std::any_of(links.begin(), links.end(), [](const auto& link) { return link.bridge.has_value(); });
  if (!live.forwards && !switches) return {};
  auto& batch = work.batch(Work::Step::configure, live.name);
  for (const auto& link : links) {
    const bool is_port = link.master != 0;
    if (link.index != 1 && !is_port && link.is_up())
      batch.add(link::down_message({link.name, link.index}), "cannot bring down interface " + live.name + ":" + link.name, {ENODEV});
  }
  return {};
}

Namespace told(const kernel::Place& place, const Reading& reading) {
  Namespace found{place.name, false, {}};
  const auto say = [&](const std::string& what) { found.amiss += (found.amiss.empty() ? "" : ", ") + what; };
  const kernel::LinkRecord& loopback = *place.snapshot.link(1);
  if (!loopback.is_up()) say("lo is down");
  if (loopback.alias != owner_mark(reading.topology) || loopback.group != link_group(reading.topology)) say("mark lost");
  const auto sysctls = link::remembered_sysctls(place);
  const auto by_sysctl = [&](const std::string& name) { return std::find(sysctls.begin(), sysctls.end(), name) != sysctls.end(); };
  // No sysctl of a file says of forwarding what its namespace does not.
  const auto& settings = place.snapshot.settings;
  found.forwards = settings.forwarding_v4.value_or(false);
  if (settings.forwarding_v6 && *settings.forwarding_v6 != found.forwards) say(*settings.forwarding_v6 ? "forwards IPv6" : "does not forward IPv6");
  if (settings.rp_filter == strict && !by_sysctl(rp_filter)) say("rp_filter is " + std::to_string(settings.rp_filter));
  return found;
}

}  // namespace

Result<void> KernelHalf<Namespace>::create(const Namespace& wanted, Execution& execution) {
  auto place = execution.work.make_place(wanted.name);
  if (!place) return std::move(place).error();
  return configure(wanted, **place, execution);
}

Result<void> KernelHalf<Namespace>::update(const Namespace&, const Namespace& after, Execution& execution) {
  if (!execution.work.has_place(after.name)) return create(after, execution);  // a crash had left the file alone
  auto place = execution.work.place(after.name);
  if (!place) return std::move(place).error();
  if (auto configured = configure(after, **place, execution); !configured) return configured;
  if (after.forwards) spare_switches(after, **place, execution);
  return {};
}

Result<void> KernelHalf<Namespace>::remove(const Namespace& live, Execution& execution) {
  auto& work = execution.work;
  if (auto quiet = silence(live, work); !quiet) return quiet;
  work.doom_place(live.name);
  work.after_links([&work, name = live.name] { return work.remove_place(name); });
  return {};
}

Result<void> KernelHalf<Namespace>::observe(const Reading& reading, Graph& live) {
  for (const auto& [ns, place] : reading.places) {
    if (!ns.empty()) live.put(told(*place, reading));
  }
  for (const std::string& name : reading.leftovers) live.put(Namespace{name, false, "only its file is there"});
  return {};
}

Result<void> KernelHalf<Namespace>::find_hindrances(const Reading& reading, const Graph&, Hindrances& found) {
  for (const Namespace* wanted : reading.desired.all<Namespace>()) {
    if (const auto stranger = reading.strangers.find(wanted->name); stranger != reading.strangers.end())
      found.obstacles.push_back({"namespace " + wanted->name, stranger->second, false});
  }
  for (const auto& [name, own] : reading.second_names) {
    if (reading.desired.find("namespace " + own) != nullptr) continue;
    // Under the other name it would live on, and be taken for one that is still to be removed.
    found.obstacles.push_back(
        {"namespace " + own, "is to be removed, but has another name, " + name + "; take that away: ip netns del " + name, false});
  }
  return {};
}

}  // namespace topo
