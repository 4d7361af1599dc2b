#include "picture/dot.hpp"

#include "picture/block.hpp"

namespace topo::picture {
namespace {

/// As a quoted string of the DOT language; a backslash is doubled, since labels read it as an escape.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string name_of(std::size_t node) { return "n" + std::to_string(node); }

const char* color_of(Drift drift, const char* otherwise) {
  switch (drift) {
    case Drift::none:
      return otherwise;
    case Drift::missing:
      return "#0550ae";
    case Drift::changed:
      return "#9a6700";
    case Drift::extra:
      return "#a8226f";
  }
  return otherwise;
}

const char* style_of(Flow::Kind kind) {
  switch (kind) {
    case Flow::Kind::allow:
      return "color=\"#1a7f37\", fontcolor=\"#1a7f37\"";
    case Flow::Kind::deny:
      return "color=\"#cf222e\", fontcolor=\"#cf222e\", style=dashed";
    case Flow::Kind::port:
      return "color=\"#0969da\", fontcolor=\"#0969da\"";
    case Flow::Kind::way_out:
      return "color=\"#8250df\", fontcolor=\"#8250df\", style=dotted";
  }
  return "";
}

std::string node_text(const Node& node, std::size_t index) {
  std::string label = node.name;
  for (const std::string& tag : node.tags) label += " [" + tag + "]";
  for (const std::string& line : node.lines) label += "\n" + line;
  const bool outer = node.kind != Node::Kind::bridge && node.kind != Node::Kind::space;
  const char* fill = node.kind == Node::Kind::bridge ? "#dbe9f8" : outer ? "#eef0f3" : "#ffffff";
  std::string text = name_of(index) + " [label=" + quoted(label) + ", fillcolor=\"" + fill + "\", color=\"" + color_of(node.drift, "#8c959f") + "\"";
  if (node.kind == Node::Kind::bridge) text += ", shape=box3d";
  if (node.drift != Drift::none) text += std::string(", penwidth=2, tooltip=") + quoted(to_text(node.drift));
  return text + "];\n";
}

/// Zones are clusters: an arrow leads to one of its nodes and is cut at its border.
std::string flow_text(const Scene& scene, const std::vector<std::size_t>& zones, const Flow& flow, const Terminal& from, const Terminal& to) {
  const auto node = [&](const Terminal& it) {
    if (!it.zone) return it.index;
    const auto& nodes = scene.zones[it.index].nodes;
    for (const std::size_t one : nodes) {
      if (zones[one] == it.index) return one;
    }
    return nodes.front();
  };
  std::string text = name_of(node(from)) + " -> " + name_of(node(to)) + " [" + style_of(flow.kind) + ", constraint=false";
  const auto is_cluster = [&](const Terminal& it, const Terminal& other) {
    return it.zone && zones[node(it)] == it.index && zones[node(other)] != it.index;
  };
  if (is_cluster(from, to)) text += ", ltail=cluster_" + std::to_string(from.index);
  if (is_cluster(to, from)) text += ", lhead=cluster_" + std::to_string(to.index);
  if (flow.both_ways) text += ", dir=both";
  if (const std::string label = label_on(flow); !label.empty()) text += ", label=" + quoted(label);
  return text + ", tooltip=" + quoted(flow.text) + "];\n";
}

}  // namespace

std::string to_dot(const Scene& scene) {
  std::string text = "digraph " + quoted(scene.topology) + " {\n  compound=true;\n  label=" + quoted(scene.topology) +
                     ";\n  labelloc=t;\n  fontname=\"Helvetica\";\n  node [shape=box, style=\"filled,rounded\", fontname=\"Helvetica\", fontsize=11];\n"
                     "  edge [fontname=\"Helvetica\", fontsize=9];\n";
  const std::vector<std::size_t> zones = zone_of_nodes(scene);
  for (std::size_t i = 0; i < scene.nodes.size(); ++i) text += "  " + node_text(scene.nodes[i], i);
  for (std::size_t zone = 0; zone < scene.zones.size(); ++zone) {
    text += "  subgraph cluster_" + std::to_string(zone) + " {\n    label=" + quoted(scene.zones[zone].name) + ";\n    color=\"#bf8700\";\n    style=dashed;\n   ";
    for (const std::size_t node : scene.zones[zone].nodes) text += zones[node] == zone ? " " + name_of(node) + ";" : "";
    text += "\n  }\n";
  }
  for (const Cable& cable : scene.cables) {
    text += "  " + name_of(cable.ends[0].node) + " -> " + name_of(cable.ends[1].node) + " [dir=none, color=\"" + color_of(cable.drift, "#57606a") + "\"";
    if (!cable.ends[0].interface.empty()) text += ", taillabel=" + quoted(cable.ends[0].interface);
    if (!cable.ends[1].interface.empty()) text += ", headlabel=" + quoted(cable.ends[1].interface);
    text += "];\n";
  }
  for (const Flow& flow : scene.flows) {
    for (const Terminal& from : flow.from) {
      for (const Terminal& to : flow.to) text += from == to ? "" : "  " + flow_text(scene, zones, flow, from, to);
    }
  }
  return text + "}";
}

}  // namespace topo::picture
