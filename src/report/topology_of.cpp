#include "report/topology_of.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "graph/gateway.hpp"
#include "report/replicas.hpp"
#include "report/statements.hpp"
#include "resources/firewall/meaning.hpp"
#include "topo/names.hpp"

namespace topo::report {
namespace {

constexpr std::uint32_t usual_mtu = 1500;
constexpr std::uint32_t usual_ageing_s = 300;
constexpr std::uint32_t main_table = 254;        // RT_TABLE_MAIN, linux/rtnetlink.h
constexpr std::uint32_t usual_metric_v6 = 1024;  // IP6_RT_PRIO_USER, linux/ipv6_route.h

template <class T>
Located<T> located(T value) {
  return {std::move(value), {}};
}

/// eth2 before eth10.
bool natural_less(const std::string& a, const std::string& b) { return std::pair(a.size(), a) < std::pair(b.size(), b); }

bool is_default(const Route& route) { return route.destination.prefix() == 0; }

class Reconstruction {
 public:
  explicit Reconstruction(const Graph& live) : live_(live) { topology_.name.value = live.topology(); }

  Topology run() {
    for (const bool secondary : {false, true}) {
      for (const Address* address : live_.all<Address>()) {
        if (address->secondary == secondary) addresses_[{address->ns, address->interface}].push_back(address->address);
      }
    }
    for (const Firewall* firewall : live_.all<Firewall>()) read_firewall(*firewall);
    for (const Bridge* bridge : live_.all<Bridge>()) add_bridge(*bridge);
    for (const Namespace* ns : live_.all<Namespace>()) add_namespace(*ns);
    add_cables();
    for (const Route* route : live_.all<Route>()) routes_[route->ns].push_back(route);
    for (NamespaceSpec& ns : topology_.namespaces) add_routing(ns);
    for (const Sysctl* sysctl : live_.all<Sysctl>()) add_sysctl(*sysctl);
    for (const Etc* etc : live_.all<Etc>()) add_etc(*etc);
    for (const Command* command : live_.all<Command>()) add_command(*command);
    add_policy();
    fold_replicas();
    return std::move(topology_);
  }

 private:
  using Place = std::pair<std::string, std::string>;  ///< namespace, interface

  [[nodiscard]] Mac derived_mac(const std::string& ns, const std::string& interface) const {
    return Mac::derived_from(live_.topology() + "\n" + ns + "\n" + interface);
  }

  /// The addresses of an interface without the link-local one that topo derives.
  [[nodiscard]] std::vector<Cidr> addresses_of(const std::string& ns, const std::string& interface, const Mac& mac) const {
    const auto found = addresses_.find({ns, interface});
    if (found == addresses_.end()) return {};
    std::vector<Cidr> addresses = found->second;
    std::erase(addresses, mac.link_local());
    return addresses;
  }

  static Nat nat_of(const std::string& text) {
    Nat nat;
    if (text == "masquerade") nat.kind = Nat::Kind::masquerade;
    if (const std::size_t space = text.find(' '); text.starts_with("snat ")) {
      if (const auto address = IpAddress::parse(text.substr(space + 1))) nat = {Nat::Kind::snat, *address, {}};
    }
    return nat;
  }

  /// The gateway's statements; of a namespace's firewall, which keeps none, its NAT rules.
  void read_firewall(const Firewall& firewall) {
    if (firewall.ns.empty()) {
      for (Statement& statement : statements_of(firewall)) statements_[statement.key].push_back(std::move(statement.value));
      comments_.merge(comments_in(firewall));
      return;
    }
    for (const auto& [family, rule] : address_translations(firewall)) {
      if (!rule.out || rule.out->negated) continue;
      Nat& nat = interface_nat_[firewall.ns][rule.out->value];
      using Kind = netfilter::Target::Kind;
      if (rule.target.kind == Kind::masquerade) nat = {Nat::Kind::masquerade, {}, {}};
      if (rule.target.kind == Kind::snat && rule.target.address) nat = {Nat::Kind::snat, *rule.target.address, {}};
    }
  }

