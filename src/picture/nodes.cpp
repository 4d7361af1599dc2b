// The things of a scene, and the cables between them.
#include <algorithm>
#include <tuple>

#include "picture/draft.hpp"
#include "topo/names.hpp"

namespace topo::picture {
namespace {

std::size_t add(Draft& draft, Node node) {
  draft.scene.nodes.push_back(std::move(node));
  return draft.scene.nodes.size() - 1;
}

bool names_one(const FlowSpec& flow, const std::string& name) { return flow.from.value == name || flow.to.value == name; }

bool says(const Subject& subject, const std::string& name) {
  bool found = false;
  each_flow(subject, [&](const FlowSpec& flow) { found = found || names_one(flow, name); });
  return found;
}

bool has_gateway(const Bridge& bridge) { return bridge.gateway_v4 || bridge.gateway_v6; }

bool host_has_part(const Subject& subject) {
  for (const Bridge* bridge : all_of<Bridge>(subject)) {
    if (has_gateway(*bridge)) return true;
  }
  for (const Veth* cable : all_of<Veth>(subject)) {
    for (const VethEnd& end : cable->ends) {
      if (end.ns.empty() && end.bridge.empty()) return true;
    }
  }
  return says(subject, "host");
}

bool reaches_internet(const Subject& subject) {
  const Topology& topology = subject.topology;
  const bool nat = std::any_of(topology.bridges.begin(), topology.bridges.end(), [](const BridgeSpec& it) { return it.nat.kind != Nat::Kind::none; });
  const bool port = std::any_of(topology.ports.begin(), topology.ports.end(), [](const PortMapSpec& it) { return !it.address || !it.address->is_loopback(); });
  return nat || port || says(subject, "internet");
}

/// What a bridge's file entry says beside its addresses.
std::vector<std::string> tags_of(const BridgeSpec& spec) {
  std::vector<std::string> tags;
  if (spec.nat.kind == Nat::Kind::masquerade) tags.emplace_back("nat");
  if (spec.nat.kind == Nat::Kind::snat) tags.push_back("nat " + spec.nat.to.to_string());
  if (spec.isolated) tags.emplace_back("isolated");
  if (spec.plain) tags.emplace_back("switch");
  return tags;
}

}  // namespace

void add_outside(Draft& draft) {
  const Subject& subject = draft.subject;
  if (says(subject, "any")) draft.anyone = add(draft, {Node::Kind::anyone, "any"});
  if (reaches_internet(subject)) draft.internet = add(draft, {Node::Kind::internet, "internet"});
  for (const ZoneSpec& zone : subject.topology.zones) {
    Node node{Node::Kind::outside, printable(zone.name)};
    for (const auto& member : zone.members) {
      if (const auto* network = std::get_if<Cidr>(&member.value)) node.lines.push_back(network->to_string());
    }
    node.where = draft.where(zone.at);
    if (!node.lines.empty()) draft.outside[zone.name] = add(draft, std::move(node));
  }
  const bool mapped = !subject.topology.ports.empty();
  if (draft.internet != nowhere || !draft.outside.empty() || mapped || host_has_part(subject)) draft.host = add(draft, {Node::Kind::host, "host"});
}

void add_bridges(Draft& draft) {
  const Subject& subject = draft.subject;
  const auto put = [&](const Bridge& bridge, const BridgeSpec* spec, const Graph& graph) {
    Node node{Node::Kind::bridge, printable(bridge.name)};
    for (const Cidr& address : addresses_on(graph, bridge.ns, bridge.name, bridge.mac)) node.lines.push_back(address.to_string());
    if (spec != nullptr) node.tags = tags_of(*spec);
    if (spec != nullptr) node.where = draft.where(spec->at);
    node.drift = draft.drift_of(id_of(bridge));
    const std::string addresses = "address :" + bridge.name + " ";
    const auto differs = draft.drift.lower_bound(addresses);
    if (node.drift == Drift::none && differs != draft.drift.end() && differs->first.starts_with(addresses)) node.drift = Drift::changed;
    draft.bridges[bridge.name] = add(draft, std::move(node));
  };
  for (const BridgeSpec& spec : subject.topology.bridges) {
    const topo::Node* found = subject.desired.find("bridge :" + spec.name);
    if (found != nullptr) put(std::get<Bridge>(found->resource), &spec, subject.desired);
  }
  if (subject.live == nullptr) return;
  for (const Bridge* bridge : subject.live->all<Bridge>()) {
    if (!draft.bridges.contains(bridge->name)) put(*bridge, nullptr, *subject.live);
  }
}

void add_cables(Draft& draft) {
  const Subject& subject = draft.subject;
  std::vector<Cable> found;
  if (draft.host != nowhere) {
    if (draft.internet != nowhere) found.push_back({{CableEnd{draft.internet}, CableEnd{draft.host}}});
    for (const auto& [name, node] : draft.outside) found.push_back({{CableEnd{node}, CableEnd{draft.host}}});
    for (const Bridge* bridge : all_of<Bridge>(subject)) {
      if (has_gateway(*bridge)) found.push_back({{CableEnd{draft.host}, CableEnd{draft.bridges.at(bridge->name)}}});
    }
  }
  for (const Veth* veth : all_of<Veth>(subject)) {
    const Id id = id_of(*veth);
    Cable cable{{}, draft.drift_of(id)};
    for (std::size_t side = 0; side < 2; ++side) {
      const VethEnd& end = veth->ends[side];
      const auto bridge = draft.bridges.find(end.bridge);
      const auto space = draft.spaces.find(end.ns);
      if (bridge != draft.bridges.end()) {
        cable.ends[side] = {bridge->second};
      } else {
        cable.ends[side] = {space != draft.spaces.end() ? space->second : draft.host, printable(end.name)};
      }
    }
    // A cable of a namespace that is not the topology's any more has no end to be drawn to.
    if (cable.ends[0].node == nowhere || cable.ends[1].node == nowhere) continue;
    if (const topo::Node* node = subject.desired.find(id)) cable.where = draft.where(node->origin);
    found.push_back(std::move(cable));
  }
  std::stable_sort(found.begin(), found.end(), [](const Cable& a, const Cable& b) {
    const auto key = [](const Cable& it) {
      const auto [low, high] = std::minmax(it.ends[0].node, it.ends[1].node);
      return std::tie(high, low, it.ends[0].interface, it.ends[1].interface);
    };
    return key(a) < key(b);
  });
  // Folded replicas have one cable for all.
  for (Cable& cable : found) {
    const auto same = [&](const Cable& it) {
      return it.ends[0].node == cable.ends[0].node && it.ends[1].node == cable.ends[1].node && it.ends[0].interface == cable.ends[0].interface &&
             it.ends[1].interface == cable.ends[1].interface && it.drift == cable.drift;
    };
    auto& cables = draft.scene.cables;
    const bool folds = draft.scene.nodes[cable.ends[0].node].spaces.size() > 1 || draft.scene.nodes[cable.ends[1].node].spaces.size() > 1;
    if (!folds || cables.empty() || !same(cables.back())) cables.push_back(std::move(cable));
  }
}

}  // namespace topo::picture
