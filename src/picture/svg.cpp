#include "picture/svg.hpp"

#include <algorithm>
#include <cstdlib>

#include "picture/assets.hpp"
#include "picture/markup.hpp"
#include "picture/text.hpp"

namespace topo::picture {
namespace {

constexpr int bend_radius = 6;
constexpr int head_length = 9;
constexpr int head_width = 4;

std::string number(int value) { return std::to_string(value); }
std::string attribute(const char* name, int value) { return std::string(" ") + name + "=\"" + number(value) + "\""; }

std::string rect(const Rect& box, const std::string& classes, int radius) {
  return "<rect class=\"" + classes + "\"" + attribute("x", box.x) + attribute("y", box.y) + attribute("width", box.w) + attribute("height", box.h) +
         attribute("rx", radius) + "/>";
}

std::string with(const std::string& classes, Drift drift) { return drift == Drift::none ? classes : classes + " " + to_text(drift); }

int toward(int from, int to, int by) { return to > from ? by : to < from ? -by : 0; }

/// "M x y L ... Q ...": the wire with its corners rounded.
std::string path_of(const std::vector<Point>& points) {
  std::string path = "M" + number(points.front().x) + " " + number(points.front().y);
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    const Point before = points[i - 1], here = points[i], after = points[i + 1];
    const int in = std::abs(here.x - before.x) + std::abs(here.y - before.y), out = std::abs(after.x - here.x) + std::abs(after.y - here.y);
    const int radius = std::min({bend_radius, in / 2, out / 2});
    path += "L" + number(here.x - toward(before.x, here.x, radius)) + " " + number(here.y - toward(before.y, here.y, radius));
    path += "Q" + number(here.x) + " " + number(here.y) + " " + number(here.x + toward(here.x, after.x, radius)) + " " +
            number(here.y + toward(here.y, after.y, radius));
  }
  return path + "L" + number(points.back().x) + " " + number(points.back().y);
}

/// An arrow's head at `tip`, coming from `from`.
std::string head(const Point& from, const Point& tip, const std::string& kind) {
  const int x = toward(from.x, tip.x, 1), y = x != 0 ? 0 : toward(from.y, tip.y, 1);
  const Point base{tip.x - x * head_length, tip.y - y * head_length};
  return "<path class=\"head " + kind + "\" d=\"M" + number(tip.x) + " " + number(tip.y) + "L" + number(base.x - y * head_width) + " " +
         number(base.y - x * head_width) + "L" + number(base.x + y * head_width) + " " + number(base.y + x * head_width) + "Z\"/>";
}

/// `points` cut short at an end with an arrow's head, so that the line does not show beside its tip.
std::vector<Point> cut(std::vector<Point> points, bool at_front, bool at_back) {
  const auto shorten = [](Point& end, const Point& next) {
    const int x = toward(end.x, next.x, head_length - 2);
    end = {end.x + x, end.y + (x != 0 ? 0 : toward(end.y, next.y, head_length - 2))};
  };
  if (at_front) shorten(points.front(), points[1]);
  if (at_back) shorten(points.back(), points[points.size() - 2]);
  return points;
}

class Drawing {
 public:
  Drawing(const Scene& scene, const Layout& layout) : scene_(scene), layout_(layout) {}

  std::string draw() {
    const std::string size = number(layout_.width) + " " + number(layout_.height);
    line("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size + "\"" + attribute("width", layout_.width) +
         attribute("height", layout_.height) + " role=\"img\">");
    line("<title>" + escaped(scene_.topology + ": " + "a network topology") + "</title>");
    line("<style>\n" + std::string(svg_css) + "</style>");
    line(rect({0, 0, layout_.width, layout_.height}, "paper", 0));
    for (const ZoneFrame& zone : layout_.zones) described(rect(zone.box, "enclosure", 12), "zone " + scene_.zones[zone.zone].name, scene_.zones[zone.zone].where);
    draw_nodes(true);
    for (const Wire& wire : layout_.wires) {
      if (wire.kind == Wire::Kind::cable) draw_cable(wire);
    }
    for (const Bus& bus : layout_.buses) {
      line("<path class=\"bus\" d=\"" + path_of({bus.from, bus.to}) + "\"/>");
    }
    for (const Wire& wire : layout_.wires) {
      if (wire.kind == Wire::Kind::flow) draw_flow(wire);
    }
    draw_nodes(false);
    for (const Text& text : layout_.texts) {
      if (text.node == nowhere) draw_text(text);
    }
    for (const LegendEntry& entry : layout_.legend) draw_sample(entry);
    out_ += "</svg>";
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }

  /// With a tooltip: what it is, and where the file says so.
  void described(const std::string& shape, const std::string& what, const std::string& where) {
    line("<g><title>" + escaped(what + (where.empty() ? "" : " (" + where + ")")) + "</title>" + shape + "</g>");
  }

  void draw_nodes(bool frames) {
    std::vector<std::string> texts(scene_.nodes.size());
    for (const Text& text : layout_.texts) {
      if (text.node != nowhere) texts[text.node] += "\n" + markup_of(text);
    }
    for (std::size_t i = 0; i < scene_.nodes.size(); ++i) {
      const Node& node = scene_.nodes[i];
      if ((node.kind == Node::Kind::bridge) != frames) continue;
      std::string name = std::string(to_text(node.kind)) + (node.kind == Node::Kind::bridge || node.kind == Node::Kind::space ? " " + node.name : "");
      if (node.kind == Node::Kind::outside) name = "outside: " + node.name;
      described(shape_of(node, layout_.nodes[i]) + texts[i], name, node.where);
    }
  }