  /// "frontend masquerade": the rest of the statement of that key about `name`; nullopt where there is none.
  [[nodiscard]] std::optional<std::string> said_of(const std::string& key, const std::string& name) const {
    const auto found = statements_.find(key);
    if (found == statements_.end()) return std::nullopt;
    for (const std::string& value : found->second) {
      if (value == name) return std::string();
      if (value.starts_with(name + " ")) return value.substr(name.size() + 1);
    }
    return std::nullopt;
  }

  void add_bridge(const Bridge& bridge) {
    BridgeSpec spec;
    spec.name = bridge.name;
    for (const Cidr& address : addresses_of(bridge.ns, bridge.name, bridge.mac)) {
      const Cidr subnet = address.network();
      const IpAddress first = subnet.usable_by_host(subnet.address()) ? subnet.address() : *subnet.address().plus(1);
      spec.subnets.push_back(located(subnet));
      if (address.address() != first) spec.addresses.push_back(located(address.address()));
    }
    spec.plain = spec.subnets.empty();
    spec.nat = nat_of(said_of("nat", bridge.name).value_or(""));
    spec.isolated = said_of("isolated", bridge.name).has_value();
    if (bridge.mtu != usual_mtu) spec.mtu = located(bridge.mtu);
    if (bridge.mac != derived_mac(bridge.ns, bridge.name)) spec.mac = located(bridge.mac);
    spec.stp = bridge.stp;
    if (bridge.ageing_time_s != usual_ageing_s) spec.ageing_time_s = located(bridge.ageing_time_s);
    topology_.bridges.push_back(std::move(spec));
  }

  void add_namespace(const Namespace& ns) {
    NamespaceSpec spec;
    spec.name = ns.name;
    spec.router = ns.forwards;
    const auto loopback = addresses_.find({ns.name, "lo"});
    if (loopback != addresses_.end()) {
      for (const Cidr& address : loopback->second) spec.loopback_addresses.push_back(located(InterfaceAddress{address.address(), address.prefix()}));
    }
    for (const auto& [interface, nat] : interface_nat_[ns.name]) {
      if (nat.kind != Nat::Kind::none) spec.nat.emplace_back(located(interface), nat);
    }
    topology_.namespaces.push_back(std::move(spec));
  }

  [[nodiscard]] NamespaceSpec* find_namespace(const std::string& name) {
    const auto found = std::lower_bound(topology_.namespaces.begin(), topology_.namespaces.end(), name,
                                        [](const NamespaceSpec& ns, const std::string& wanted) { return ns.name < wanted; });
    return found != topology_.namespaces.end() && found->name == name ? &*found : nullptr;
  }

  [[nodiscard]] const BridgeSpec* find_bridge(const std::string& name) const {
    const auto found = std::find_if(topology_.bridges.begin(), topology_.bridges.end(), [&](const BridgeSpec& it) { return it.name == name; });
    return found == topology_.bridges.end() ? nullptr : &*found;
  }

