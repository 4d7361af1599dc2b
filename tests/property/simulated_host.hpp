// A host in memory that refuses what a kernel refuses and, unasked, drops what a kernel drops. What plans are tried on.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "diff/plan.hpp"

namespace topo::test {

/// Thrown where a kernel would have answered with an error.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class SimulatedHost {
 public:
  explicit SimulatedHost(const Graph& graph = Graph{}) { perform(diff(Graph{}, graph)); }

  void perform(const Plan& plan) {
    for (const Change& change : plan.changes) {
      switch (change.action) {
        case Change::Action::add:
          add(*change.after);
          break;
        case Change::Action::modify:
          modify(*change.before, *change.after);
          break;
        case Change::Action::recreate:
          add(*change.after);
          break;
        case Change::Action::remove:
          if (!change.implied) remove(id_of(*change.before));
          break;
      }
    }
  }

  /// All that is there, as observation would give it.
  [[nodiscard]] Graph graph() const {
    Graph found;
    for (const auto& [id, resource] : things_) found.put(resource);
    return found;
  }

  /// What a packet would notice: which address of a subnet is the first, and the settings of interfaces, which no resource tells.
  [[nodiscard]] std::map<std::string, std::string> first_addresses() const {
    std::map<std::string, std::string> found;
    for (const auto& [subnet, addresses] : subnets_) found.emplace(subnet, addresses.front());
    return found;
  }
  [[nodiscard]] std::map<std::string, std::string> settings() const {
    std::map<std::string, std::string> set;
    for (const auto& [name, value] : settings_) {
      if (value != "0") set.emplace(name, value);
    }
    return set;
  }

 private:
  void add(const Resource& resource) {
    const Id id = id_of(resource);
    if (things_.contains(id)) throw Refused("exists: " + id);
    for (const std::string& name : needs_of(resource)) {
      if (!is_there(name)) throw Refused(id + " lacks " + name);
    }
    for (const std::string& name : provides_of(resource)) {
      if (is_there(name)) throw Refused("name is taken: " + name);
    }
    take_effect(resource);
    things_.emplace(id, resource);
    for (std::string& name : provides_of(resource)) names_.insert(std::move(name));
  }

  void modify(const Resource& before, const Resource& after) {
    const Id id = id_of(after);
    const auto found = things_.find(id);
    if (found == things_.end()) throw Refused("no such thing: " + id);
    if (id_of(before) != id) throw Refused("another identity: " + id);
    take_effect(after);
    found->second = after;
  }

  void take_effect(const Resource& resource) {
    if (const auto* cable = std::get_if<Veth>(&resource)) {
      for (const VethEnd& end : cable->ends) {
        if (!end.bridge.empty() && !things_.contains("bridge " + end.ns + ":" + end.bridge)) throw Refused("no such bridge: " + end.bridge);
      }
    } else if (const auto* address = std::get_if<Address>(&resource)) {
      if (address->address.family() == Family::v4) {
        auto& subnet = subnets_[subnet_of(*address)];
        if (subnet.empty() == address->secondary) throw Refused(id_of(resource) + " would not stand where it shall");
        subnet.push_back(address->address.to_string());
      }
    } else if (const auto* route = std::get_if<Route>(&resource)) {
      check_route(*route);
    } else if (const auto* ns = std::get_if<Namespace>(&resource)) {
      const auto found = things_.find(id_of(resource));
      if (found != things_.end() && std::get<Namespace>(found->second).forwards == ns->forwards) return;
      for (auto& [name, value] : settings_) {
        if (name.starts_with(ns->name + ":net/ipv4/conf/")) value = ns->forwards ? "1" : "0";
      }
    } else if (const auto* sysctl = std::get_if<Sysctl>(&resource)) {
      settings_[sysctl->key()] = sysctl->value;
    }
  }

  /// A gateway has to be on link, and a source has to be an address of the namespace.
  void check_route(const Route& route) const {
    for (const NextHop& hop : route.next_hops) {
      if (hop.via &&
          !any_address([&](const Address& it) { return it.ns == route.ns && it.interface == hop.interface && it.address.contains(*hop.via); })) {
        const bool by_route = any<Route>(
            [&](const Route& it) { return it.ns == route.ns && it.order() == 0 && it.destination.contains(*hop.via) && !it.next_hops.empty(); });
        if (!by_route) throw Refused(id_of(route) + ": gateway is unreachable");
      }
    }
    if (route.source && !any_address([&](const Address& it) { return it.ns == route.ns && it.address.address() == *route.source; })) {
      throw Refused(id_of(route) + ": source is no address here");
    }
  }

