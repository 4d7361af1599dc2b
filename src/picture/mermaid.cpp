#include "picture/mermaid.hpp"

#include <algorithm>
#include <map>

#include "picture/block.hpp"

namespace topo::picture {
namespace {

/// As a quoted label; what Mermaid or the HTML in its labels would read is written as an entity.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "<br/>";
    } else if (std::string_view("\"#&<>`\\*_[]").find(c) != std::string_view::npos) {
      out += "#" + std::to_string(static_cast<int>(c)) + ";";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string name_of(std::size_t node) { return "n" + std::to_string(node); }

class Chart {
 public:
  explicit Chart(const Scene& scene) : scene_(scene), zones_(zone_of_nodes(scene)) {}

  std::string write() {
    out_ = "---\ntitle: \"" + scene_.topology + "\"\n---\nflowchart TB\n";
    for (std::size_t i = 0; i < scene_.nodes.size(); ++i) {
      if (zones_[i] == nowhere) add_node(i, "  ");
    }
    for (std::size_t zone = 0; zone < scene_.zones.size(); ++zone) add_zone(zone);
    for (const Cable& cable : scene_.cables) add_cable(cable);
    for (const Flow& flow : scene_.flows) add_flow(flow);
    add_styles();
    out_.pop_back();
    return std::move(out_);
  }

 private:
  void add_node(std::size_t index, const char* indent) {
    const Node& node = scene_.nodes[index];
    std::string label = node.name;
    for (const std::string& tag : node.tags) label += " · " + tag;
    for (const std::string& line : node.lines) label += "\n" + line;
    const bool outer = node.kind != Node::Kind::bridge && node.kind != Node::Kind::space;
    out_ += indent + name_of(index) + (outer ? "([" : "[") + quoted(label) + (outer ? "])" : "]");
    out_ += node.drift != Drift::none ? std::string(":::") + to_text(node.drift) : node.kind == Node::Kind::bridge ? ":::bridge" : outer ? ":::outer" : "";
    out_ += "\n";
  }

  void add_zone(std::size_t zone) {
    const bool empty = std::none_of(zones_.begin(), zones_.end(), [&](std::size_t it) { return it == zone; });
    if (empty) return;
    out_ += "  subgraph z" + std::to_string(zone) + "[" + quoted(scene_.zones[zone].name) + "]\n";
    for (std::size_t i = 0; i < scene_.nodes.size(); ++i) {
      if (zones_[i] == zone) add_node(i, "    ");
    }
    out_ += "  end\n";
  }

  void add_edge(const std::string& edge, const std::string& style) {
    out_ += "  " + edge + "\n";
    styles_.emplace_back(style);
  }

  void add_cable(const Cable& cable) {
    std::string label;
    for (const CableEnd& end : cable.ends) {
      if (!end.interface.empty()) label += (label.empty() ? "" : " — ") + end.interface;
    }
    const char* color = cable.drift == Drift::missing ? "#0550ae" : cable.drift == Drift::changed ? "#9a6700" : cable.drift == Drift::extra ? "#a8226f" : "#6a7581";
    add_edge(name_of(cable.ends[0].node) + " ---" + (label.empty() ? " " : "|" + quoted(label) + "| ") + name_of(cable.ends[1].node),
             std::string("stroke:") + color);
  }

  /// The subgraph of a zone that stands whole in one, and that the other end is not in; else its nodes.
  [[nodiscard]] std::vector<std::string> names_of(const Terminal& terminal, const Terminal& other) const {
    if (!terminal.zone) return {name_of(terminal.index)};
    const auto& nodes = scene_.zones[terminal.index].nodes;
    const auto inside = [&](std::size_t node) { return zones_[node] == terminal.index; };
    const bool holds_other = other.zone ? std::any_of(scene_.zones[other.index].nodes.begin(), scene_.zones[other.index].nodes.end(), inside) : inside(other.index);
    if (!holds_other && std::all_of(nodes.begin(), nodes.end(), inside)) return {"z" + std::to_string(terminal.index)};
    std::vector<std::string> names;
    for (const std::size_t node : nodes) names.push_back(name_of(node));
    return names;
  }

  void add_flow(const Flow& flow) {
    static constexpr const char* colors[] = {"#1a7f37", "#cf222e", "#0969da", "#8250df"};
    const bool dotted = flow.kind == Flow::Kind::deny || flow.kind == Flow::Kind::way_out;
    const std::string arrow = std::string(flow.both_ways ? "<" : "") + (dotted ? "-.->" : "-->");
    const std::string label = flow.kind == Flow::Kind::way_out ? "nat" : label_on(flow);
    for (const Terminal& from : flow.from) {
      for (const Terminal& to : flow.to) {
        for (const std::string& a : names_of(from, to)) {
          for (const std::string& b : names_of(to, from)) {
            if (a == b) continue;
            add_edge(a + " " + arrow + (label.empty() ? " " : "|" + quoted(label) + "| ") + b,
                     std::string("stroke:") + colors[static_cast<std::size_t>(flow.kind)]);
          }
        }
      }
    }
  }

  void add_styles() {
    out_ += "  classDef bridge fill:#dbe9f8,stroke:#4a86c8,color:#1f2328\n  classDef outer fill:#eef0f3,stroke:#8c959f,color:#1f2328\n";
    if (scene_.live) out_ += "  classDef missing stroke:#0550ae,stroke-width:3px,stroke-dasharray:5\n  classDef changed stroke:#9a6700,stroke-width:3px\n  classDef extra stroke:#a8226f,stroke-width:3px\n";
    std::map<std::string, std::string> edges;
    for (std::size_t i = 0; i < styles_.size(); ++i) edges[styles_[i]] += (edges[styles_[i]].empty() ? "" : ",") + std::to_string(i);
    for (const auto& [style, of] : edges) out_ += "  linkStyle " + of + " " + style + "\n";
  }

  const Scene& scene_;
  std::vector<std::size_t> zones_;
  std::vector<std::string> styles_;  ///< of each edge
  std::string out_;
};

}  // namespace

std::string to_mermaid(const Scene& scene) { return Chart(scene).write(); }

}  // namespace topo::picture
