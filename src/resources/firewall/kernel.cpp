#include "resources/firewall/kernel.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "apply/locks.hpp"
#include "firewall/backend.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

using firewall::Lookup;

firewall::Place backend_place(const kernel::Place& place) {
  return {place.name, place.netns.get(), place.home_fd, place.name.empty() ? state_folder : ""};
}

/// What the topology will consist of when the plan is done, of the kinds that say where an address is.
struct Layout {
  std::vector<Address> addresses;
  std::vector<Veth> cables;
};

Layout layout_after(const Execution& execution) {
  std::map<Id, Resource> there;
  const auto matters = [](const Resource& resource) { return std::holds_alternative<Address>(resource) || std::holds_alternative<Veth>(resource); };
  for (const auto& [id, node] : execution.live.nodes()) {
    if (matters(node.resource)) there.emplace(id, node.resource);
  }
  for (const Change& change : execution.plan.changes) {
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
  }
  return layout;
}

/// Which interface of one namespace leads to an address.
class Ways {
 public:
  Ways(const kernel::Place& place, const std::string& topology, const Layout& layout) {
    std::map<std::string, const VethEnd*> behind;  // "NS:INTERFACE" -> the cable's other end, where that is in `place`
    for (const Veth& cable : layout.cables) {
      for (std::size_t i = 0; i < 2; ++i) {
        const VethEnd& here = cable.ends[i];
        const VethEnd& there = cable.ends[1 - i];
        if (here.ns == place.name) behind.emplace(there.ns + ":" + there.name, &here);
      }
    }
    for (const Address& address : layout.addresses) {
      if (address.ns == place.name) {
        exact_[address.address.address()] = {};
        note_network(address.address, {address.interface, link_group(topology), {}});
      } else if (const auto found = behind.find(address.ns + ":" + address.interface); found != behind.end()) {
        const VethEnd& end = *found->second;
        exact_[address.address.address()] = {end.bridge.empty() ? end.name : end.bridge, link_group(topology), end.bridge.empty() ? "" : end.name};
      }
    }
    for (const auto& record : place.snapshot.addresses) {
      const kernel::LinkRecord* const link = place.snapshot.link(record.link);
      if (link == nullptr || link->group == link_group(topology)) continue;
      exact_.try_emplace(record.address.address());
      note_network(record.address, {link->name, link->group, {}});
    }
  }

  [[nodiscard]] Lookup::Way to(const IpAddress& address) const {
    if (address.is_loopback()) return {};
    if (const auto found = exact_.find(address); found != exact_.end()) return found->second;
    for (const auto& [network, way] : networks_) {
      if (network.contains(address)) return way;
    }
    return {"?", 0, {}};  // somewhere outside, by an interface that is no topology's
  }

 private:
  void note_network(const Cidr& address, Lookup::Way way) {
    const bool is_host = address.prefix() == address.address().bits();
    if (is_host || (address.family() == Family::v6 && address.address().is_link_local())) return;
    networks_.emplace_back(address.network(), std::move(way));
    std::stable_sort(networks_.begin(), networks_.end(), [](const auto& a, const auto& b) { return a.first.prefix() > b.first.prefix(); });
  }

  std::map<IpAddress, Lookup::Way> exact_;
  std::vector<std::pair<Cidr, Lookup::Way>> networks_;  // the longest prefix first
};

/// The networks of the topology in one namespace, before and after.
std::vector<Cidr> networks_of(const Execution& execution, const Layout& after, const std::string& ns) {
  std::vector<Cidr> networks;
  const auto note = [&](const Address& address) {
    if (address.ns == ns && !(address.address.family() == Family::v6 && address.address.address().is_link_local()))
      networks.push_back(address.address.network());
  };
  for (const Address* address : execution.live.all<Address>()) note(*address);
  for (const Address& address : after.addresses) note(address);
  std::sort(networks.begin(), networks.end());
  networks.erase(std::unique(networks.begin(), networks.end()), networks.end());
  return networks;
}

Result<void> forget(const Execution& execution, const std::string& ns, const netfilter::Ruleset* rules) {
  const auto place = execution.work.place(ns);
  if (!place) return place.error();
  if ((*place)->fresh) return {};
  const Layout layout = layout_after(execution);
  const Ways ways(**place, execution.plan.topology, layout);
  const std::vector<Cidr> networks = networks_of(execution, layout, ns);
  const Lookup lookup{[&](const IpAddress& address) { return ways.to(address); }};
  return firewall::forget_connections(backend_place(**place), rules, lookup, [&](const IpAddress& address) {
    return std::any_of(networks.begin(), networks.end(), [&](const Cidr& network) { return network.contains(address); });
  });
}

Result<void> replace(Execution& execution, const Firewall* before, const Firewall* after) {
  auto place = execution.work.place(after != nullptr ? after->ns : before->ns);
  if (!place) return std::move(place).error();
  return firewall::replace(backend_place(**place), execution.plan.topology, before, after, {execution.lock_timeout, execution.work.stop()});
}

Result<void> bring(Execution& execution, const Firewall* before, const Firewall& after) {
  if (auto replaced = replace(execution, before, &after); !replaced) return replaced;
  execution.work.at_end([&execution, &after] { return forget(execution, after.ns, &after.rules); });
  return {};
}

}  // namespace

Result<void> KernelHalf<Firewall>::create(const Firewall& wanted, Execution& execution) { return bring(execution, nullptr, wanted); }

Result<void> KernelHalf<Firewall>::update(const Firewall& before, const Firewall& after, Execution& execution) {
  return bring(execution, &before, after);
}

Result<void> KernelHalf<Firewall>::remove(const Firewall& live, Execution& execution) {
  // Only when the links are gone: until then they must not be without it.
  execution.work.after_links([&execution, &live] { return replace(execution, &live, nullptr); });
  execution.work.at_end([&execution, &live]() -> Result<void> {
    if (!execution.work.has_place(live.ns)) return {};
    return forget(execution, live.ns, nullptr);
  });
  return {};
}

Result<void> KernelHalf<Firewall>::observe(const Reading& reading, Graph& live) {
  for (const auto& [ns, place] : reading.places) {
    if (!place->snapshot.has_iptables) continue;
    auto found = firewall::observe(backend_place(*place), reading.topology);
    if (!found) return std::move(found).error();
    if (*found) live.put(std::move(**found));
  }
  return {};
}

}  // namespace topo
