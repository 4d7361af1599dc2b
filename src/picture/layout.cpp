#include "picture/layout.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "picture/block.hpp"
#include "picture/legend.hpp"
#include "picture/router.hpp"
#include "picture/rows.hpp"
#include "picture/text.hpp"

namespace topo::picture {
namespace {

constexpr int edge = 40;    // around everything
constexpr int top = 100;    // above it: the title

/// One wire of a flow: one of its ends with another.
struct Pair {
  std::size_t flow = nowhere;
  Terminal from, to;
};

std::vector<Pair> pairs_of(const Scene& scene) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < scene.flows.size(); ++i) {
    for (const Terminal& from : scene.flows[i].from) {
      for (const Terminal& to : scene.flows[i].to) {
        if (from != to) pairs.push_back({i, from, to});
      }
    }
  }
  return pairs;
}

class Composition {
 public:
  explicit Composition(const Scene& scene)
      : scene_(scene), blocks_(blocks_of(scene)), pairs_(pairs_of(scene)), block_of_(scene.nodes.size(), nowhere) {
    layout_.nodes.resize(scene.nodes.size());
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      for (const PlacedNode& it : blocks_[i].nodes) block_of_[it.node] = i;
      for (const Wire& wire : blocks_[i].wires) inside_.insert(wire.index);
    }
  }

  Layout run() {
    const Placement placement = place(scene_, blocks_, ties());
    for (std::size_t i = 0; i < blocks_.size(); ++i) put(blocks_[i], placement.origins[i].x + edge, placement.origins[i].y + top);
    for (ZoneFrame frame : placement.frames) {
      frame.box = frame.box.moved(edge, top);
      layout_.zones.push_back(frame);
      put_zone_name(frame);
    }
    layout_.width = placement.width + 2 * edge;
    layout_.height = placement.height + top + edge;
    put_ports();
    route_all();
    add_legend(scene_, layout_, untold_);
    return std::move(layout_);
  }

 private:
  [[nodiscard]] std::vector<Tie> ties() const {
    std::vector<Tie> ties;
    for (std::size_t i = 0; i < scene_.cables.size(); ++i) {
      const Cable& cable = scene_.cables[i];
      const int names = text_width(cable.ends[0].interface + cable.ends[1].interface, Text::Style::end);
      const auto is_space = [&](const CableEnd& end) { return scene_.nodes[end.node].kind == Node::Kind::space; };
      const bool straight = is_space(cable.ends[0]) && is_space(cable.ends[1]);
      if (inside_.contains(i)) continue;
      ties.push_back({block_of_[cable.ends[0].node], block_of_[cable.ends[1].node], true, straight, names, is_foot(cable) ? 0 : nowhere});
    }
    for (const Pair& pair : pairs_) {
      const int label = text_width(label_on(scene_.flows[pair.flow]), Text::Style::label);
      ties.push_back({block_near(pair.from), block_near(pair.to), false, false, label});
    }
    return ties;
  }

  /// The host's address on a bridge.
  [[nodiscard]] bool is_foot(const Cable& cable) const {
    return scene_.nodes[cable.ends[0].node].kind == Node::Kind::host && scene_.nodes[cable.ends[1].node].kind == Node::Kind::bridge;
  }

  /// The block of a node, or of a zone's first.
  [[nodiscard]] std::size_t block_near(const Terminal& terminal) const {
    return block_of_[terminal.zone ? scene_.zones[terminal.index].nodes.front() : terminal.index];
  }

  void put(const Block& block, int x, int y) {
    for (const PlacedNode& it : block.nodes) layout_.nodes[it.node] = it.box.moved(x, y);
    for (Text text : block.texts) {
      text.box = text.box.moved(x, y);
      layout_.texts.push_back(std::move(text));
    }
    for (const ZoneFrame& frame : block.zones) layout_.zones.push_back({frame.zone, frame.box.moved(x, y)});
    for (const Bus& bus : block.buses) layout_.buses.push_back({bus.node, {bus.from.x + x, bus.from.y + y}, {bus.to.x + x, bus.to.y + y}});
    for (Wire wire : block.wires) {
      for (Point& point : wire.points) point = {point.x + x, point.y + y};
      layout_.wires.push_back(std::move(wire));
    }
  }

  void put_zone_name(const ZoneFrame& frame) {
    const std::string name = shortened(scene_.zones[frame.zone].name, frame.box.w - 2 * pitch, Text::Style::zone);
    layout_.texts.push_back(text_at(frame.box.x + pitch, frame.box.bottom() - line_height(Text::Style::zone) - 4, name, Text::Style::zone));
  }

  /// The host's ports, along the bottom of its card, in the order of where they lead.
  void put_ports() {
    std::vector<std::size_t> ports = ports_on_host(scene_);
    if (ports.empty()) return;
    const std::size_t host = scene_.flows[ports.front()].from.front().index;
    const auto toward = [&](std::size_t port) { return layout_.nodes[scene_.flows[port].to.front().index].middle().x; };
    std::stable_sort(ports.begin(), ports.end(), [&](std::size_t a, std::size_t b) { return toward(a) < toward(b); });
    const Rect& card = layout_.nodes[host];
    int total = 0;
    for (const std::size_t port : ports) total += port_width(scene_.flows[port]);
    int x = card.x + (card.w - total) / 2 / pitch * pitch;
    for (const std::size_t port : ports) {
      const Rect place{x, card.y, port_width(scene_.flows[port]), card.h};
      ports_[port] = place;
      Text text = text_at(0, card.bottom() - line_height(Text::Style::label) - 5, scene_.flows[port].label, Text::Style::label);
      text.box.w += 8;
      text.box.x = place.middle().x - text.box.w / 2;
      text.node = host;
      text.flow = port;
      layout_.texts.push_back(std::move(text));
      x += place.w;
    }
  }

  // --- wires ---

  void route_all() {
    Router router(layout_.width, layout_.height);
    router.block({0, 0, layout_.width, top - 20});
    for (std::size_t i = 0; i < scene_.nodes.size(); ++i) {
      if (scene_.nodes[i].kind == Node::Kind::bridge) {
        router.enclose(layout_.nodes[i]);
      } else {
        router.block(layout_.nodes[i]);
      }
    }
    for (const ZoneFrame& zone : layout_.zones) router.border(zone.box);
    for (const Text& text : layout_.texts) router.write_on(text.box);
    for (const Bus& bus : layout_.buses) router.lay({bus.from, bus.to}, net_of_node(bus.node));
    for (const Wire& wire : layout_.wires) router.lay(wire.points, net_of_cable(wire.index));
    route_cables(router);
    route_flows(router);
    label_ends(router);
  }

  // Nets: of every node (a bridge's cables are one Ethernet, the host's feet one machine), then of every cable, then of every pair of ends.
  [[nodiscard]] static int net_of_node(std::size_t node) { return static_cast<int>(node) + 1; }
  [[nodiscard]] int net_of_cable(std::size_t index) const {
    const auto& ends = scene_.cables[index].ends;
    if (is_foot(scene_.cables[index])) return net_of_node(ends[0].node);
    for (const CableEnd& end : ends) {
      if (scene_.nodes[end.node].kind == Node::Kind::bridge) return net_of_node(end.node);
    }
    return static_cast<int>(scene_.nodes.size() + index) + 1;
  }
  [[nodiscard]] int net_of_pair(std::size_t index) const { return static_cast<int>(scene_.nodes.size() + scene_.cables.size() + index) + 1; }

  static int distance(const Rect& a, const Rect& b) {
    return std::max({a.x - b.right(), b.x - a.right(), 0}) + std::max({a.y - b.bottom(), b.y - a.bottom(), 0});
  }

  /// Short ones first: they have the least choice.
  template <class Length>
  static std::vector<std::size_t> by_length(std::size_t count, Length length) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return length(a) < length(b); });
    return order;
  }

  void route_cables(Router& router) {
    lay_straight_cables(router);
    const auto box = [&](std::size_t cable, std::size_t side) { return layout_.nodes[scene_.cables[cable].ends[side].node]; };
    for (const std::size_t i : by_length(scene_.cables.size(), [&](std::size_t cable) { return distance(box(cable, 0), box(cable, 1)); })) {
      if (inside_.contains(i)) continue;
      // The host's feet stand on top of bridges.
      const bool foot = is_foot(scene_.cables[i]);
      const Gates from{{box(i, 0)}, foot ? Gates::bottom : Gates::all}, to{{box(i, 1)}, foot ? Gates::top : Gates::all};
      layout_.wires.push_back({Wire::Kind::cable, i, router.route(from, to, net_of_cable(i))});
    }
  }

  /// Cables between namespaces where one stands below the other and nothing is between them: as fabrics are drawn. They meet each card in the order
  /// of where they come from, so that those of one card never cross.
  void lay_straight_cables(Router& router) {
    struct Plug {
      std::size_t cable;
      std::size_t side;
      int toward;  ///< where the other end is, by x
    };
    std::map<std::pair<std::size_t, bool>, std::vector<Plug>> sides;  // of a node: its top (false) and its bottom
    std::vector<std::size_t> straight;
    for (std::size_t i = 0; i < scene_.cables.size(); ++i) {
      const auto& ends = scene_.cables[i].ends;
      if (inside_.contains(i) || !can_be_straight(ends[0].node, ends[1].node)) continue;
      straight.push_back(i);
      for (std::size_t side = 0; side < 2; ++side) {
        const Rect &here = layout_.nodes[ends[side].node], &there = layout_.nodes[ends[1 - side].node];
        sides[{ends[side].node, here.y < there.y}].push_back({i, side, there.middle().x});
      }
    }
    std::map<std::pair<std::size_t, std::size_t>, Point> plugs;
    for (auto& [place, here] : sides) {
      std::stable_sort(here.begin(), here.end(), [](const Plug& a, const Plug& b) { return a.toward < b.toward; });
      const Rect& box = layout_.nodes[place.first];
      const int count = static_cast<int>(here.size());
      for (int k = 0; k < count; ++k) {
        const Plug& plug = here[static_cast<std::size_t>(k)];
        plugs[{plug.cable, plug.side}] = {box.x + box.w * (2 * k + 1) / (2 * count), place.second ? box.bottom() : box.y};
      }
    }
    for (const std::size_t i : straight) {
      const Point from = plugs.at({i, 0}), to = plugs.at({i, 1});
      router.lay_straight(from, to, net_of_cable(i));
      layout_.wires.push_back({Wire::Kind::cable, i, {from, to}});
      inside_.insert(i);
    }
    straight_.insert(straight.begin(), straight.end());
  }

  [[nodiscard]] bool can_be_straight(std::size_t a, std::size_t b) const {
    if (scene_.nodes[a].kind != Node::Kind::space || scene_.nodes[b].kind != Node::Kind::space) return false;
    if (layout_.nodes[a].y > layout_.nodes[b].y) std::swap(a, b);
    const Rect &upper = layout_.nodes[a], &lower = layout_.nodes[b];
    if (upper.bottom() >= lower.y) return false;
    const Rect between{std::min(upper.x, lower.x), upper.bottom(), std::max(upper.right(), lower.right()) - std::min(upper.x, lower.x), lower.y - upper.bottom()};
    return std::none_of(layout_.nodes.begin(), layout_.nodes.end(), [&](const Rect& it) { return it != upper && it != lower && it.overlaps(between); });
  }

  /// The boxes that an arrow of a terminal may touch: of a zone its frames, and members that stand in another zone's.
  [[nodiscard]] std::vector<Rect> boxes_of(const Terminal& terminal) const {
    if (!terminal.zone) return {layout_.nodes[terminal.index]};
    std::vector<Rect> boxes;
    for (const ZoneFrame& frame : layout_.zones) {
      if (frame.zone == terminal.index) boxes.push_back(frame.box);
    }
    for (const std::size_t node : scene_.zones[terminal.index].nodes) {
      const auto is_inside = [&](const Rect& box) { return box.contains(layout_.nodes[node]); };
      if (std::none_of(boxes.begin(), boxes.end(), is_inside)) boxes.push_back(layout_.nodes[node]);
    }
    return boxes;
  }

  void route_flows(Router& router) {
    const auto length = [&](std::size_t i) { return distance(boxes_of(pairs_[i].from).front(), boxes_of(pairs_[i].to).front()); };
    for (const std::size_t i : by_length(pairs_.size(), length)) {
      const auto from = boxes_of(pairs_[i].from), to = boxes_of(pairs_[i].to);
      // A zone that stands in several places has an arrow from each.
      for (const Rect& a : from) {
        for (const Rect& b : to) {
          if (a == b) {
            // A zone to a member of its own that stands elsewhere.
            untold_.insert(pairs_[i].flow);
            continue;
          }
          const auto port = ports_.find(pairs_[i].flow);
          const Gates begin = port == ports_.end() ? Gates{{a}} : Gates{{port->second}, Gates::bottom};
          Wire wire{Wire::Kind::flow, pairs_[i].flow, router.route(begin, {{b}}, net_of_pair(i))};
          if (port == ports_.end()) label_flow(wire, net_of_pair(i), router);
          layout_.wires.push_back(std::move(wire));
        }
      }
    }
  }

  // --- labels ---

  /// True where no text, no card and nothing but `net`'s own wire is.
  [[nodiscard]] bool is_free(const Rect& box, int net, const Router& router) const {
    if (box.x < 0 || box.y < 0 || box.right() > layout_.width || box.bottom() > layout_.height) return false;
    if (std::any_of(layout_.texts.begin(), layout_.texts.end(), [&](const Text& it) { return it.box.overlaps(box); })) return false;
    for (std::size_t i = 0; i < layout_.nodes.size(); ++i) {
      const Rect& node = layout_.nodes[i];
      const bool is_frame = scene_.nodes[i].kind == Node::Kind::bridge;
      if (is_frame ? node.overlaps(box) && !node.contains(box) : node.overlaps(box)) return false;
    }
    return router.is_clear(box, net);
  }

  [[nodiscard]] bool is_in_frame(const Point& point) const {
    for (std::size_t i = 0; i < layout_.nodes.size(); ++i) {
      if (scene_.nodes[i].kind == Node::Kind::bridge && layout_.nodes[i].contains(point)) return true;
    }
    return false;
  }

  /// In the middle of the longest piece where there is room, else as near to it as can be.
  void label_flow(const Wire& wire, int net, Router& router) {
    const std::string label = label_on(scene_.flows[wire.index]);
    if (label.empty()) return;
    Text text = text_at(0, 0, label, Text::Style::label);
    text.flow = wire.index;
    text.box.w += 8;
    struct Candidate {
      int badness;
      Point middle;
    };
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i + 1 < wire.points.size(); ++i) {
      const Point a = wire.points[i], b = wire.points[i + 1];
      const bool vertical = a.x == b.x;
      const int length = std::abs(a.x - b.x) + std::abs(a.y - b.y), needed = (vertical ? text.box.h : text.box.w) + 2 * pitch;
      for (int at = needed / 2; at <= length - needed / 2; at += pitch / 2) {
        const int off = std::abs(2 * at - length) / 2;
        const int x = a.x + (b.x > a.x ? at : b.x < a.x ? -at : 0), y = a.y + (b.y > a.y ? at : b.y < a.y ? -at : 0);
        candidates.push_back({off - length / 2 + (vertical ? 60 : 0) + (is_in_frame({x, y}) ? 100 : 0), {x, y}});
      }
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.badness < b.badness; });
    for (const Candidate& it : candidates) {
      text.box.x = it.middle.x - text.box.w / 2;
      text.box.y = it.middle.y - text.box.h / 2;
      if (!is_free(text.box, net, router)) continue;
      router.write_on(text.box);
      layout_.texts.push_back(std::move(text));
      return;
    }
    untold_.insert(wire.index);
  }

  /// The interfaces' names where cables meet cards, where there is room: the cards tell them all the same.
  void label_ends(const Router& router) {
    for (const Wire& wire : layout_.wires) {
      const bool inside = inside_.contains(wire.index) && !straight_.contains(wire.index);
      if (wire.kind != Wire::Kind::cable || inside) continue;
      for (std::size_t side = 0; side < 2; ++side) {
        const std::string& name = scene_.cables[wire.index].ends[side].interface;
        const Point end = side == 0 ? wire.points.front() : wire.points.back();
        const Point next = side == 0 ? wire.points[1] : wire.points[wire.points.size() - 2];
        if (!name.empty()) label_end(name, end, next, net_of_cable(wire.index), router);
      }
    }
  }

  void label_end(const std::string& name, const Point& end, const Point& next, int net, const Router& router) {
    Text text = text_at(0, 0, name, Text::Style::end);
    const int w = text.box.w, h = text.box.h;
    const bool vertical = end.y != next.y;
    const int y = next.y > end.y ? end.y + 5 : end.y - 5 - h, x = next.x > end.x ? end.x + 6 : end.x - 6 - w;
    // Beside a sloping wire on the side that it does not lean to.
    const Point right_of{end.x + 4, y}, left_of{end.x - 4 - w, y};
    std::vector<Point> places{{x, end.y - 1 - h}, {x, end.y + 2}};
    if (vertical) places = next.x > end.x ? std::vector{left_of, right_of} : std::vector{right_of, left_of};
    for (const Point& place : places) {
      text.box.x = place.x;
      text.box.y = place.y;
      if (!is_free(text.box, net, router)) continue;
      layout_.texts.push_back(std::move(text));
      return;
    }
  }

  const Scene& scene_;
  std::vector<Block> blocks_;
  std::vector<Pair> pairs_;
  std::vector<std::size_t> block_of_;  ///< by node
  std::set<std::size_t> inside_;       ///< cables inside blocks
  std::map<std::size_t, Rect> ports_;  ///< where the arrows of ports leave the host's card, by flow
  std::set<std::size_t> straight_;     ///< cables that go straight from card to card
  std::set<std::size_t> untold_;       ///< flows whose label, or arrow, found no room
  Layout layout_;
};

}  // namespace

Layout lay_out(const Scene& scene) { return Composition(scene).run(); }

}  // namespace topo::picture
