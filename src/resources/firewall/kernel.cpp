#include "resources/firewall/kernel.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "firewall/backend.hpp"
#include "kernel/sysctl.hpp"
#include "resources/firewall/meaning.hpp"
#include "resources/link/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

firewall::Place backend_place(const kernel::Place& place) {
  return {place.name, place.netns.get(), place.home_fd, place.name.empty() ? state_folder : "", &place.snapshot};
}

/// Read once a look, however many ask.
const firewall::Tables& tables_of(const Reading& reading, const kernel::Place& place) {
  return reading.tables.try_emplace(place.name, backend_place(place)).first->second;
}

Result<void> look_at(const std::vector<const kernel::Place*>& places, const Reading& reading, Graph& live) {
  std::vector<const firewall::Tables*> looks;
  for (const kernel::Place* place : places) looks.push_back(&tables_of(reading, *place));
  if (auto read = firewall::read_together(looks, reading.topology); !read) return read;
  for (const firewall::Tables* look : looks) {
    auto found = firewall::observe(*look, reading.topology);
    if (!found) return std::move(found).error();
    if (*found) live.put(std::move(**found));
  }
  return {};
}

/// The host may; of the topology's own namespaces those that forward, which a look at their settings has shown: to ask each of a thousand others
/// would take longer than all the rest.
bool may_have_firewall(const Reading& reading, const kernel::Place& place) {
  const kernel::NamespaceSettings& settings = place.snapshot.settings;
  return place.name.empty() || place.snapshot.has_iptables || settings.forwarding_v4.value_or(false) || settings.forwarding_v6.value_or(false) ||
         reading.desired.find(id_of(Firewall{place.name, {}, false, false})) != nullptr;
}

bool matters(const Resource& resource) {
  return std::holds_alternative<Address>(resource) || std::holds_alternative<Veth>(resource) || std::holds_alternative<Route>(resource) ||
         std::holds_alternative<Namespace>(resource);
}

/// Of the topology as it was, with the changes of `plan` where there is one.
Layout layout_of(const Graph& live, const Plan* plan) {
  std::map<Id, Resource> there;
  for (const auto& [id, node] : live.nodes()) {
    if (matters(node.resource)) there.emplace(id, node.resource);
  }
  const std::vector<Change> none;
  for (const Change& change : plan != nullptr ? plan->changes : none) {
    if (!matters(change.after ? *change.after : *change.before)) continue;
    if (change.after) {
      there.insert_or_assign(id_of(*change.after), *change.after);
    } else {
      there.erase(id_of(*change.before));
    }
  }
  Layout layout;
  for (auto& [id, resource] : there) {
    if (auto* address = std::get_if<Address>(&resource)) layout.addresses.push_back(std::move(*address));
    if (auto* cable = std::get_if<Veth>(&resource)) layout.cables.push_back(std::move(*cable));
    if (auto* route = std::get_if<Route>(&resource)) layout.routes.push_back(std::move(*route));
    if (auto* ns = std::get_if<Namespace>(&resource); ns != nullptr && ns->forwards) layout.routers.insert(ns->name);
  }
  return layout;
}

/// What `place` has that is not the topology's.
void add_foreign(const kernel::Place& place, std::uint32_t group, Layout& layout) {
  const kernel::Snapshot& snapshot = place.snapshot;
  for (const auto& link : snapshot.links) {
    if (link.group != group) layout.foreign.emplace(link.name, link.group);
  }
  for (const auto& record : snapshot.addresses) {
    const kernel::LinkRecord* const link = snapshot.link(record.link);
    if (link != nullptr && link->group != group) layout.addresses.push_back({place.name, link->name, record.address});
  }
  for (const auto& record : snapshot.routes) {
    Route route;
    route.ns = place.name;
    route.destination = record.destination;
    route.table = record.table;
    for (const auto& hop : record.next_hops) {
      if (const kernel::LinkRecord* const link = snapshot.link(hop.link)) route.next_hops.push_back({hop.via, link->name, hop.weight});
    }
    if (record.protocol != owner_protocol) layout.routes.push_back(std::move(route));
  }
}

