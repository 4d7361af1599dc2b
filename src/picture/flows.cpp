// Zones and the policy of a scene.
#include <algorithm>

#include "picture/draft.hpp"
#include "report/statements.hpp"
#include "topo/names.hpp"

namespace topo::picture {
namespace {

const char* name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::any:
      return "";
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::icmp:
      return "icmp";
  }
  return "";
}

std::string ports_text(std::uint16_t first, std::uint16_t last) {
  return std::to_string(first) + (first == last ? "" : "-" + std::to_string(last));
}

/// "3306", "8000-8010/udp", "icmp": as policies are written, tcp where nothing is said.
std::string label_of(const std::vector<PortRange>& ports) {
  std::string text;
  for (const PortRange& range : ports) {
    if (!text.empty()) text += ", ";
    if (range.protocol == Protocol::any || range.protocol == Protocol::icmp) {
      text += range.protocol == Protocol::any ? "all" : "icmp";
    } else {
      text += ports_text(range.first, range.last) + (range.protocol == Protocol::udp ? "/udp" : "");
    }
  }
  return text;
}

std::string label_of(const PortMapSpec& port) {
  std::string text = ports_text(port.first, port.last);
  if (port.address) text.insert(0, port.address->family() == Family::v6 ? "[" + port.address->to_string() + "]:" : port.address->to_string() + ":");
  if (port.target_first != port.first) text += " → " + ports_text(port.target_first, port.target_last);
  return text + (port.protocol == Protocol::tcp ? "" : std::string("/") + name_of(port.protocol));
}

class Flows {
 public:
  explicit Flows(Draft& draft) : draft_(draft), subject_(draft.subject) {}

  void add_all() {
    for (const PortMapSpec& port : subject_.topology.ports) add_port(port, missing("port", port.text) ? Drift::missing : Drift::none);
    add_rules(Flow::Kind::allow, subject_.topology.policy.allow);
    add_rules(Flow::Kind::deny, subject_.topology.policy.deny);
    if (subject_.live_topology != nullptr) add_extra(*subject_.live_topology);
    for (const BridgeSpec& bridge : subject_.topology.bridges) add_way_out(bridge);
  }

 private:
  [[nodiscard]] std::vector<Terminal> terminals(const std::string& name) const {
    if (name == "internet") return {{false, draft_.internet}};
    if (name == "host") return {{false, draft_.host}};
    if (name == "any") return {{false, draft_.anyone}};
    std::vector<Terminal> found;
    if (const auto outside = draft_.outside.find(name); outside != draft_.outside.end()) found.push_back({false, outside->second});
    const auto& zones = draft_.scene.zones;
    const auto zone = std::find_if(zones.begin(), zones.end(), [&](const Zone& it) { return it.name == name; });
    if (zone != zones.end()) found.push_back({true, static_cast<std::size_t>(zone - zones.begin())});
    if (const auto bridge = draft_.bridges.find(name); bridge != draft_.bridges.end()) found.push_back({false, bridge->second});
    for (const std::string& space : spaces_named(subject_.topology, name)) {
      const auto node = draft_.spaces.find(space);
      if (node == draft_.spaces.end()) continue;
      const Terminal terminal{false, node->second};
      if (std::find(found.begin(), found.end(), terminal) == found.end()) found.push_back(terminal);
    }
    return found;
  }

  /// Whether the kernel has no such statement; false where the kernel was not asked.
  [[nodiscard]] bool missing(const std::string& key, const std::string& value) const {
    if (subject_.live == nullptr) return false;
    const auto said = report::statements(*subject_.live, key);
    return std::find(said.begin(), said.end(), value) == said.end();
  }

  /// As the kernel keeps it: one statement a range of ports.
  [[nodiscard]] bool missing(const char* key, const FlowSpec& spec) const {
    const std::string ends = spec.from.value + (spec.both_ways ? " <-> " : " -> ") + spec.to.value;
    if (spec.ports.empty()) return missing(key, ends);
    const auto said = [&](const PortRange& range) { return !missing(key, ends + ":" + statement_of(range)); };
    return !std::all_of(spec.ports.begin(), spec.ports.end(), said);
  }

  static std::string statement_of(const PortRange& range) { return label_of(std::vector{range}); }

  void add(Flow flow) {
    flow.text = printable(flow.text);
    const auto is_drawn = [](const std::vector<Terminal>& ends) {
      return !ends.empty() && std::none_of(ends.begin(), ends.end(), [](const Terminal& it) { return it.index == nowhere; });
    };
    if (!is_drawn(flow.from) || !is_drawn(flow.to)) return;
    if (flow.from == flow.to && flow.from.size() == 1 && !flow.from.front().zone) {
      // A bridge's own members among themselves: there is no way to draw an arrow along.
      const std::string tag = std::string(to_text(flow.kind)) + " within" + (flow.label.empty() ? "" : " " + flow.label);
      return draft_.scene.nodes[flow.from.front().index].tags.push_back(tag);
    }
    draft_.scene.flows.push_back(std::move(flow));
  }

