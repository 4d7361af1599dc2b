#include "reach/network.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "graph/gateway.hpp"
#include "resources/firewall/meaning.hpp"
#include "topo/names.hpp"

namespace topo::reach {
namespace {

constexpr std::uint32_t main_table = 254;           // RT_TABLE_MAIN, linux/rtnetlink.h
constexpr std::uint32_t main_priority = 32766;      // of the rule that leads to it, net/ipv4/fib_rules.c
constexpr std::uint32_t connected_metric_v6 = 256;  // IP6_RT_PRIO_ADDRCONF, linux/ipv6_route.h
/// A list this long is searched faster than an index.
constexpr std::size_t list_max = 24;

std::string key_of(std::string_view ns, std::string_view name) { return std::string(ns) + ':' + std::string(name); }

bool is_v6_link_local(const IpAddress& address) { return address.family() == Family::v6 && address.is_link_local(); }

Cidr everything(Family family) { return {IpAddress::any(family), 0}; }

/// Which Ethernets are one: the lowest number of each.
class Joined {
 public:
  std::size_t add() {
    root_.push_back(root_.size());
    return root_.back();
  }
  void join(std::size_t a, std::size_t b) { root_[std::max(find(a), find(b))] = std::min(find(a), find(b)); }
  std::size_t find(std::size_t i) {
    while (root_[i] != i) i = root_[i] = root_[root_[i]];
    return i;
  }

 private:
  std::vector<std::size_t> root_;
};

}  // namespace

void RoutingTable::index() {
  std::stable_sort(entries_.begin(), entries_.end(), [](const RouteEntry& a, const RouteEntry& b) {
    return a.destination.prefix() != b.destination.prefix() ? a.destination.prefix() > b.destination.prefix() : a.metric < b.metric;
  });
  if (entries_.size() <= list_max) return;
  by_prefix_.emplace();
  for (std::size_t i = 0; i < entries_.size(); ++i) by_prefix_->add(entries_[i].destination, i);
}

const RouteEntry* RoutingTable::find(const IpAddress& address) const {
  if (by_prefix_) {
    const auto* found = by_prefix_->longest(address);
    return found == nullptr ? nullptr : &entries_[found->second];
  }
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const RouteEntry& entry) { return entry.destination.contains(address); });
  return found == entries_.end() ? nullptr : &*found;
}

bool Station::forwards(Family family, std::size_t in) const {
  return family == Family::v6 ? forwards_v6 : std::binary_search(forwards_v4.begin(), forwards_v4.end(), in);
}

Network::Network(const Graph& whole, const policy::Intent& intent) : intent_(intent) {
  const auto moved = with_bridges_on_host(whole);
  const Graph& graph = moved ? *moved : whole;
  has_own_gateway_ = moved.has_value();
  stations_.emplace_back();
  for (const auto& [id, node] : graph.nodes()) {
    const auto* ns = std::get_if<Namespace>(&node.resource);
    if (ns == nullptr) continue;
    by_name_.emplace(ns->name, stations_.size());
    Station& station = stations_.emplace_back();
    station.name = ns->name;
    station.amiss = ns->amiss;
    station.at = node.origin;
  }
  add(gateway, "");
  add_interfaces(graph);
  add_addresses(graph);
  add_connected();
  add_routing(graph);
  add_translation(graph);
  find_forwarding(graph);
  index();
}

std::size_t Network::add(std::size_t station, const std::string& name) {
  const auto [found, fresh] = interface_by_name_.emplace(key_of(stations_[station].name, name), interfaces_.size());
  if (!fresh) return found->second;
  Interface& made = interfaces_.emplace_back();
  made.name = name;
  made.node = station;
  stations_[station].interfaces.push_back(interfaces_.size() - 1);
  return interfaces_.size() - 1;
}

bool Network::is_bridge(std::size_t interface) const {
  if (interface == none || interface == way_out) return false;
  const std::size_t segment = interfaces_[interface].segment;
  return segment != none && intent_.segments[segment].bridge;
}

