#include "picture/json.hpp"

#include <nlohmann/json.hpp>

#include "picture/text.hpp"

namespace topo::picture {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Rect& box) { return {box.x, box.y, box.w, box.h}; }

Json json_of(const std::vector<Point>& points) {
  Json list = Json::array();
  for (const Point& point : points) list.push_back({point.x, point.y});
  return list;
}

/// Adds `value` where it says something.
template <class T>
void add(Json& to, const char* key, const T& value) {
  if (!value.empty()) to[key] = value;
}
void add(Json& to, Drift drift) {
  if (drift != Drift::none) to["drift"] = to_text(drift);
}

Json json_of(const Fact& fact) {
  Json made = Json::object();
  add(made, "namespace", fact.of);
  made["kind"] = fact.kind;
  made["text"] = fact.text;
  add(made, "where", fact.where);
  add(made, fact.drift);
  return made;
}

Json json_of(const Node& node, const Rect& box, const std::vector<std::string>& zones) {
  Json made{{"id", id_of(node)}, {"kind", to_text(node.kind)}, {"name", node.name}};
  add(made, "namespaces", node.spaces);
  add(made, "addresses", node.lines);
  add(made, "tags", node.tags);
  add(made, "zones", zones);
  add(made, "where", node.where);
  add(made, node.drift);
  made["box"] = json_of(box);
  Json facts = Json::array();
  for (const Fact& fact : node.facts) facts.push_back(json_of(fact));
  if (!facts.empty()) made["facts"] = std::move(facts);
  return made;
}

std::string id_of(const Scene& scene, const Terminal& terminal) {
  return terminal.zone ? "zone " + scene.zones[terminal.index].name : picture::id_of(scene.nodes[terminal.index]);
}

Json ids_of(const Scene& scene, const std::vector<Terminal>& terminals) {
  Json list = Json::array();
  for (const Terminal& terminal : terminals) list.push_back(id_of(scene, terminal));
  return list;
}

Json wires_of(const Layout& layout, Wire::Kind kind, std::size_t index) {
  Json list = Json::array();
  for (const Wire& wire : layout.wires) {
    if (wire.kind == kind && wire.index == index) list.push_back(json_of(wire.points));
  }
  return list;
}

Json cables_of(const Scene& scene, const Layout& layout) {
  Json list = Json::array();
  for (std::size_t i = 0; i < scene.cables.size(); ++i) {
    const Cable& cable = scene.cables[i];
    Json ends = Json::array();
    for (const CableEnd& end : cable.ends) {
      Json made{{"node", id_of(scene.nodes[end.node])}};
      add(made, "interface", end.interface);
      ends.push_back(std::move(made));
    }
    Json made{{"ends", std::move(ends)}};
    add(made, "where", cable.where);
    add(made, cable.drift);
    made["wires"] = wires_of(layout, Wire::Kind::cable, i);
    list.push_back(std::move(made));
  }
  return list;
}

Json flows_of(const Scene& scene, const Layout& layout) {
  Json list = Json::array();
  for (std::size_t i = 0; i < scene.flows.size(); ++i) {
    const Flow& flow = scene.flows[i];
    Json made{{"kind", to_text(flow.kind)}, {"from", ids_of(scene, flow.from)}, {"to", ids_of(scene, flow.to)}, {"both_ways", flow.both_ways}};
    add(made, "ports", flow.label);
    made["text"] = flow.text;
    add(made, "where", flow.where);
    add(made, flow.drift);
    made["wires"] = wires_of(layout, Wire::Kind::flow, i);
    list.push_back(std::move(made));
  }
  return list;
}

Json zones_of(const Scene& scene, const Layout& layout) {
  Json list = Json::array();
  for (std::size_t i = 0; i < scene.zones.size(); ++i) {
    const Zone& zone = scene.zones[i];
    Json made{{"id", "zone " + zone.name}, {"name", zone.name}, {"members", Json::array()}};
    for (const std::size_t node : zone.nodes) made["members"].push_back(id_of(scene.nodes[node]));
    add(made, "where", zone.where);
    made["boxes"] = Json::array();
    for (const ZoneFrame& frame : layout.zones) {
      if (frame.zone == i) made["boxes"].push_back(json_of(frame.box));
    }
    list.push_back(std::move(made));
  }
  return list;
}

Json texts_of(const Scene& scene, const Layout& layout) {
  Json list = Json::array();
  for (const Text& text : layout.texts) {
    Json made{{"text", text.text}, {"style", to_text(text.style)}, {"size", font_size(text.style)}, {"box", json_of(text.box)}};
    if (text.node != nowhere) made["node"] = id_of(scene.nodes[text.node]);
    if (text.flow != nowhere) made["flow"] = to_text(scene.flows[text.flow].kind);
    list.push_back(std::move(made));
  }
  return list;
}

}  // namespace

std::string id_of(const Node& node) {
  const std::string kind = to_text(node.kind);
  if (node.kind == Node::Kind::space) return kind + " " + node.spaces.front();
  return node.kind == Node::Kind::bridge || node.kind == Node::Kind::outside ? kind + " " + node.name : kind;
}

Json document_of(const Scene& scene, const Layout& layout, bool drawing) {
  std::vector<std::vector<std::string>> zones(scene.nodes.size());
  for (const Zone& zone : scene.zones) {
    for (const std::size_t node : zone.nodes) zones[node].push_back(zone.name);
  }
  Json nodes = Json::array();
  for (std::size_t i = 0; i < scene.nodes.size(); ++i) nodes.push_back(json_of(scene.nodes[i], layout.nodes[i], zones[i]));
  Json document{{"format", "topo.graph/1"}, {"topology", scene.topology}, {"live", scene.live}, {"width", layout.width}, {"height", layout.height}};
  if (!scene.notes.empty()) document["notes"] = scene.notes;
  document["nodes"] = std::move(nodes);
  document["cables"] = cables_of(scene, layout);
  document["flows"] = flows_of(scene, layout);
  document["zones"] = zones_of(scene, layout);
  if (!drawing) return document;
  document["texts"] = texts_of(scene, layout);
  document["buses"] = Json::array();
  for (const Bus& bus : layout.buses) document["buses"].push_back(json_of(std::vector{bus.from, bus.to}));
  return document;
}

std::string to_json(const Scene& scene, const Layout& layout) { return document_of(scene, layout, false).dump(2, ' ', true); }

}  // namespace topo::picture