Ways ways_in(const kernel::Place& place, const std::string& topology, Layout layout, const Firewall* firewall) {
  add_foreign(place, link_group(topology), layout);
  if (firewall != nullptr) layout.switches.merge(switch_zones(*firewall));
  return {place.name, link_group(topology), layout};
}

Result<void> forget(const Execution& execution, const Firewall* before, const Firewall* after) {
  const auto place = execution.work.place(after != nullptr ? after->ns : before->ns);
  if (!place) return place.error();
  if ((*place)->fresh) return {};
  const std::string& topology = execution.plan.topology;
  return firewall::forget_connections(backend_place(**place), after, ways_in(**place, topology, layout_of(execution.live, nullptr), before),
                                      ways_in(**place, topology, layout_of(execution.live, &execution.plan), after));
}

Result<void> replace(Execution& execution, const std::string& ns, const Firewall* after) {
  auto place = execution.work.place(ns);
  if (!place) return std::move(place).error();
  return firewall::replace(backend_place(**place), execution.plan.topology, after, {execution.lock_timeout, execution.work.stop()});
}

Result<void> bring(Execution& execution, const Firewall* before, const Firewall& after) {
  if (auto replaced = replace(execution, after.ns, &after); !replaced) return replaced;
  execution.work.at_end([&execution, before, &after] { return forget(execution, before, &after); });
  return {};
}

/// Whether the host takes packets to `address` as its own once `desired` is there.
bool will_have(const kernel::Place& host, const Graph& desired, const IpAddress& address) {
  if (address.is_loopback()) return true;
  const kernel::Snapshot& there = host.snapshot;
  const auto wanted = desired.all<Address>();
  const auto is_wanted = [&](const Address* it) { return it->ns.empty() && it->address.address() == address; };
  const auto is_strangers = [&](const kernel::AddressRecord& record) {
    const kernel::LinkRecord* const link = there.link(record.link);
    return record.address.address() == address && link != nullptr && !link::is_owned(*link, {}, desired.topology());
  };
  const auto leads_here = [&](const kernel::RouteRecord& route) { return route.type == RTN_LOCAL && route.destination.contains(address); };
  return std::any_of(wanted.begin(), wanted.end(), is_wanted) || std::any_of(there.addresses.begin(), there.addresses.end(), is_strangers) ||
         std::any_of(there.routes.begin(), there.routes.end(), leads_here);
}

/// Of each bridge on the host: how many of its ports lead to somebody who may send packets of `family`. Who has no address may get any.
std::map<std::string, std::size_t> speakers(const Graph& desired, Family family) {
  std::set<std::pair<std::string, std::string>> with_address, of_family;
  for (const Address* address : desired.all<Address>()) {
    with_address.emplace(address->ns, address->interface);
    if (address->address.family() == family) of_family.emplace(address->ns, address->interface);
  }
  std::map<std::string, std::size_t> found;
  for (const Veth* cable : desired.all<Veth>()) {
    for (const VethEnd& end : cable->ends) {
      const VethEnd& far = cable->ends[&end == cable->ends.data() ? 1 : 0];
      const std::pair who(far.ns, far.name);
      if (end.ns.empty() && !end.bridge.empty() && (of_family.contains(who) || !with_address.contains(who))) ++found[end.bridge];
    }
  }
  return found;
}

/// Whether what members of a bridge on the host send one another meets the host's rules about what is forwarded: by the bridge's own option, or since
/// somebody asked for that of all bridges.
Result<bool> is_bridged_to_forward(const Graph& desired, Family family) {
  const auto bridges = desired.all<Bridge>();
  const auto setting = kernel::read_sysctl(family == Family::v4 ? "net/bridge/bridge-nf-call-iptables" : "net/bridge/bridge-nf-call-ip6tables");
  if (!setting) return setting.error();
  const bool all = *setting && **setting != "0";
  const auto meets = [&](const Bridge* bridge) { return bridge->ns.empty() && (all || bridge->filtered); };
  if (std::none_of(bridges.begin(), bridges.end(), meets)) return false;
  auto ports = speakers(desired, family);
  return std::any_of(bridges.begin(), bridges.end(), [&](const Bridge* bridge) { return meets(bridge) && ports[bridge->name] > 1; });
}