std::size_t Network::interface_named(std::size_t station, std::string_view name) const {
  const auto found = interface_by_name_.find(key_of(stations_[station].name, name));
  return found == interface_by_name_.end() ? none : found->second;
}

std::optional<std::size_t> Network::find(std::string_view ns) const {
  const auto found = by_name_.find(std::string(ns));
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

/// Cables and bridges: which interfaces there are, and which of them a frame can pass between.
void Network::add_interfaces(const Graph& graph) {
  Joined joined;
  std::unordered_map<std::string, std::size_t> bridges;
  std::vector<std::size_t> domain_of;  // of each interface
  const auto place = [&](std::size_t interface, std::size_t domain) {
    domain_of.resize(interfaces_.size(), none);
    domain_of[interface] = domain;
  };
  for (const Bridge* bridge : graph.all<Bridge>()) {
    const std::size_t domain = bridges.emplace(bridge->name, joined.add()).first->second;
    const std::size_t own = add(gateway, bridge->name);
    interfaces_[own].amiss = bridge->amiss;
    place(own, domain);
  }
  for (const Veth* cable : graph.all<Veth>()) {
    std::array<std::size_t, 2> sides{};
    for (std::size_t i = 0; i < 2; ++i) {
      const VethEnd& end = cable->ends[i];
      const auto bridge = end.bridge.empty() ? bridges.end() : bridges.find(end.bridge);
      if (bridge != bridges.end()) {
        sides[i] = bridge->second;
        continue;
      }
      const std::optional<std::size_t> station = end.ns.empty() ? std::optional(gateway) : find(end.ns);
      sides[i] = joined.add();
      if (!station) continue;
      const std::size_t own = add(*station, end.name);
      interfaces_[own].amiss = end.amiss;
      place(own, sides[i]);
    }
    if (cable->ends[0].amiss.empty() && cable->ends[1].amiss.empty()) joined.join(sides[0], sides[1]);
  }
  for (std::size_t i = 0; i < domain_of.size(); ++i) {
    if (domain_of[i] != none) interfaces_[i].domain = joined.find(domain_of[i]);
  }
  gateway_on_.assign(intent_.segments.size(), none);
  for (std::size_t i = 0; i < intent_.segments.size(); ++i) {
    gateway_on_[i] = interface_named(gateway, intent_.segments[i].interface);
    if (gateway_on_[i] != none) interfaces_[gateway_on_[i]].segment = i;
  }
  station_of_member_.assign(intent_.members.size(), none);
  for (std::size_t i = 0; i < intent_.members.size(); ++i) {
    const auto station = find(intent_.members[i].ns);
    const std::size_t own = station ? interface_named(*station, intent_.members[i].interface) : none;
    if (own == none) continue;
    station_of_member_[i] = *station;
    interfaces_[own].segment = intent_.members[i].segment;
    interfaces_[own].member = i;
  }
}

void Network::add_addresses(const Graph& graph) {
  for (const bool secondary : {false, true}) {
    for (const Address* address : graph.all<Address>()) {
      if (address->secondary != secondary || is_v6_link_local(address->address.address())) continue;
      const auto station = address->ns.empty() ? std::optional(gateway) : find(address->ns);
      if (!station) continue;
      const std::size_t own = add(*station, address->interface);
      interfaces_[own].addresses.push_back(address->address);
    }
  }
  for (Station& station : stations_) {
    std::sort(station.interfaces.begin(), station.interfaces.end(),
              [&](std::size_t a, std::size_t b) { return interfaces_[a].name < interfaces_[b].name; });
  }
}

/// The routes that the kernel makes: to the network of each address; of the gateway also the way to everything else.
void Network::add_connected() {
  std::vector<std::size_t> by_station;
  for (const Station& station : stations_) by_station.insert(by_station.end(), station.interfaces.begin(), station.interfaces.end());
  for (const std::size_t i : by_station) {
    const Interface& interface = interfaces_[i];
    std::vector<Cidr> networks;
    for (const Cidr& address : interface.addresses) {
      const Cidr network = address.network();
      if (address.prefix() == address.address().bits() || std::find(networks.begin(), networks.end(), network) != networks.end()) continue;
      networks.push_back(network);
      RouteEntry entry;
      entry.destination = network;
      entry.metric = address.family() == Family::v6 ? connected_metric_v6 : 0;
      if (address.family() == Family::v4) entry.source = address.address();
      entry.next_hops.push_back({std::nullopt, i});
      entry.connected = true;
      stations_[interface.node].tables[main_table].add(std::move(entry));
    }
  }
  for (const Family family : {Family::v4, Family::v6}) {
    RouteEntry entry;
    entry.destination = everything(family);
    entry.next_hops.push_back({std::nullopt, way_out});
    stations_[gateway].tables[main_table].add(std::move(entry));
  }
}

void Network::add_routing(const Graph& graph) {
  for (const auto& [id, node] : graph.nodes()) {
    if (const auto* route = std::get_if<Route>(&node.resource)) {
      const auto station = find(route->ns);
      if (!station) continue;
      RouteEntry entry{route->destination, route->metric, route->type, route->source, {}, false, node.origin};
      for (const auto& hop : route->next_hops) entry.next_hops.push_back({hop.via, interface_named(*station, hop.interface)});
      stations_[*station].tables[route->table].add(std::move(entry));
    } else if (const auto* rule = std::get_if<RoutingRule>(&node.resource)) {
      const auto station = find(rule->ns);
      if (!station) continue;
      const bool local = rule->iif == "lo";
      const std::size_t in = rule->iif.empty() || local ? none : interface_named(*station, rule->iif);
      if (in == none && !rule->iif.empty() && !local) continue;
      stations_[*station].rules.push_back({rule->family, rule->priority, rule->from, rule->to, in, local, rule->table});
    }
  }
  for (Station& station : stations_) {
    for (const Family family : {Family::v4, Family::v6}) station.rules.push_back({family, main_priority, {}, {}, none, false, main_table});
    std::stable_sort(station.rules.begin(), station.rules.end(), [](const RuleEntry& a, const RuleEntry& b) { return a.priority < b.priority; });
    for (auto& [number, table] : station.tables) table.index();
  }
}

/// A namespace's firewall holds nothing but its source translation.
void Network::add_translation(const Graph& graph) {
  for (const Firewall* firewall : graph.all<Firewall>()) {
    const auto station = firewall->ns.empty() ? std::nullopt : find(firewall->ns);
    if (!station) continue;
    for (const auto& [family, rule] : address_translations(*firewall)) {
      using Kind = netfilter::Target::Kind;
      if (!rule.out || rule.out->negated || (rule.target.kind != Kind::masquerade && rule.target.kind != Kind::snat)) continue;
      const std::size_t interface = interface_named(*station, rule.out->value);
      stations_[*station].masking.push_back({interface, rule.target.address, {family}});
    }
  }
}

void Network::find_forwarding(const Graph& graph) {
  for (const auto* ns : graph.all<Namespace>()) {
    Station& station = stations_[*find(ns->name)];
    if (!ns->forwards) continue;
    station.forwards_v6 = true;
    station.forwards_v4 = station.interfaces;
  }
  std::vector<const Sysctl*> settings = graph.all<Sysctl>();
  std::stable_sort(settings.begin(), settings.end(), [](const Sysctl* a, const Sysctl* b) { return a->order() < b->order(); });
  for (const Sysctl* setting : settings) {
    constexpr std::string_view folder = "net/ipv4/conf/", ending = "/forwarding";
    const auto at = find(setting->ns);
    if (!at) continue;
    Station& station = stations_[*at];
    const bool on = setting->value != "0";
    const std::string_view name = setting->name;
    if (name == "net/ipv6/conf/all/forwarding") station.forwards_v6 = on;
    if (name == "net/ipv4/ip_forward" || name == "net/ipv4/conf/all/forwarding") {
      station.forwards_v4 = on ? station.interfaces : std::vector<std::size_t>();
    } else if (name.starts_with(folder) && name.ends_with(ending)) {
      const std::size_t interface = interface_named(*at, name.substr(folder.size(), name.size() - folder.size() - ending.size()));
      std::erase(station.forwards_v4, interface);
      if (on && interface != none) station.forwards_v4.push_back(interface);
    }
  }
  // What is let through the gateway is the policy's to say.
  stations_[gateway].forwards_v4 = stations_[gateway].interfaces;
  stations_[gateway].forwards_v6 = true;
  for (Station& station : stations_) std::sort(station.forwards_v4.begin(), station.forwards_v4.end());
}

void Network::index() {
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    for (const Cidr& address : interfaces_[i].addresses) by_address_.emplace(address.address(), i);
  }
  for (std::size_t i = 0; i < gateway_on_.size(); ++i) {
    if (gateway_on_[i] == none) continue;
    for (const Cidr& address : interfaces_[gateway_on_[i]].addresses) segment_by_subnet_.add(address.network(), i);
  }
}

