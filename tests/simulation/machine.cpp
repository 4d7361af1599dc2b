#include "simulation/machine.hpp"

#include <algorithm>
#include <cerrno>

namespace topo::test {
namespace {

constexpr std::uint32_t smallest_ipv6_mtu = 1280;
constexpr const char* rp_filter = "net/ipv4/conf/all/rp_filter";

std::string subnet_of(const Address& address) { return address.ns + ":" + address.interface + " " + address.address.network().to_string(); }

bool goes_through(const Route& route, const std::string& interface) {
  return std::any_of(route.next_hops.begin(), route.next_hops.end(), [&](const NextHop& hop) { return hop.interface == interface; });
}

bool is_gateway_end(const VethEnd& end) { return end.ns.empty() && end.bridge.empty(); }

/// Of the host's end of a link; elsewhere the kernel keeps no trace of these.
void drop_untraced(Resource& resource) {
  if (auto* cable = std::get_if<Veth>(&resource)) {
    for (VethEnd& end : cable->ends) {
      if (!is_gateway_end(end)) end.ipv6 = end.gateway_v4 = end.route_localnet = false;
      if (end.bridge.empty()) end.hairpin = false;
    }
  }
}

}  // namespace

// --- what is refused ---

Answer Machine::create(const Resource& wanted, const std::string& owner) {
  if (auto refused = lacks(wanted)) {
    // What is remembered of it comes first.
    const auto* sysctl = std::get_if<Sysctl>(&wanted);
    if (sysctl != nullptr && is_there(namespace_need(sysctl->ns))) things_.insert_or_assign(id_of(wanted), Thing{wanted, owner});
    return refused;
  }
  const auto unfit = check(wanted), taken = exists(wanted);
  // Of a route it sees first whether that could be.
  if (const Answer& refused = std::holds_alternative<Route>(wanted) && unfit ? unfit : taken ? taken : unfit) return refused;
  put(wanted, owner);
  return {};
}

Answer Machine::modify(const Resource& after, const std::string& owner) {
  const Id id = id_of(after);
  const auto found = things_.find(id);
  if (std::holds_alternative<Route>(after)) {
    // As the kernel half does it: the old one goes first, where a smaller MTU has not taken it already.
    if (auto refused = lacks(after)) return refused;
    if (found != things_.end()) extract(id);
    return create(after, owner);
  }
  if (found == things_.end()) {
    const auto* ns = std::get_if<Namespace>(&after);
    if (ns != nullptr && leftovers_.contains(ns->name)) return create(after, owner);
    return Refusal{ENODEV, "there is no " + id};
  }
  const bool is_inside = std::holds_alternative<Address>(after);  // drift, where it is another's
  if (found->second.owner != owner && !is_inside) return Refusal{EPERM, id + " is somebody else's"};
  if (auto refused = lacks(after)) return refused;
  if (auto refused = check(after)) return refused;
  put(after, owner);
  return {};
}

Answer Machine::remove(const Resource& live) {
  const Id id = id_of(live);
  const auto* ns = std::get_if<Namespace>(&live);
  if (ns != nullptr && leftovers_.erase(ns->name) != 0) return {};
  if (!things_.contains(id)) {
    if (!lenient_) return Refusal{ENOENT, "nothing to remove: " + id};
    if (std::holds_alternative<Veth>(live) || std::holds_alternative<Bridge>(live)) return {};
    const auto* address = std::get_if<Address>(&live);
    if (address != nullptr && address->address.family() == Family::v6 && is_there(needs_of(live).front()) &&
        ipv6_of(address->ns, address->interface) == Ipv6::none)
      return Refusal{ENXIO, "there is no IPv6 on " + address->title()};
    const bool by_interface = address != nullptr || std::holds_alternative<Neighbour>(live);
    const std::string needed = by_interface ? needs_of(live).front() : namespace_need(place_of(live));
    return is_there(needed) || needed == namespace_need({}) ? Answer{} : Refusal{ENODEV, "there is no " + needed};
  }
  for (const auto& [other, thing] : ns != nullptr && !lenient_ ? things_ : std::map<Id, Thing>{}) {
    const auto needs = needs_of(thing.resource);
    // The kernel lets go of it some time after its namespace.
    if (lingers(thing.resource) && std::count(needs.begin(), needs.end(), namespace_need(ns->name)) != 0)
      return Refusal{EBUSY, "a cable lingers: " + other};
  }
  extract(id);
  return {};
}

Answer Machine::lacks(const Resource& resource) const {
  for (const std::string& name : needs_of(resource)) {
    if (!is_there(name)) return Refusal{std::holds_alternative<Sysctl>(resource) ? ENOENT : ENODEV, id_of(resource) + " lacks " + name};
  }
  const auto* cable = std::get_if<Veth>(&resource);
  for (const VethEnd& end : cable != nullptr ? std::vector<VethEnd>(cable->ends.begin(), cable->ends.end()) : std::vector<VethEnd>{}) {
    if (!end.bridge.empty() && !things_.contains("bridge " + end.ns + ":" + end.bridge)) return Refusal{ENODEV, "no such bridge: " + end.bridge};
  }
  return {};
}

Answer Machine::exists(const Resource& resource) const {
  const Id id = id_of(resource);
  const bool replaces =
      std::holds_alternative<Address>(resource) || std::holds_alternative<Sysctl>(resource) || std::holds_alternative<Firewall>(resource) ||
      std::holds_alternative<Neighbour>(resource);
  if (things_.contains(id) && !(lenient_ && replaces)) return Refusal{EEXIST, "exists: " + id};
  for (const std::string& name : provides_of(resource)) {
    if (name != id && is_there(name)) return Refusal{EEXIST, "name is taken: " + name};
  }
  return {};
}

Answer Machine::check(const Resource& resource) const {
  if (const auto* address = std::get_if<Address>(&resource)) return check_address(*address);
  if (const auto* route = std::get_if<Route>(&resource)) return check_route(*route);
  return {};
}

Answer Machine::check_address(const Address& address) const {
  if (address.address.family() == Family::v6) {
    if (!has_ipv6(address.ns, address.interface)) return Refusal{EACCES, "IPv6 is disabled on " + address.title()};
    return {};
  }
  const auto subnet = subnets_.find(subnet_of(address));
  const bool stands_first = subnet == subnets_.end() || subnet->second.empty() || subnet->second.front() == address.address.to_string();
  if (!lenient_ && stands_first == address.secondary) return Refusal{EINVAL, id_of(address) + " would not stand where it shall"};
  return {};
}

/// fib_check_nh and fib_valid_prefsrc of the kernel, ip6_route_check_nh and ip6_route_info_create.
Answer Machine::check_route(const Route& route) const {
  const bool v4 = route.destination.family() == Family::v4;
  for (const NextHop& hop : route.next_hops) {
    if (!v4 && ipv6_of(route.ns, hop.interface) == Ipv6::none) return Refusal{ENODEV, "IPv6 knows no " + hop.interface};
    if (!v4 && !has_ipv6(route.ns, hop.interface)) return Refusal{EACCES, "IPv6 is disabled on " + hop.interface};
    if (!hop.via) continue;
    const bool own = any<Address>([&](const Address& it) { return it.ns == route.ns && it.address.address() == *hop.via; });
    if (own && !v4) return Refusal{EINVAL, id_of(route) + ": gateway is an address of its own"};
    if (!reaches(route, hop)) return Refusal{v4 ? ENETUNREACH : EHOSTUNREACH, id_of(route) + ": gateway is unreachable"};
  }
  if (route.source && !any<Address>([&](const Address& it) { return it.ns == route.ns && it.address.address() == *route.source; }))
    return Refusal{EINVAL, id_of(route) + ": source is no address here"};
  return {};
}

bool Machine::reaches(const Route& route, const NextHop& hop) const {
  if (hop.via->family() == Family::v6 && hop.via->is_link_local()) return true;
  const auto on_link = [&](const Address& it) { return it.ns == route.ns && it.interface == hop.interface && it.address.contains(*hop.via); };
  const auto by_route = [&](const Route& it) {
    return it.ns == route.ns && it.order() == 0 && it.destination.contains(*hop.via) && goes_through(it, hop.interface);
  };
  return any<Address>(on_link) || any<Route>(by_route);
}

Machine::Ipv6 Machine::ipv6_of(const std::string& ns, const std::string& interface) const {
  const auto verdict = [](std::uint32_t mtu, bool enabled) { return mtu < smallest_ipv6_mtu ? Ipv6::none : enabled ? Ipv6::on : Ipv6::disabled; };
  const auto provider = names_.find(interface_need(ns, interface));
  const auto found = provider == names_.end() ? things_.end() : things_.find(provider->second);
  if (found == things_.end()) return Ipv6::on;  // the host's lo
  if (const auto* bridge = std::get_if<Bridge>(&found->second.resource)) return verdict(bridge->mtu, bridge->gateway_v6);
  if (const auto* cable = std::get_if<Veth>(&found->second.resource)) {
    const VethEnd& end = cable->ends[cable->ends[0].ns == ns && cable->ends[0].name == interface ? 0 : 1];
    return verdict(end.mtu, !is_gateway_end(end) || end.ipv6);
  }
  return Ipv6::on;
}

// --- what follows ---

void Machine::put(Resource resource, const std::string& owner) {
  drop_untraced(resource);
  const Id id = id_of(resource);
  const bool is_new = !things_.contains(id);
  for (std::string& name : provides_of(resource)) names_.insert_or_assign(std::move(name), id);
  things_.insert_or_assign(id, Thing{resource, owner});
  if (const auto* cable = std::get_if<Veth>(&resource)) {
    for (const VethEnd& end : cable->ends) {
      prepare_interface(end.ns, end.name, is_new);
      if (!has_ipv6(end.ns, end.name)) lose_ipv6(end.ns, end.name);
    }
  } else if (const auto* bridge = std::get_if<Bridge>(&resource)) {
    if (!has_ipv6(bridge->ns, bridge->name)) lose_ipv6(bridge->ns, bridge->name);
  } else if (const auto* address = std::get_if<Address>(&resource); address != nullptr && address->address.family() == Family::v4) {
    auto& subnet = subnets_[subnet_of(*address)];
    if (is_new) subnet.push_back(address->address.to_string());
    std::get<Address>(things_.at(id).resource).secondary = subnet.front() != address->address.to_string();
  } else if (const auto* ns = std::get_if<Namespace>(&resource)) {
    leftovers_.erase(ns->name);
    set_forwarding(ns->name, "ipv4", ns->forwards);
    set_forwarding(ns->name, "ipv6", ns->forwards);
    // As the kernel half does it; a sysctl of the file that says otherwise is set again after it.
    if (setting(ns->name, rp_filter) == "1") set(ns->name, rp_filter, "0");
  } else if (const auto* sysctl = std::get_if<Sysctl>(&resource)) {
    set(sysctl->ns, sysctl->name, sysctl->value);
  }
}

Resource Machine::extract(const Id& id) {
  const Resource resource = things_.at(id).resource;
  things_.erase(id);
  for (const std::string& name : provides_of(resource)) {
    names_.erase(name);
    drop_what_needs(name);
  }
  if (const auto* address = std::get_if<Address>(&resource)) lose_address(*address);
  if (const auto* bridge = std::get_if<Bridge>(&resource)) release_ports(*bridge);
  if (const auto* ns = std::get_if<Namespace>(&resource)) settings_.erase(ns->name);
  if (const auto* cable = std::get_if<Veth>(&resource)) {
    for (const VethEnd& end : cable->ends) forget_settings(end.ns, end.name);
  }
  if (const auto* sysctl = std::get_if<Sysctl>(&resource); sysctl != nullptr && !lacks(resource))
    set(sysctl->ns, sysctl->name, setting_of_fresh(sysctl->ns, sysctl->name));
  return resource;
}

void Machine::drop_what_needs(const std::string& name) {
  if (!name.starts_with("interface ") && !name.starts_with("namespace ")) return;  // nobody needs anything else
  std::vector<Id> lost;
  for (auto& [id, thing] : things_) {
    const std::vector<std::string> needs = needs_of(thing.resource);
    if (std::find(needs.begin(), needs.end(), name) == needs.end()) continue;
    // What is remembered of it stays with the namespace.
    if (std::holds_alternative<Sysctl>(thing.resource) && name.starts_with("interface ")) continue;
    auto* route = std::get_if<Route>(&thing.resource);
    if (route != nullptr && route->destination.family() == Family::v6 && needs.size() > 1) {
      std::erase_if(route->next_hops, [&](const NextHop& hop) { return name == interface_need(route->ns, hop.interface); });
      if (route->next_hops.size() == 1) route->next_hops.front().weight = 1;
    } else {
      lost.push_back(id);
    }
  }
  for (const Id& id : lost) {
    if (things_.contains(id)) extract(id);
  }
}

/// __inet_del_ifa without promote_secondaries.
void Machine::lose_address(const Address& address) {
  if (address.address.family() == Family::v4) {
    const std::string key = subnet_of(address);
    auto& subnet = subnets_[key];
    const bool was_first = !subnet.empty() && subnet.front() == address.address.to_string();
    std::erase(subnet, address.address.to_string());
    for (const std::string& other : was_first ? std::vector<std::string>(subnet) : std::vector<std::string>{}) {
      const Id id = id_of(Address{address.ns, address.interface, *Cidr::parse(other)});
      if (things_.contains(id)) extract(id);
    }
    if (const auto left = subnets_.find(key); left != subnets_.end() && left->second.empty()) subnets_.erase(left);
  }
  lose_routes(address);
}

/// fib_sync_down_addr, fib_disable_ip and rt6_remove_prefsrc of the kernel.
void Machine::lose_routes(const Address& address) {
  const bool v4 = address.address.family() == Family::v4;
  const auto on_interface = [&](const Address& it) {
    return it.ns == address.ns && it.interface == address.interface && it.address.family() == Family::v4;
  };
  const bool bare = v4 && !any<Address>(on_interface);
  const bool gone = !any<Address>([&](const Address& it) { return it.ns == address.ns && it.address.address() == address.address.address(); });
  for (auto it = things_.begin(); it != things_.end();) {
    auto* route = std::get_if<Route>(&it->second.resource);
    const bool concerns = route != nullptr && route->ns == address.ns && route->destination.family() == address.address.family();
    const bool looked_at = !v4 || (concerns && route->table == Route().table);
    const bool by_source = concerns && gone && looked_at && route->source == address.address.address();
    if (concerns && v4 && (by_source || (bare && goes_through(*route, address.interface)))) {
      names_.erase(it->first);
      it = things_.erase(it);
      continue;
    }
    if (by_source) route->source.reset();
    ++it;
  }
}

/// addrconf_ifdown: an interface without IPv6 has none of its addresses and routes.
void Machine::lose_ipv6(const std::string& ns, const std::string& interface) {
  std::vector<Id> lost;
  for (auto& [id, thing] : things_) {
    if (const auto* address = std::get_if<Address>(&thing.resource);
        address != nullptr && address->ns == ns && address->interface == interface && address->address.family() == Family::v6)
      lost.push_back(id);
    auto* route = std::get_if<Route>(&thing.resource);
    if (route == nullptr || route->ns != ns || route->destination.family() != Family::v6 || !goes_through(*route, interface)) continue;
    std::erase_if(route->next_hops, [&](const NextHop& hop) { return hop.interface == interface; });
    if (route->next_hops.size() == 1) route->next_hops.front().weight = 1;
    if (route->next_hops.empty()) lost.push_back(id);
  }
  for (const Id& id : lost) extract(id);
}

void Machine::release_ports(const Bridge& bridge) {
  for (auto& [id, thing] : things_) {
    auto* cable = std::get_if<Veth>(&thing.resource);
    if (cable == nullptr) continue;
    for (VethEnd& end : cable->ends) {
      if (end.ns != bridge.ns || end.bridge != bridge.name) continue;
      end.bridge.clear();
      end.hairpin = false;
      if (!end.ns.empty()) continue;
      // As a port it had none of what the host's end of a link has.
      end.ipv6 = end.mtu >= smallest_ipv6_mtu;
      end.amiss = end.ipv6 ? "arp_ignore is 0, accept_ra is 1" : "arp_ignore is 0";
    }
  }
}

void Machine::end_namespace(const std::string& ns) {
  if (things_.contains("namespace " + ns)) extract("namespace " + ns);
}

void Machine::spoil(const Id& id, const std::string& how) {
  const auto found = things_.find(id);
  if (found == things_.end()) return;
  if (auto* bridge = std::get_if<Bridge>(&found->second.resource)) bridge->amiss = how;
  if (auto* ns = std::get_if<Namespace>(&found->second.resource)) ns->amiss = how;
  if (auto* cable = std::get_if<Veth>(&found->second.resource)) cable->ends[0].amiss = how;
}

}  // namespace topo::test
