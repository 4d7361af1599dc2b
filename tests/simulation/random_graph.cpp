#include "simulation/random_graph.hpp"

#include <algorithm>
#include <set>

#include "simulation/machine.hpp"

namespace topo::test {
namespace {

class Generator {
 public:
  Generator(Choices& choices, const std::string& topology) : choices_(choices), graph_(topology) {}

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
    serve_addresses();
    for (const std::string& ns : namespaces_) {
      add_routes(ns);
      add_settings(ns);
    }
    if (chance(1, 2)) add_firewall("");
    return pruned(graph_);
  }

 private:
  bool chance(std::size_t of, std::size_t among) { return choices_.chance(of, among); }
  std::uint32_t mtu() { return chance(1, 3) ? 1400 : 1500; }

  void add_bridge(const char* name) {
    Bridge bridge;
    bridge.name = name;
    bridge.mac = Mac::derived_from(name);
    bridge.mtu = mtu();
    bridge.stp = chance(1, 4);
    graph_.put(bridge);
    bridges_.emplace_back(name);
    interfaces_.emplace_back("", name);
  }

  VethEnd random_end() {
    VethEnd end;
    if (!namespaces_.empty() && chance(3, 5)) {
      end.ns = choices_.one_of(namespaces_);
      end.name = chance(1, 2) ? "eth1" : "eth0";
    } else {
      end.name = choices_.one_of(std::vector<std::string>{"p0", "p1", "p2"});
      if (!bridges_.empty() && chance(3, 4)) end.bridge = choices_.one_of(bridges_);
    }
    end.mac = Mac::derived_from(end.ns + end.name + (chance(1, 5) ? "other" : ""));
    end.mtu = mtu();
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

  /// Bridges and the host's ends of links serve the families that they have addresses of.
  void serve_addresses() {
    const auto serves = [&](const std::string& interface, Family family) {
      const auto addresses = graph_.all<Address>();
      return std::any_of(addresses.begin(), addresses.end(),
                         [&](const Address* it) { return it->ns.empty() && it->interface == interface && it->address.family() == family; });
    };
    std::vector<Resource> served;
    for (const Bridge* it : graph_.all<Bridge>()) {
      Bridge bridge = *it;
      bridge.gateway_v4 = serves(bridge.name, Family::v4);
      bridge.gateway_v6 = serves(bridge.name, Family::v6);
      served.emplace_back(bridge);
    }
    for (const Veth* it : graph_.all<Veth>()) {
      Veth cable = *it;
      for (VethEnd& end : cable.ends) {
        if (!end.ns.empty() || !end.bridge.empty()) continue;
        end.gateway_v4 = serves(end.name, Family::v4);
        end.ipv6 = serves(end.name, Family::v6);
      }
      served.emplace_back(cable);
    }
    for (Resource& resource : served) graph_.put(std::move(resource));
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
        if (place == ns && chance(1, 2)) route.next_hops.push_back({random_gateway(family), interface, 1});
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

  std::optional<IpAddress> random_gateway(Family family) {
    const std::vector<const char*> v4{"10.0.0.9", "10.1.0.9", "10.0.9.9"}, v6{"fd00::9", "fe80::9", "fd09::9"};
    if (chance(1, 2)) return {};
    return IpAddress::parse(choices_.one_of(family == Family::v4 ? v4 : v6));
  }

  void add_settings(const std::string& ns) {
    const std::string forwards = std::get<Namespace>(graph_.find("namespace " + ns)->resource).forwards ? "1" : "0";
    if (chance(1, 6)) graph_.put(Sysctl{ns, "net/ipv4/ip_forward", forwards});  // another value would contradict it
    for (const char* name : {"net/ipv4/conf/all/accept_redirects", "net/ipv4/tcp_syncookies", "net/ipv4/conf/eth0/forwarding",
                             "net/ipv4/conf/eth0/rp_filter", "net/ipv6/conf/eth0/forwarding", "net/ipv4/conf/eth0/log_martians",
                             "net/ipv4/conf/default/log_martians", "net/ipv6/conf/default/accept_ra", "net/ipv6/conf/eth0/accept_ra"}) {
      if (chance(1, 3)) graph_.put(Sysctl{ns, name, chance(1, 2) ? "1" : "0"});
    }
    RoutingRule rule;
    rule.ns = ns;
    rule.priority = chance(1, 2) ? 200 : 100;
    rule.from = Cidr::parse("10.0.0.0/24");
    if (chance(1, 3)) graph_.put(rule);
    if (chance(1, 3)) add_firewall(ns);
  }

  void add_firewall(const std::string& ns) {
    Firewall firewall{ns, {}, chance(1, 2), false};
    for (const auto table : {netfilter::Table::filter, netfilter::Table::nat}) {
      netfilter::Rule rule;
      if (chance(1, 2)) rule.in = netfilter::Maybe<std::string>{"x", false};
      if (chance(2, 3)) firewall.rules.chains[{Family::v4, table, "TOPO-00000000-F"}] = {rule};
    }
    graph_.put(firewall);
  }

  Choices& choices_;
  Graph graph_;
  std::vector<std::string> namespaces_, bridges_;
  std::vector<std::pair<std::string, std::string>> interfaces_;
};

}  // namespace

Graph random_graph(Choices& choices, const std::string& topology) { return Generator(choices, topology)(); }

std::vector<Graph> smaller_graphs(const Graph& graph) {
  std::vector<Graph> found;
  std::vector<Id> ids;
  for (const auto& [id, node] : graph.nodes()) ids.push_back(id);
  for (std::size_t size = ids.size(); size > 0; size /= 2) {
    for (std::size_t begin = 0; begin < ids.size(); begin += size) {
      Graph smaller = graph;
      for (std::size_t i = begin; i < std::min(begin + size, ids.size()); ++i) smaller.erase(ids[i]);
      // A port without its bridge is a cable's end.
      for (const Veth* it : graph.all<Veth>()) {
        Veth cable = *it;
        for (VethEnd& end : cable.ends) {
          if (!end.bridge.empty() && smaller.find("bridge " + end.ns + ":" + end.bridge) == nullptr) end.bridge.clear(), end.hairpin = false;
        }
        if (smaller.find(id_of(cable)) != nullptr) smaller.put(cable);
      }
      found.push_back(pruned(smaller));
    }
  }
  return found;
}

std::string to_text(const Graph& graph) {
  std::string text;
  for (const auto& [id, node] : graph.nodes()) {
    const std::string summary = summary_of(node.resource);
    text += "  " + id + (summary.empty() ? "" : " (" + summary + ")") + "\n";
  }
  return text.empty() ? "  nothing\n" : text;
}

std::vector<Resource> random_strangers(Choices& choices) {
  std::vector<Resource> strangers;
  Bridge bridge;
  bridge.name = choices.chance(1, 2) ? "y" : "br-other";
  bridge.gateway_v4 = true;
  if (choices.chance(1, 2)) strangers.emplace_back(bridge);
  if (!strangers.empty() && choices.chance(1, 2))
    strangers.emplace_back(Address{"", bridge.name, *Cidr::parse(choices.chance(1, 4) ? "10.0.0.200/24" : "172.17.0.1/16")});
  if (choices.chance(1, 3)) strangers.emplace_back(Namespace{choices.chance(1, 3) ? "c" : "other", false, {}});
  return strangers;
}

}  // namespace topo::test