  void remove(const Id& id) {
    const auto found = things_.find(id);
    if (found == things_.end()) throw Refused("nothing to remove: " + id);
    const Resource resource = found->second;
    things_.erase(found);
    for (const std::string& name : provides_of(resource)) {
      names_.erase(name);
      drop_what_needs(name);
    }
    if (const auto* address = std::get_if<Address>(&resource)) lose_address(*address);
    if (const auto* sysctl = std::get_if<Sysctl>(&resource)) settings_.erase(sysctl->key());
    if (const auto* bridge = std::get_if<Bridge>(&resource)) release_ports(*bridge);
  }

  void drop_what_needs(const std::string& name) {
    std::vector<Id> lost;
    for (auto& [id, resource] : things_) {
      const std::vector<std::string> needs = needs_of(resource);
      if (std::find(needs.begin(), needs.end(), name) == needs.end()) continue;
      if (std::holds_alternative<Veth>(resource)) throw Refused("a cable lingers: " + id);
      auto* route = std::get_if<Route>(&resource);
      if (route != nullptr && route->destination.family() == Family::v6 && needs.size() > 1) {
        std::erase_if(route->next_hops, [&](const NextHop& hop) { return name == "interface " + route->ns + ":" + hop.interface; });
      } else {
        lost.push_back(id);
      }
    }
    for (const Id& id : lost) {
      if (things_.contains(id)) remove(id);
    }
  }

  /// fib_sync_down_addr, __inet_del_ifa (without promote_secondaries) and rt6_remove_prefsrc of the kernel.
  void lose_address(const Address& address) {
    const bool v4 = address.address.family() == Family::v4;
    if (v4) {
      auto& subnet = subnets_[subnet_of(address)];
      const bool first = !subnet.empty() && subnet.front() == address.address.to_string();
      std::erase(subnet, address.address.to_string());
      const std::vector<std::string> rest = first ? subnet : std::vector<std::string>{};
      for (const std::string& other : rest) {
        const Id id = id_of(Address{address.ns, address.interface, *Cidr::parse(other)});
        if (things_.contains(id)) remove(id);
      }
      if (subnets_[subnet_of(address)].empty()) subnets_.erase(subnet_of(address));
    }
    const bool bare = !any_address(
        [&](const Address& it) { return it.ns == address.ns && it.interface == address.interface && it.address.family() == Family::v4; });
    const bool gone = !any_address([&](const Address& it) { return it.ns == address.ns && it.address.address() == address.address.address(); });
    for (auto it = things_.begin(); it != things_.end();) {
      auto* route = std::get_if<Route>(&it->second);
      if (route == nullptr || route->ns != address.ns || route->destination.family() != address.address.family()) {
        ++it;
        continue;
      }
      const bool through =
          std::any_of(route->next_hops.begin(), route->next_hops.end(), [&](const NextHop& hop) { return hop.interface == address.interface; });
      const bool by_source = gone && route->source == address.address.address();
      if (v4 && (by_source || (bare && through))) {
        names_.erase(it->first);
        it = things_.erase(it);
        continue;
      }
      if (!v4 && by_source) route->source.reset();
      ++it;
    }
  }

  void release_ports(const Bridge& bridge) {
    for (auto& [id, resource] : things_) {
      if (auto* cable = std::get_if<Veth>(&resource)) {
        for (VethEnd& end : cable->ends) {
          if (end.ns == bridge.ns && end.bridge == bridge.name) end.bridge.clear();
        }
      }
    }
  }

  [[nodiscard]] bool is_there(const std::string& name) const { return name == "interface :lo" || names_.contains(name); }

  template <class T, class Predicate>
  [[nodiscard]] bool any(Predicate predicate) const {
    return std::any_of(things_.begin(), things_.end(), [&](const auto& thing) {
      const T* it = std::get_if<T>(&thing.second);
      return it != nullptr && predicate(*it);
    });
  }
  template <class Predicate>
  [[nodiscard]] bool any_address(Predicate predicate) const {
    return any<Address>(predicate);
  }

  static std::string subnet_of(const Address& address) { return address.ns + ":" + address.interface + " " + address.address.network().to_string(); }

  std::map<Id, Resource> things_;
  std::set<std::string> names_;  ///< what they provide
  std::map<std::string, std::vector<std::string>> subnets_;
  std::map<std::string, std::string> settings_;
};

}  // namespace topo::test