Result<firewall::Bridged> bridged_on_host(const Graph& desired) {
  const auto v4 = is_bridged_to_forward(desired, Family::v4), v6 = is_bridged_to_forward(desired, Family::v6);
  if (!v4 || !v6) return (v4 ? v6 : v4).error();
  return firewall::Bridged{*v4, *v6};
}

/// What of the place's own rules is in the way; `wanted` may be nullptr on the host, where something passes all the same.
Result<void> add_warnings(const Reading& reading, const kernel::Place& place, const Firewall* wanted, std::vector<Warning>& found) {
  const bool on_host = place.name.empty();
  const auto bridged = on_host ? bridged_on_host(reading.desired) : Result<firewall::Bridged>(firewall::Bridged{});
  if (!bridged) return bridged.error();
  if (wanted == nullptr && !bridged->v4 && !bridged->v6) return {};
  const Firewall none;
  const Firewall& meant = wanted != nullptr ? *wanted : none;
  const auto warnings = firewall::warnings(tables_of(reading, place), reading.topology, meant, *bridged);
  if (!warnings) return warnings.error();
  found.insert(found.end(), warnings->begin(), warnings->end());
  if (!on_host) return {};
  const auto strange = firewall::address_warnings(meant, [&](const IpAddress& address) { return will_have(place, reading.desired, address); });
  found.insert(found.end(), strange.begin(), strange.end());
  return {};
}

}  // namespace

Result<void> KernelHalf<Firewall>::create(const Firewall& wanted, Execution& execution) { return bring(execution, nullptr, wanted); }

Result<void> KernelHalf<Firewall>::update(const Firewall& before, const Firewall& after, Execution& execution) {
  return bring(execution, &before, after);
}

Result<void> KernelHalf<Firewall>::remove(const Firewall& live, Execution& execution) {
  // Only when the links are gone: until then they must not be without it.
  execution.work.after_links([&execution, &live] { return replace(execution, live.ns, nullptr); });
  execution.work.at_end([&execution, &live]() -> Result<void> {
    if (!execution.work.has_place(live.ns)) return {};
    return forget(execution, &live, nullptr);
  });
  return {};
}

Result<void> KernelHalf<Firewall>::observe(const Reading& reading, Graph& live) {
  std::vector<const kernel::Place*> likely, others;
  for (const auto& [ns, place] : reading.places) (may_have_firewall(reading, *place) ? likely : others).push_back(place.get());
  if (auto looked = look_at(likely, reading, live); !looked) return looked;
  // A namespace shows nothing of nftables until it is asked. One of iptables among the others means that it would show: a topology has one backend.
  const auto firewalls = live.all<Firewall>();
  const bool by_iptables = std::any_of(firewalls.begin(), firewalls.end(), [](const Firewall* it) { return !it->rules.empty(); });
  const bool by_nftables = std::any_of(firewalls.begin(), firewalls.end(), [](const Firewall* it) { return !it->tables.empty(); });
  return by_iptables && !by_nftables ? Result<void>() : look_at(others, reading, live);
}

Result<void> KernelHalf<Firewall>::find_hindrances(const Reading& reading, const Graph& live, Hindrances& found) {
  for (const auto& [ns, place] : reading.places) {
    const Id id = id_of(Firewall{ns, {}, false, false});
    const auto in = [&](const Graph& graph) {
      const Node* const node = graph.find(id);
      return node == nullptr ? nullptr : &std::get<Firewall>(node->resource);
    };
    const Firewall* const wanted = in(reading.desired);
    const Firewall* const there = in(live);
    const firewall::Tables& where = tables_of(reading, *place);
    if (wanted != nullptr || there != nullptr) {
      const auto chains = firewall::foreign_chains(where, reading.topology, wanted);
      if (!chains) return chains.error();
      for (const auto& [chain, why] : *chains) found.obstacles.push_back({chain, why, false});
    }
    if (auto added = add_warnings(reading, *place, wanted, found.warnings); !added) return added;
    if (wanted == nullptr) continue;
    const auto conflicts = firewall::port_conflicts(where, reading.topology, *wanted, there);
    if (!conflicts) return conflicts.error();
    for (const auto& conflict : *conflicts)
      found.obstacles.push_back({"port " + conflict.port, (conflict.listener ? "" : "belongs to ") + conflict.holder, conflict.listener});
  }
  return {};
}

}  // namespace topo
