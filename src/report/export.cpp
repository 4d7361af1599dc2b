#include "report/export.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "report/statements.hpp"
#include "report/topology_of.hpp"
#include "report/yaml.hpp"

namespace topo::report {
namespace {

Yaml number(std::uint32_t value) { return std::to_string(value); }

/// A list, or the one thing in it.
template <class Items, class Text>
Yaml one_or_list(const Items& items, Text text) {
  Yaml list = Yaml::list();
  for (const auto& item : items) list.add(Yaml(text(item)));
  return list.size() == 1 ? Yaml(list.front()) : list;
}

std::string text_of(const InterfaceAddress& address) {
  return address.address.to_string() + (address.prefix ? "/" + std::to_string(*address.prefix) : "");
}

Yaml yaml_of(const Nat& nat) {
  if (nat.kind == Nat::Kind::masquerade) return "masquerade";
  return Yaml::map().set("snat", nat.to.to_string());
}

Yaml yaml_of(const BridgeSpec& bridge) {
  Yaml map = Yaml::map();
  if (!bridge.subnets.empty()) map.set("subnet", one_or_list(bridge.subnets, [](const auto& it) { return it.value.to_string(); }));
  if (!bridge.addresses.empty()) map.set("address", one_or_list(bridge.addresses, [](const auto& it) { return it.value.to_string(); }));
  if (bridge.plain) map.set("address", "none");
  if (bridge.nat.kind != Nat::Kind::none) map.set("nat", yaml_of(bridge.nat));
  if (bridge.isolated) map.set("isolated", "true");
  if (bridge.mtu) map.set("mtu", number(bridge.mtu->value));
  if (bridge.mac) map.set("mac", bridge.mac->value.to_string());
  if (bridge.stp) map.set("stp", "true");
  if (bridge.ageing_time_s) map.set("ageing_time", number(bridge.ageing_time_s->value));
  return map;
}

Yaml yaml_of(const AttachmentSpec& attachment) {
  const auto addresses = one_or_list(attachment.addresses, [](const auto& it) { return text_of(it.value); });
  const Yaml address = attachment.no_address ? Yaml("none") : addresses;
  const bool automatic = attachment.addresses.empty() && !attachment.no_address;
  if (!automatic && !attachment.name && !attachment.mac && !attachment.mtu) return address;
  Yaml map = Yaml::map();
  if (!automatic) map.set("address", address);
  if (attachment.name) map.set("name", attachment.name->value);
  if (attachment.mac) map.set("mac", attachment.mac->value.to_string());
  if (attachment.mtu) map.set("mtu", number(attachment.mtu->value));
  return map;
}

/// A map by bridge; a list of such where a bridge comes twice.
Yaml yaml_of(const std::vector<AttachmentSpec>& attachments) {
  std::set<std::string> bridges;
  for (const AttachmentSpec& attachment : attachments) bridges.insert(attachment.bridge.value);
  if (bridges.size() == attachments.size()) {
    Yaml map = Yaml::map();
    for (const AttachmentSpec& attachment : attachments) map.set(attachment.bridge.value, yaml_of(attachment));
    return map;
  }
  Yaml list = Yaml::list();
  for (const AttachmentSpec& attachment : attachments) list.add(Yaml::map().set(attachment.bridge.value, yaml_of(attachment)));
  return list;
}

Yaml yaml_of(const RouteSpec& route) {
  constexpr const char* types[]{"unicast", "unreachable", "blackhole", "prohibit"};
  const auto* via = route.via ? std::get_if<IpAddress>(&route.via->value) : nullptr;
  const bool plain = via != nullptr && !route.dev && !route.metric && !route.src && !route.table && !route.weight;
  if (plain) return via->to_string();
  Yaml map = Yaml::map();
  if (route.type != RouteSpec::Type::unicast) map.set("type", types[static_cast<std::size_t>(route.type)]);
  if (via != nullptr) map.set("via", via->to_string());
  if (route.dev) map.set("dev", route.dev->value);
  if (route.metric) map.set("metric", number(*route.metric));
  if (route.src) map.set("src", route.src->value.to_string());
  if (route.table) map.set("table", number(*route.table));
  if (route.weight) map.set("weight", number(*route.weight));
  return map;
}

Yaml yaml_of(const std::vector<RouteSpec>& routes) {
  std::map<Cidr, std::vector<Yaml>> by_destination;
  for (const RouteSpec& route : routes) by_destination[*route.destination].push_back(yaml_of(route));
  Yaml map = Yaml::map();
  for (auto& [destination, hops] : by_destination) {
    Yaml list = Yaml::list();
    for (Yaml& hop : hops) list.add(std::move(hop));
    map.set(destination.to_string(), list.size() == 1 ? Yaml(list.front()) : list);
  }
  return map;
}

Yaml yaml_of(const RoutingRuleSpec& rule) {
  Yaml map = Yaml::map();
  if (rule.from) map.set("from", rule.from->to_string());
  if (rule.to) map.set("to", rule.to->to_string());
  if (rule.iif) map.set("iif", rule.iif->value);
  map.set("table", number(rule.table));
  if (rule.priority) map.set("priority", number(*rule.priority));
  return map;
}

Yaml yaml_of(const HostsSpec& hosts) {
  if (hosts.all) return "true";
  Yaml map = Yaml::map();
  for (const auto& [name, addresses] : hosts.names) map.set(name, one_or_list(addresses, [](const auto& it) { return it.to_string(); }));
  return map;
}

/// The words alone where nothing else is said.
Yaml yaml_of(const CommandSpec& command) {
  const bool for_shell = command.words.size() == 3 && command.words[0] == command_shell && command.words[1] == "-c";
  Yaml words = Yaml::list();
  for (const auto& word : command.words) words.add(Yaml(word));
  if (for_shell) words = Yaml(command.words[2]);
  if (command.after.empty() && !command.ready) return words;
  Yaml map = Yaml::map();
  map.set("command", words);
  if (!command.after.empty()) map.set("after", one_or_list(command.after, [](const auto& it) { return it.value; }));
  if (command.ready)
    map.set("ready", Yaml::map().set("tcp", number(command.ready->tcp)).set("within", number(command.ready->within_s)));
  return map;
}

Yaml yaml_of(const NamespaceSpec& ns) {
  Yaml map = Yaml::map();
  if (ns.replicas) map.set("replicas", number(ns.replicas->value));
  if (ns.router) map.set("router", "true");
  if (!ns.attach.empty()) map.set("attach", yaml_of(ns.attach));
  if (ns.gateway.kind == GatewaySpec::Kind::none) map.set("gateway", "none");
  if (ns.gateway.kind == GatewaySpec::Kind::addresses) {
    map.set("gateway", one_or_list(ns.gateway.addresses, [](const auto& it) { return it.value.to_string(); }));
  }
  if (!ns.routes.empty()) map.set("routes", yaml_of(ns.routes));
  if (!ns.rules.empty()) {
    Yaml rules = Yaml::list();
    for (const RoutingRuleSpec& rule : ns.rules) rules.add(yaml_of(rule));
    map.set("rules", rules);
  }
  if (!ns.loopback_addresses.empty()) {
    map.set("devices", Yaml::map().set("lo", one_or_list(ns.loopback_addresses, [](const auto& it) { return text_of(it.value); })));
  }
  if (!ns.nat.empty()) {
    Yaml nat = Yaml::map();
    for (const auto& [interface, how] : ns.nat) nat.set(interface.value, yaml_of(how));
    map.set("nat", nat);
  }
  if (!ns.sysctls.empty()) {
    Yaml settings = Yaml::map();
    for (const auto& [name, value] : ns.sysctls) settings.set(name.value, value);
    map.set("sysctl", settings);
  }
  if (!ns.dns.empty()) map.set("dns", one_or_list(ns.dns, [](const auto& it) { return it.value.to_string(); }));
  if (ns.hosts) map.set("hosts", yaml_of(*ns.hosts));
  if (ns.etc) map.set("etc", ns.etc->folder);
  if (!ns.run.empty()) {
    Yaml run = Yaml::map();
    for (const CommandSpec& command : ns.run) run.set(command.name, yaml_of(command));
    map.set("run", run);
  }
  return map;
}

Yaml yaml_of(const LinkSpec& link) {
  Yaml between = Yaml::list();
  Yaml addresses = Yaml::list();
  Yaml macs = Yaml::list();
  for (const LinkEndSpec& end : link.ends) {
    between.add(Yaml(end.interface ? end.node + ":" + end.interface->value : end.node));
    addresses.add(end.addresses.empty() ? Yaml("none") : one_or_list(end.addresses, [](const auto& it) { return it.value.to_string(); }));
    if (end.mac) macs.add(Yaml(end.mac->value.to_string()));
  }
  Yaml map = Yaml::map();
  map.set("between", between).set("addresses", link.no_address ? Yaml("none") : addresses);
  if (link.mtu) map.set("mtu", number(link.mtu->value));
  if (!macs.empty()) map.set("macs", macs);
  return map;
}

/// The short form; with several ports, which it cannot say, the long one.
Yaml yaml_of(const FlowSpec& flow) {
  const std::size_t arrow = flow.text.find(" -> ");
  const std::size_t colon = flow.text.find(':');
  if (arrow == std::string::npos || flow.text.find(',') == std::string::npos) return flow.text;
  Yaml ports = Yaml::list();
  for (std::size_t begin = colon + 1; begin <= flow.text.size();) {
    const std::size_t end = std::min(flow.text.find(',', begin), flow.text.size());
    ports.add(flow.text.substr(begin, end - begin));
    begin = end + 1;
  }
  return Yaml::map().set("from", flow.text.substr(0, arrow)).set("to", flow.text.substr(arrow + 4, colon - arrow - 4)).set("ports", ports);
}

Yaml yaml_of(const std::vector<FlowSpec>& flows) {
  Yaml list = Yaml::list();
  for (const FlowSpec& flow : flows) list.add(yaml_of(flow));
  return list;
}

Yaml yaml_of(const PolicySpec& policy) {
  Yaml map = Yaml::map();
  if (policy.default_allow) map.set("default", "allow");
  if (policy.reject) map.set("reject", "true");
  if (!policy.allow.empty()) map.set("allow", yaml_of(policy.allow));
  if (!policy.deny.empty()) map.set("deny", yaml_of(policy.deny));
  return map;
}

void write_section(std::string& text, const std::string& name, const Yaml& section) {
  if (!section.empty()) text += "\n" + name + ":\n" + section.block(2);
}

}  // namespace

std::string topology_file(const Graph& live) {
  const Topology topology = topology_of(live);
  std::string text = "topology: " + topology.name.value + "\n";
  if (topology.own_gateway) text += "gateway: own\n";
  Yaml bridges = Yaml::map(), namespaces = Yaml::map(), links = Yaml::list(), ports = Yaml::map(), zones = Yaml::map();
  for (const BridgeSpec& bridge : topology.bridges) bridges.set(bridge.name, yaml_of(bridge));
  for (const NamespaceSpec& ns : topology.namespaces) namespaces.set(ns.name, yaml_of(ns));
  for (const LinkSpec& link : topology.links) links.add(yaml_of(link));
  for (const PortMapSpec& port : topology.ports) {
    const std::size_t arrow = port.text.find(" -> ");
    if (arrow != std::string::npos) ports.set(port.text.substr(0, arrow), port.text.substr(arrow + 4));
  }
  for (const ZoneSpec& zone : topology.zones) {
    Yaml members = Yaml::list();
    for (const auto& member : zone.members) members.add(Yaml(std::get<std::string>(member.value)));
    zones.set(zone.name, members);
  }
  write_section(text, "bridges", bridges);
  write_section(text, "namespaces", namespaces);
  write_section(text, "links", links);
  write_section(text, "ports", ports);
  write_section(text, "zones", zones);
  write_section(text, "policy", yaml_of(topology.policy));
  return text;
}

}  // namespace topo::report