  static std::string shape_of(const Node& node, const Rect& box) {
    if (node.kind == Node::Kind::bridge) return rect(box, with("frame", node.drift), 10);
    if (node.kind != Node::Kind::space) return rect(box, with("card outer", node.drift), node.kind == Node::Kind::host ? 6 : box.h / 2);
    std::string shape;
    // Several that look like one stand behind one another.
    for (int i = node.spaces.size() > 1 ? 2 : 0; i > 0; --i) shape += rect(box.moved(3 * i, 3 * i), with("card", node.drift), 6);
    return shape + rect(box, with("card", node.drift), 6);
  }

  [[nodiscard]] std::string markup_of(const Text& text) const {
    std::string classes = to_text(text.style);
    if (is_monospaced(text.style)) classes += " mono";
    if (text.flow != nowhere) classes += std::string(" ") + to_text(scene_.flows[text.flow].kind);
    std::string markup;
    int x = text.box.x;
    if (text.style == Text::Style::tag || text.style == Text::Style::label) {
      const bool tag = text.style == Text::Style::tag;
      const bool tells_drift = tag && text.text == to_text(scene_.nodes[text.node].drift);
      markup += rect(text.box, with(tag ? "chip" : text.node != nowhere ? "socket" : "shade", tells_drift ? scene_.nodes[text.node].drift : Drift::none), tag ? 8 : 3);
      x += text.box.w / 2;
      markup += "<text text-anchor=\"middle\"";
    } else {
      markup += "<text";
    }
    // Where the alphabet stands: four fifths of the font's size above the descenders' end.
    const int size = font_size(text.style), baseline = text.box.y + (text.box.h - size) / 2 + size * 5 / 6;
    return markup + " class=\"" + classes + "\"" + attribute("x", x) + attribute("y", baseline) + " xml:space=\"preserve\">" + escaped(text.text) +
           "</text>";
  }

  void draw_text(const Text& text) { line(markup_of(text)); }

  void draw_cable(const Wire& wire) {
    const Cable& cable = scene_.cables[wire.index];
    std::string shape = "<path class=\"" + with("wire cable", cable.drift) + "\" d=\"" + path_of(wire.points) + "\"/>";
    for (std::size_t side = 0; side < 2; ++side) {
      const Point& end = side == 0 ? wire.points.front() : wire.points.back();
      shape += "<circle class=\"plug\"" + attribute("cx", end.x) + attribute("cy", end.y) + " r=\"3\"/>";
    }
    const auto title = [&](const CableEnd& end) { return scene_.nodes[end.node].name + (end.interface.empty() ? "" : ":" + end.interface); };
    described(shape, title(cable.ends[0]) + " — " + title(cable.ends[1]) + (cable.drift == Drift::none ? "" : std::string(": ") + to_text(cable.drift)), cable.where);
  }

  void draw_flow(const Wire& wire) {
    const Flow& flow = scene_.flows[wire.index];
    const std::string kind = to_text(flow.kind);
    const std::vector<Point>& points = wire.points;
    std::string shape = "<path class=\"" + with("wire " + kind, flow.drift) + "\" d=\"" + path_of(cut(points, flow.both_ways, true)) + "\"/>";
    shape += head(points[points.size() - 2], points.back(), kind);
    if (flow.both_ways) shape += head(points[1], points.front(), kind);
    described(shape, flow.text + (flow.drift == Drift::none ? "" : std::string(": ") + to_text(flow.drift)), flow.where);
  }

  void draw_sample(const LegendEntry& entry) {
    const Point from{entry.sample.x, entry.sample.middle().y}, to{entry.sample.right(), from.y};
    const Rect small{from.x, from.y - 6, entry.sample.w, 12};
    const auto arrow = [&](const char* kind) {
      line("<path class=\"wire " + std::string(kind) + "\" d=\"" + path_of(cut({from, to}, false, true)) + "\"/>" + head(from, to, kind));
    };
    switch (entry.sign) {
      case LegendEntry::Sign::cable:
        return line("<path class=\"wire cable\" d=\"" + path_of({from, to}) + "\"/>");
      case LegendEntry::Sign::allow:
        return arrow("allow");
      case LegendEntry::Sign::deny:
        return arrow("deny");
      case LegendEntry::Sign::port:
        return arrow("port");
      case LegendEntry::Sign::way_out:
        return arrow("nat");
      case LegendEntry::Sign::zone:
        return line(rect(small, "enclosure", 4));
      case LegendEntry::Sign::missing:
        return line(rect(small, "card missing", 4));
      case LegendEntry::Sign::changed:
        return line(rect(small, "card changed", 4));
      case LegendEntry::Sign::extra:
        return line(rect(small, "card extra", 4));
    }
  }

  const Scene& scene_;
  const Layout& layout_;
  std::string out_;
};

}  // namespace

std::string to_svg(const Scene& scene, const Layout& layout) { return Drawing(scene, layout).draw(); }

}  // namespace topo::picture
