// Graphs at random, of few names so that two of them meet often. Each is one that a kernel would take.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "graph/graph.hpp"

namespace topo::test {

class RandomGraph {
 public:
  /// To be called inside a property.
  Graph operator()() {
    for (const char* ns : {"a", "b", "c"}) {
      if (chance(3, 4)) graph_.put(Namespace{ns, chance(1, 3), {}}), namespaces_.emplace_back(ns);
    }
    for (const char* bridge : {"x", "y"}) {
      if (chance(2, 3)) add_bridge(bridge);
    }
    for (int i = 0; i < 4; ++i) add_cable();
    for (const std::string& ns : namespaces_) interfaces_.emplace_back(ns, "lo");
    for (const auto& [ns, interface] : interfaces_) add_addresses(ns, interface);
    for (const std::string& ns : namespaces_) {
      add_routes(ns);
      add_settings(ns);
    }
    return std::move(graph_);
  }

 private:
  static bool chance(int of, int among) { return *rc::gen::inRange(0, among) < of; }
  template <class T>
  static const T& one_of(const std::vector<T>& items) {
    return items[*rc::gen::inRange<std::size_t>(0, items.size())];
  }

  void add_bridge(const char* name) {
    Bridge bridge;
    bridge.name = name;
    bridge.mac = Mac::derived_from(name);
    bridge.mtu = chance(1, 3) ? 1400 : 1500;
    bridge.stp = chance(1, 4);
    graph_.put(bridge);
    bridges_.emplace_back(name);
    interfaces_.emplace_back("", name);
  }

  VethEnd random_end() {
    VethEnd end;
    if (!namespaces_.empty() && chance(3, 5)) {
      end.ns = one_of(namespaces_);
      end.name = one_of<std::string>({"eth0", "eth1"});
    } else {
      end.name = one_of<std::string>({"p0", "p1", "p2"});
      if (!bridges_.empty() && chance(3, 4)) end.bridge = one_of(bridges_);
    }
    end.mac = Mac::derived_from(end.ns + end.name + (chance(1, 5) ? "other" : ""));
    end.mtu = chance(1, 3) ? 1400 : 1500;
    end.hairpin = !end.bridge.empty() && chance(1, 3);
    return end;
  }

  void add_cable() {
    Veth cable{{random_end(), random_end()}};
    auto& [first, second] = cable.ends;
    if (std::pair(second.ns, second.name) < std::pair(first.ns, first.name)) std::swap(first, second);
    for (const VethEnd& end : cable.ends) {
      if (std::count(interfaces_.begin(), interfaces_.end(), std::pair(end.ns, end.name)) != 0) return;
    }
    if (first.ns == second.ns) return;
    for (const VethEnd& end : cable.ends) interfaces_.emplace_back(end.ns, end.name);
    graph_.put(cable);
  }

  void add_addresses(const std::string& ns, const std::string& interface) {
    std::vector<std::string> texts{"10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.1.0.1/24", "fd00::1/64", "fd00::2/64"};
    if (chance(1, 2)) std::reverse(texts.begin(), texts.end());
    std::set<Cidr> subnets;
    for (const std::string& text : texts) {
      const Cidr address = *Cidr::parse(text);
      if (chance(1, 3)) graph_.put(Address{ns, interface, address, !subnets.insert(address.network()).second && address.family() == Family::v4});
    }
  }

  void add_routes(const std::string& ns) {
    for (const char* text : {"10.0.9.0/24", "0.0.0.0/0", "10.9.0.0/16", "::/0", "fd09::/64"}) {
      if (!chance(1, 2)) continue;
      Route route;
      route.ns = ns;
      route.destination = *Cidr::parse(text);
      const Family family = route.destination.family();
      route.metric = family == Family::v4 ? 0 : 1024;
      for (const auto& [place, interface] : interfaces_) {
        if (place == ns && chance(1, 2)) add_hop(route, interface);
      }
      if (route.next_hops.empty()) route.type = Route::Type::blackhole;
      std::sort(route.next_hops.begin(), route.next_hops.end());
      for (const Address* address : graph_.all<Address>()) {
        if (address->ns == ns && address->address.family() == family && !route.next_hops.empty() && chance(1, 5))
          route.source = address->address.address();
      }
      graph_.put(route);
    }
  }

  void add_hop(Route& route, const std::string& interface) {
    NextHop hop;
    hop.interface = interface;
    for (const Address* address : graph_.all<Address>()) {
      const bool here = address->ns == route.ns && address->interface == interface && address->address.family() == route.destination.family();
      if (here && chance(1, 2)) hop.via = address->address.network().address().plus(9);
    }
    const Node* on_link = graph_.find("route " + route.ns + " 10.0.9.0/24 table 254 metric 0");
    const bool by_route = on_link != nullptr && order_of(on_link->resource) == 0 && !needs_of(on_link->resource).front().starts_with("namespace");
    if (!hop.via && route.destination == *Cidr::parse("0.0.0.0/0") && by_route) hop.via = IpAddress::parse("10.0.9.9");
    route.next_hops.push_back(hop);
  }

  void add_settings(const std::string& ns) {
    if (chance(1, 2)) graph_.put(Sysctl{ns, "net/ipv4/conf/all/accept_redirects", one_of<std::string>({"0", "1"})});
    if (chance(1, 2)) graph_.put(Sysctl{ns, "net/ipv4/tcp_syncookies", one_of<std::string>({"0", "1"})});
    const bool has_eth0 = std::count(interfaces_.begin(), interfaces_.end(), std::pair(ns, std::string("eth0"))) != 0;
    if (has_eth0 && chance(1, 2)) graph_.put(Sysctl{ns, "net/ipv4/conf/eth0/forwarding", one_of<std::string>({"0", "1"})});
    RoutingRule rule;
    rule.ns = ns;
    rule.priority = one_of<std::uint32_t>({100, 200});
    rule.from = Cidr::parse("10.0.0.0/24");
    if (chance(1, 3)) graph_.put(rule);
    if (chance(1, 3)) graph_.put(Firewall{ns, {}, chance(1, 2), false});
  }

  Graph graph_{"lab"};
  std::vector<std::string> namespaces_, bridges_;
  std::vector<std::pair<std::string, std::string>> interfaces_;
};

}  // namespace topo::test