bool Network::is_own(std::size_t station, const IpAddress& address) const {
  if (address.is_loopback()) return true;
  const auto [first, last] = by_address_.equal_range(address);
  return std::any_of(first, last, [&](const auto& entry) { return interfaces_[entry.second].node == station; });
}

std::vector<std::size_t> Network::holders(const IpAddress& address) const {
  std::vector<std::size_t> found;
  const auto [first, last] = by_address_.equal_range(address);
  for (auto entry = first; entry != last; ++entry) found.push_back(entry->second);
  return found;
}

std::size_t Network::answerer(std::size_t domain, const IpAddress& address, std::size_t asking) const {
  const std::size_t asker = interfaces_[asking].node;
  const auto [first, last] = by_address_.equal_range(address);
  for (auto entry = first; entry != last; ++entry) {
    const Interface& interface = interfaces_[entry->second];
    if (interface.domain == domain && interface.node != asker && interface.amiss.empty()) return entry->second;
  }
  if (address.family() == Family::v6) return none;
  // Over IPv4 a station answers for every address that it has, by whichever interface it is asked; the gateway only where it has one.
  for (auto entry = first; entry != last; ++entry) {
    const std::size_t station = interfaces_[entry->second].node;
    if (station == asker) continue;
    for (const std::size_t i : stations_[station].interfaces) {
      const Interface& interface = interfaces_[i];
      const auto is_v4 = [](const Cidr& own) { return own.family() == Family::v4; };
      const bool silent = station == gateway && std::none_of(interface.addresses.begin(), interface.addresses.end(), is_v4);
      if (interface.domain == domain && interface.amiss.empty() && !silent) return i;
    }
  }
  return none;
}

const RouteEntry* Network::route(std::size_t station, const std::optional<IpAddress>& source, const IpAddress& destination, std::size_t in) const {
  const Station& here = stations_[station];
  for (const RuleEntry& rule : here.rules) {
    if (rule.family != destination.family()) continue;
    if (rule.from && rule.from->prefix() != 0 && !(source && rule.from->contains(*source))) continue;
    if (rule.to && !rule.to->contains(destination)) continue;
    if ((rule.local && in != none) || (rule.iif != none && rule.iif != in)) continue;
    const auto table = here.tables.find(rule.table);
    if (table == here.tables.end()) continue;
    if (const RouteEntry* found = table->second.find(destination)) return found;
  }
  return nullptr;
}

std::size_t Network::segment_of(const IpAddress& address) const {
  const auto* found = segment_by_subnet_.longest(address);
  return found == nullptr ? none : found->second;
}

}  // namespace topo::reach