  void add_port(const PortMapSpec& port, Drift drift) {
    Flow flow{Flow::Kind::port, {{false, draft_.host}}, terminals(port.target)};
    flow.label = label_of(port);
    flow.text = "port " + port.text;
    flow.where = draft_.where(port.at);
    flow.drift = drift;
    add(std::move(flow));
  }

  void add_rules(Flow::Kind kind, const std::vector<FlowSpec>& rules) {
    for (const FlowSpec& spec : rules) add_rule(kind, spec, missing(to_text(kind), spec) ? Drift::missing : Drift::none);
  }

  void add_rule(Flow::Kind kind, const FlowSpec& spec, Drift drift) {
    Flow flow{kind, terminals(spec.from.value), terminals(spec.to.value), spec.both_ways};
    flow.label = label_of(spec.ports);
    flow.text = std::string(to_text(kind)) + " " + spec.text;
    flow.where = draft_.where(spec.at);
    flow.drift = drift;
    add(std::move(flow));
  }

  /// What the kernel has and the file has not.
  void add_extra(const Topology& live) {
    const auto has = [](const auto& list, const std::string& text) {
      return std::any_of(list.begin(), list.end(), [&](const auto& it) { return it.text == text; });
    };
    const Topology& wanted = subject_.topology;
    for (const PortMapSpec& port : live.ports) {
      if (!has(wanted.ports, port.text)) add_port(port, Drift::extra);
    }
    const auto compare = [&](Flow::Kind kind, const std::vector<FlowSpec>& theirs, const std::vector<FlowSpec>& ours) {
      std::vector<std::string> said;
      for (const FlowSpec& spec : ours) {
        const std::string ends = spec.from.value + (spec.both_ways ? " <-> " : " -> ") + spec.to.value;
        if (spec.ports.empty()) said.push_back(ends);
        for (const PortRange& range : spec.ports) said.push_back(ends + ":" + statement_of(range));
      }
      for (const FlowSpec& spec : theirs) {
        if (std::find(said.begin(), said.end(), spec.text) == said.end()) add_rule(kind, spec, Drift::extra);
      }
    };
    compare(Flow::Kind::allow, live.policy.allow, wanted.policy.allow);
    compare(Flow::Kind::deny, live.policy.deny, wanted.policy.deny);
  }

  /// The way out that `nat` opens, unless an allow towards the outside takes its place.
  void add_way_out(const BridgeSpec& bridge) {
    const auto node = draft_.bridges.find(bridge.name);
    if (bridge.nat.kind == Nat::Kind::none || node == draft_.bridges.end()) return;
    const Terminal from{false, node->second};
    for (const Flow& flow : draft_.scene.flows) {
      if (flow.kind != Flow::Kind::allow) continue;
      const bool names_it = std::any_of(flow.from.begin(), flow.from.end(), [&](const Terminal& it) {
        if (!it.zone) return it == from;
        const auto& nodes = draft_.scene.zones[it.index].nodes;
        return std::find(nodes.begin(), nodes.end(), from.index) != nodes.end();
      });
      const bool leads_out = std::any_of(flow.to.begin(), flow.to.end(), [&](const Terminal& it) {
        return !it.zone && (draft_.scene.nodes[it.index].kind == Node::Kind::internet || draft_.scene.nodes[it.index].kind == Node::Kind::outside);
      });
      if (names_it && leads_out) return;
    }
    Flow flow{Flow::Kind::way_out, {from}, {{false, draft_.internet}}};
    flow.text = "nat " + bridge.name + (bridge.nat.kind == Nat::Kind::masquerade ? " masquerade" : " snat " + bridge.nat.to.to_string());
    flow.where = draft_.where(bridge.nat.at.line != 0 ? bridge.nat.at : bridge.at);
    flow.drift = missing("nat", flow.text.substr(4)) ? Drift::missing : Drift::none;
    add(std::move(flow));
  }

  Draft& draft_;
  const Subject& subject_;
};

}  // namespace

void add_zones(Draft& draft) {
  for (const ZoneSpec& spec : draft.subject.topology.zones) {
    Zone zone{printable(spec.name)};
    for (const auto& member : spec.members) {
      const auto* name = std::get_if<std::string>(&member.value);
      if (name == nullptr) continue;
      if (const auto bridge = draft.bridges.find(*name); bridge != draft.bridges.end()) zone.nodes.push_back(bridge->second);
      for (const std::string& space : spaces_named(draft.subject.topology, *name)) {
        if (const auto found = draft.spaces.find(space); found != draft.spaces.end()) zone.nodes.push_back(found->second);
      }
    }
    std::sort(zone.nodes.begin(), zone.nodes.end());
    zone.nodes.erase(std::unique(zone.nodes.begin(), zone.nodes.end()), zone.nodes.end());
    zone.where = draft.where(spec.at);
    if (!zone.nodes.empty()) draft.scene.zones.push_back(std::move(zone));
  }
}

void add_flows(Draft& draft) {
  Flows(draft).add_all();
  const PolicySpec& policy = draft.subject.topology.policy;
  if (policy.default_allow) draft.scene.notes.emplace_back("between bridges everything passes that is not denied");
  if (policy.reject) draft.scene.notes.emplace_back("what is blocked is refused, not dropped");
}

}  // namespace topo::picture
