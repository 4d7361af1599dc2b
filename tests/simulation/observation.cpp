// What is seen of the machine.
#include <algorithm>

#include "simulation/machine.hpp"

namespace topo::test {
namespace {

void say(std::string& amiss, const std::string& what) { amiss += (amiss.empty() ? "" : ", ") + what; }

std::string whose(const Thing& thing) { return thing.owner.empty() ? "is not made by topo" : "belongs to topology " + thing.owner; }

}  // namespace

std::string place_of(const Resource& resource) {
  return std::visit(
      [](const auto& it) -> std::string {
        if constexpr (requires { it.ns; }) return it.ns;
        return {};
      },
      resource);
}

Graph Machine::observe(const Graph& desired) const {
  const std::string& topology = desired.topology();
  Graph found(topology);
  for (const auto& [id, thing] : things_) {
    const Resource& resource = thing.resource;
    const std::string ns = place_of(resource);
    const auto space = things_.find("namespace " + ns);
    const bool inside = space != things_.end() && space->second.owner == topology;
    // In a namespace of ours an administrator's are drift.
    const bool is_drift = inside && (std::holds_alternative<Address>(resource) || std::holds_alternative<Route>(resource) ||
                                     std::holds_alternative<RoutingRule>(resource) || std::holds_alternative<Neighbour>(resource));
    if (thing.owner != topology && !is_drift) continue;
    if (!ns.empty() && !inside) continue;
    // The host's rules do not say which topology's they are, and its sysctls are nobody's.
    if (std::holds_alternative<RoutingRule>(resource) && ns.empty() && desired.find(id) == nullptr) continue;
    if (const auto* named = std::get_if<Namespace>(&resource)) {
      found.put(told(*named));
    } else if (const auto* cable = std::get_if<Veth>(&resource)) {
      found.put(told(*cable, desired));
    } else if (const auto* sysctl = std::get_if<Sysctl>(&resource)) {
      // Without its interface it is remembered and cannot be read.
      found.put(Sysctl{sysctl->ns, sysctl->name, lacks(resource) ? std::string() : setting(sysctl->ns, sysctl->name)});
    } else {
      found.put(resource);
    }
  }
  for (const auto& [name, owner] : leftovers_) {
    if (owner == topology) found.put(Namespace{name, false, "only its file is there"});
  }
  return found;
}

Namespace Machine::told(const Namespace& ns) const {
  Namespace found{ns.name, setting(ns.name, "net/ipv4/ip_forward") == "1", ns.amiss};
  const bool v6 = setting(ns.name, "net/ipv6/conf/all/forwarding") == "1";
  if (v6 != found.forwards && found.amiss.empty()) say(found.amiss, v6 ? "forwards IPv6" : "does not forward IPv6");
  return found;
}

Veth Machine::told(const Veth& cable, const Graph& desired) const {
  Veth found = cable;
  const Node* const node = desired.find(id_of(cable));
  for (std::size_t i = 0; i < 2; ++i) {
    VethEnd& end = found.ends[i];
    if (node != nullptr && (!end.ns.empty() || !end.bridge.empty())) end.ipv6 = std::get<Veth>(node->resource).ends[i].ipv6;
    if (end.ns.empty()) continue;
    const std::string forwards = setting(end.ns, "net/ipv4/ip_forward");
    for (const std::string name : {"forwarding", "rp_filter"}) {
      const std::string full = "net/ipv4/conf/" + end.name + "/" + name;
      const std::string value = setting(end.ns, full);
      const bool good = name == "forwarding" ? value == forwards : value == "0" || value == "2";
      if (!good && !is_decided(end.ns, full)) say(end.amiss, name + " is " + value);
    }
  }
  return found;
}

Hindrances Machine::find_hindrances(const Graph& desired) const {
  Hindrances found;
  const auto strangers = [&](const std::string& name) -> const Thing* {
    const auto provider = names_.find(name);
    const Thing* const thing = provider == names_.end() ? nullptr : &things_.at(provider->second);
    return thing == nullptr || thing->owner == desired.topology() ? nullptr : thing;
  };
  for (const auto& [id, node] : desired.nodes()) {
    if (std::holds_alternative<Namespace>(node.resource) || std::holds_alternative<Bridge>(node.resource) ||
        std::holds_alternative<Veth>(node.resource)) {
      for (const std::string& name : provides_of(node.resource)) {
        if (const Thing* thing = strangers(name)) found.obstacles.push_back({name, whose(*thing), false});
      }
    }
    const auto* wanted = std::get_if<Address>(&node.resource);
    if (wanted == nullptr || !wanted->ns.empty() || wanted->address.address().is_link_local()) continue;
    if (const auto there = things_.find(id); there != things_.end() && there->second.owner == desired.topology()) continue;
    for (const auto& [other, thing] : things_) {
      const auto* address = std::get_if<Address>(&thing.resource);
      if (address == nullptr || !address->ns.empty() || thing.owner == desired.topology()) continue;
      if (address->address.network().overlaps(wanted->address.network()))
        found.obstacles.push_back({"subnet " + wanted->address.network().to_string(), "overlaps " + address->address.to_string(), false});
    }
  }
  return found;
}

}  // namespace topo::test