  void add_cables() {
    std::sort(topology_.namespaces.begin(), topology_.namespaces.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    std::map<std::string, std::vector<const Veth*>> attachments;
    for (const Veth* cable : live_.all<Veth>()) {
      const auto& [port, end] = cable->ends;
      const bool attaches = port.ns.empty() && !port.bridge.empty() && !end.ns.empty() && port.name == host_end_name(end.ns, end.name);
      if (attaches && find_bridge(port.bridge) != nullptr && find_namespace(end.ns) != nullptr) {
        attachments[end.ns].push_back(cable);
      } else {
        add_link(*cable);
      }
    }
    for (auto& [name, cables] : attachments) {
      std::sort(cables.begin(), cables.end(), [](const Veth* a, const Veth* b) { return natural_less(a->ends[1].name, b->ends[1].name); });
      std::size_t automatic = 0;
      for (const Veth* cable : cables) add_attachment(*find_namespace(name), *cable, automatic);
    }
  }

  void add_attachment(NamespaceSpec& ns, const Veth& cable, std::size_t& automatic) {
    const VethEnd& end = cable.ends[1];
    const BridgeSpec& bridge = *find_bridge(cable.ends[0].bridge);
    AttachmentSpec spec;
    spec.bridge = located(bridge.name);
    for (const Cidr& address : addresses_of(end.ns, end.name, end.mac)) {
      const bool in_subnet =
          std::any_of(bridge.subnets.begin(), bridge.subnets.end(), [&](const auto& subnet) { return subnet.value == address.network(); });
      InterfaceAddress written{address.address(), std::nullopt};
      if (!in_subnet) written.prefix = address.prefix();
      spec.addresses.push_back(located(written));
    }
    spec.no_address = spec.addresses.empty();
    if (end.name == "eth" + std::to_string(automatic)) {
      ++automatic;
    } else {
      spec.name = located(end.name);
    }
    if (end.mac != derived_mac(end.ns, end.name)) spec.mac = located(end.mac);
    if (end.mtu != (bridge.mtu ? bridge.mtu->value : usual_mtu)) spec.mtu = located(end.mtu);
    ns.attach.push_back(std::move(spec));
  }

  void add_link(const Veth& cable) {
    LinkSpec spec;
    bool own_mac = false;
    std::optional<std::uint32_t> mtu;
    for (std::size_t side = 0; side < 2; ++side) {
      const VethEnd& end = cable.ends[side];
      LinkEndSpec& written = spec.ends[side];
      written.node = !end.bridge.empty() ? end.bridge : end.ns.empty() ? "host" : end.ns;
      written.interface = located(end.name);
      for (const Cidr& address : addresses_of(end.ns, end.name, end.mac)) written.addresses.push_back(located(address));
      own_mac = own_mac || end.mac != derived_mac(end.ns, end.name);
      if (const BridgeSpec* bridge = end.bridge.empty() ? nullptr : find_bridge(end.bridge)) {
        const std::uint32_t usual = bridge->mtu ? bridge->mtu->value : usual_mtu;
        mtu = std::min(mtu.value_or(usual), usual);
      }
    }
    if (own_mac) {
      for (std::size_t side = 0; side < 2; ++side) spec.ends[side].mac = located(cable.ends[side].mac);
    }
    spec.no_address = spec.ends[0].addresses.empty() && spec.ends[1].addresses.empty();
    if (cable.ends[0].mtu != mtu.value_or(usual_mtu)) spec.mtu = located(cable.ends[0].mtu);
    topology_.links.push_back(std::move(spec));
  }

  /// Whether `gateway: ADDRESS` alone leads to that interface and no other.
  [[nodiscard]] bool leads_only_there(const std::string& ns, const NextHop& hop) const {
    std::set<std::string> interfaces;
    for (auto it = addresses_.lower_bound({ns, ""}); it != addresses_.end() && it->first.first == ns; ++it) {
      const bool reaches = std::any_of(it->second.begin(), it->second.end(), [&](const Cidr& address) { return address.contains(*hop.via); });
      if (reaches) interfaces.insert(it->first.second);
    }
    return interfaces == std::set<std::string>{hop.interface} && !(hop.via->is_link_local() && hop.via->family() == Family::v6);
  }

  void add_routing(NamespaceSpec& ns) {
    ns.gateway.kind = GatewaySpec::Kind::none;
    for (const Route* route : routes_[ns.name]) {
      const std::uint32_t usual_metric = route->destination.family() == Family::v4 ? 0 : usual_metric_v6;
      const bool simple = is_default(*route) && route->table == main_table && route->metric == usual_metric && !route->source &&
                          route->next_hops.size() == 1 && route->next_hops.front().via;
      if (simple && leads_only_there(ns.name, route->next_hops.front())) {
        ns.gateway.kind = GatewaySpec::Kind::addresses;
        ns.gateway.addresses.push_back(located(*route->next_hops.front().via));
      } else {
        add_route(ns, *route, usual_metric);
      }
    }
    for (const RoutingRule* rule : live_.all<RoutingRule>()) {
      if (rule->ns == ns.name) add_rule(ns, *rule);
    }
  }

  static void add_route(NamespaceSpec& ns, const Route& route, std::uint32_t usual_metric) {
    if (route.type == Route::Type::throw_) return;  // somebody else's, of which the language has none
    RouteSpec spec;
    spec.destination = route.destination;
    spec.type = static_cast<RouteSpec::Type>(route.type);
    if (route.metric != usual_metric) spec.metric = route.metric;
    if (route.source) spec.src = located(*route.source);
    if (route.table != main_table) spec.table = route.table;
    if (route.next_hops.empty()) ns.routes.push_back(spec);
    for (const NextHop& hop : route.next_hops) {
      spec.via.reset();
      if (hop.via) spec.via = located(std::variant<IpAddress, std::string>(*hop.via));
      spec.dev = located(hop.interface);
      spec.weight.reset();
      if (hop.weight != 1) spec.weight = hop.weight;
      ns.routes.push_back(spec);
    }
  }

  [[nodiscard]] bool has_family(const std::string& ns, Family family) const {
    return std::any_of(addresses_.begin(), addresses_.end(), [&](const auto& entry) {
      const auto& [place, addresses] = entry;
      return place.first == ns && std::any_of(addresses.begin(), addresses.end(), [&](const Cidr& it) { return it.family() == family; });
    });
  }

  /// Without addresses a rule is for the families that the namespace has: written once for both, and with all addresses where it is for one of them.
  void add_rule(NamespaceSpec& ns, const RoutingRule& rule) {
    RoutingRuleSpec spec;
    spec.from = rule.from;
    spec.to = rule.to;
    if (!rule.iif.empty()) spec.iif = located(rule.iif);
    spec.table = rule.table;
    spec.priority = rule.priority;
    const bool written = !rule.from && !rule.to && std::any_of(ns.rules.begin(), ns.rules.end(), [&](const RoutingRuleSpec& it) {
      return !it.from && !it.to && (it.iif ? it.iif->value : "") == rule.iif && it.table == rule.table && it.priority == rule.priority;
    });
    if (written) return;
    RoutingRule twin = rule;
    twin.family = rule.family == Family::v4 ? Family::v6 : Family::v4;
    const bool alone = live_.find(id_of(twin)) == nullptr && (has_family(ns.name, twin.family) || !has_family(ns.name, rule.family));
    if (!rule.from && !rule.to && alone) spec.from = Cidr(IpAddress::any(rule.family), 0);
    ns.rules.push_back(std::move(spec));
  }

  void add_sysctl(const Sysctl& sysctl) {
    std::string name = sysctl.name;
    // Dots between the parts, unless a part has a dot of its own.
    if (name.find('.') == std::string::npos) std::replace(name.begin(), name.end(), '/', '.');
    if (NamespaceSpec* ns = find_namespace(sysctl.ns)) ns->sysctls.emplace_back(located(std::move(name)), sysctl.value);
  }

  /// What of it topo wrote itself is not the folder's.
  void add_etc(const Etc& etc) {
    NamespaceSpec* const ns = find_namespace(etc.ns);
    if (ns == nullptr) return;
    const auto text_of = [&](const char* file) {
      const auto found = etc.files.find(file);
      return found == etc.files.end() ? std::string() : found->second.text();
    };
    for (const auto& server : servers_in(text_of(resolver_file)).value_or(std::vector<IpAddress>())) ns->dns.push_back(located(server));
    ns->hosts = hosts_in(text_of(hosts_file));
    if (!etc.folder.empty()) ns->etc = EtcSpec{etc.folder, {}, etc.files};
  }

  void add_command(const Command& command) {
    NamespaceSpec* const ns = find_namespace(command.ns);
    if (ns == nullptr) return;
    CommandSpec& spec = ns->run.emplace_back();
    spec.name = command.name;
    spec.words = command.words;
    spec.ready = command.ready;
    for (const std::string& after : command.after) {
      if (!is_exported(after)) continue;
      const std::string own = command.ns + "/";
      spec.after.push_back(located(after.starts_with(own) ? after.substr(own.size()) : after));
    }
  }

  /// Whether there is a command "NS/NAME" to come after: it may have ended meanwhile, or its namespace have gone.
  [[nodiscard]] bool is_exported(const std::string& key) const {
    const std::size_t slash = key.find('/');
    Command command;
    command.ns = key.substr(0, slash);
    command.name = key.substr(slash + 1);
    return live_.find(id_of(command)) != nullptr && live_.find(id_of(Namespace{command.ns, false, {}})) != nullptr;
  }

  void add_policy() {
    topology_.policy.default_allow = said_of("default", "allow").has_value();
    topology_.policy.reject = said_of("reject", "true").has_value();
    topology_.policy.allow = flows_of("allow");
    topology_.policy.deny = flows_of("deny");
    for (const std::string& text : statements_["port"]) topology_.ports.emplace_back().text = text;
    std::map<std::string, std::vector<std::string>> zones;
    for (const std::string& text : statements_["zone"]) {
      std::size_t begin = text.find(' ');
      auto& members = zones[text.substr(0, begin)];
      while (begin != std::string::npos) {
        const std::size_t end = text.find(' ', begin + 1);
        members.push_back(text.substr(begin + 1, end == std::string::npos ? end : end - begin - 1));
        begin = end;
      }
    }
    for (const auto& [name, members] : zones) {
      ZoneSpec& zone = topology_.zones.emplace_back();
      zone.name = name;
      for (const std::string& member : members) zone.members.push_back(located(std::variant<std::string, Cidr>(member)));
    }
  }

  [[nodiscard]] std::vector<FlowSpec> flows_of(const std::string& key) {
    std::set<std::string> texts(statements_[key].begin(), statements_[key].end());
    for (auto comment = comments_.lower_bound(key + " "); comment != comments_.end() && comment->starts_with(key + " "); ++comment) {
      join_ports(texts, comment->substr(key.size() + 1));
    }
    std::vector<FlowSpec> flows;
    for (const std::string& text : texts) flows.emplace_back().text = text;
    return flows;
  }

  /// A flow with several ports, "a -> b:53/udp,53" as its rules' comments say, instead of as many statements.
  static void join_ports(std::set<std::string>& texts, const std::string& joined) {
    const std::size_t colon = joined.find(':');
    if (colon == std::string::npos || joined.find(',') == std::string::npos) return;
    std::vector<std::string> single;
    for (std::size_t begin = colon + 1; begin <= joined.size();) {
      const std::size_t end = std::min(joined.find(',', begin), joined.size());
      single.push_back(joined.substr(0, colon + 1) + joined.substr(begin, end - begin));
      begin = end + 1;
    }
    if (!std::all_of(single.begin(), single.end(), [&](const std::string& text) { return texts.contains(text); })) return;
    for (const std::string& text : single) texts.erase(text);
    texts.insert(joined);
  }

  void fold_replicas() {
    std::set<IpAddress> used;
    for (const auto& [place, addresses] : addresses_) {
      for (const Cidr& address : addresses) used.insert(address.address());
    }
    for (const std::string& text : statements_["replicas"]) {
      const std::size_t space = text.find(' ');
      if (space != std::string::npos) write_as_replicas(topology_, text.substr(0, space), std::strtoul(text.c_str() + space, nullptr, 10), used);
    }
  }

  const Graph& live_;
  Topology topology_;
  std::map<Place, std::vector<Cidr>> addresses_;
  std::map<std::string, std::vector<const Route*>> routes_;
  std::map<std::string, std::vector<std::string>> statements_;
  std::map<std::string, std::map<std::string, Nat>> interface_nat_;
  std::set<std::string> comments_;
};

}  // namespace

Topology topology_of(const Graph& live) {
  const auto moved = with_bridges_on_host(live);
  Topology topology = Reconstruction(moved ? *moved : live).run();
  topology.own_gateway = moved.has_value();
  return topology;
}

}  // namespace topo::report
