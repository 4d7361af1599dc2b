#include "picture/block.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "picture/text.hpp"

namespace topo::picture {
namespace {

constexpr int margin = 12;      // of texts in a card
constexpr int padding = 20;     // between a frame and what is in it
constexpr int least_width = 100;
constexpr int rail_gap = 40;    // between columns, where the cables of several rows run
constexpr int row_gap = 30;
constexpr std::size_t most_in_column = 8;

/// A card's texts, and how large it has to be.
struct Card {
  std::vector<Text> texts{};
  int w = 0, h = 0;
};

/// `zone`: the one that is drawn around it, if any; the others are told.
Card card_of(const Scene& scene, std::size_t index, std::size_t zone) {
  const Node& node = scene.nodes[index];
  Card card;
  int x = margin, y = 8, widest = 0;
  card.texts.push_back(text_at(x, y, node.name, Text::Style::name));
  x = card.texts.back().box.right();
  std::vector<std::string> tags = node.tags;
  for (std::size_t i = 0; i < scene.zones.size(); ++i) {
    const auto& nodes = scene.zones[i].nodes;
    if (i != zone && std::find(nodes.begin(), nodes.end(), index) != nodes.end()) tags.push_back("in " + scene.zones[i].name);
  }
  if (node.drift != Drift::none) tags.emplace_back(to_text(node.drift));
  for (const std::string& tag : tags) {
    Text text = text_at(x + 8, y + 2, tag, Text::Style::tag);
    text.box.w += 10;
    x = text.box.right();
    card.texts.push_back(std::move(text));
  }
  widest = x;
  y += line_height(Text::Style::name);
  for (const std::string& line : node.lines) {
    card.texts.push_back(text_at(margin, y, line, Text::Style::line));
    widest = std::max(widest, card.texts.back().box.right());
    y += line_height(Text::Style::line);
  }
  for (Text& text : card.texts) text.node = index;
  card.w = snapped(std::max(widest + margin, least_width), 2 * pitch);
  if (node.kind == Node::Kind::host) {
    int ports = 0;
    for (const std::size_t port : ports_on_host(scene)) ports += port_width(scene.flows[port]);
    card.w = std::max(card.w, ports + 2 * pitch);
    y += ports > 0 ? line_height(Text::Style::label) : 0;
  }
  card.h = snapped(y + 8);
  const int spare = (card.w - widest - margin) / 2, below = (card.h - y - 8) / 2;
  for (Text& text : card.texts) text.box = text.box.moved(spare, below);
  return card;
}

/// The cables between a hub and each of its members.
using Members = std::map<std::size_t, std::vector<std::size_t>>;

class Builder {
 public:
  Builder(const Scene& scene, const std::vector<std::size_t>& zones, std::size_t hub, const Members& members)
      : scene_(scene), zones_(zones), members_(members), hub_is_bridge_(scene.nodes[hub].kind == Node::Kind::bridge) {
    block_.hub = hub;
    // A frame around a namespace would hold all that hangs on it.
    if (hub_is_bridge_ || members.empty()) block_.zone = zones[hub];
  }

  Block build() {
    const Card head = card_of(scene_, block_.hub, block_.zone);
    if (members_.empty()) return alone(head);
    measure();
    const int head_w = hub_is_bridge_ ? head.w + padding : head.w;
    const int bus_y = hub_is_bridge_ ? head.h : head.h + 20;
    const int top = bus_y + drop();
    const int sides = hub_is_bridge_ ? padding : 0;
    std::vector<Group> groups = groups_of();
    int content_w = -group_gap, content_h = 0;
    for (const Group& group : groups) {
      content_w += group.w + group_gap;
      content_h = std::max(content_h, group.h);
    }
    block_.w = snapped(std::max(head_w, content_w + 2 * sides), 2 * pitch);
    block_.h = snapped(top + content_h + sides);
    put_head(head);
    int x = (block_.w - content_w) / 2 / pitch * pitch;
    Bus bus{block_.hub, {block_.w / 2, bus_y}, {block_.w / 2, bus_y}};
    if (hub_is_bridge_) bus = {block_.hub, {pitch, bus_y}, {block_.w - pitch, bus_y}};
    for (const Group& group : groups) {
      put_group(group, x, top, bus_y);
      x += group.w + group_gap;
    }
    if (hub_is_bridge_) block_.buses.push_back(bus);
    return std::move(block_);
  }

 private:
  /// Members of one zone, or of none.
  struct Group {
    std::size_t zone = nowhere;
    std::vector<std::size_t> nodes{};
    std::size_t columns = 1;
    int w = 0, h = 0;
  };
  static constexpr int group_gap = 40;

  Block alone(const Card& head) {
    block_.w = hub_is_bridge_ ? snapped(head.w + padding, 2 * pitch) : head.w;
    block_.h = hub_is_bridge_ ? head.h + pitch : head.h;
    put_head(head);
    return std::move(block_);
  }

  void put_head(const Card& head) {
    const int x = hub_is_bridge_ ? pitch : (block_.w - head.w) / 2;
    const Rect box = hub_is_bridge_ ? Rect{0, 0, block_.w, block_.h} : Rect{x, 0, head.w, head.h};
    block_.nodes.insert(block_.nodes.begin(), {block_.hub, box});
    for (Text text : head.texts) {
      text.box = text.box.moved(x, 0);
      block_.texts.push_back(std::move(text));
    }
  }

  void measure() {
    for (const auto& [node, cables] : members_) {
      cards_[node] = card_of(scene_, node, zones_[node]);
      cell_w_ = std::max(cell_w_, cards_[node].w);
      cell_h_ = std::max(cell_h_, cards_[node].h);
    }
    for (const Flow& flow : scene_.flows) {
      const auto is_member = [&](const Terminal& it) { return !it.zone && members_.contains(it.index); };
      const auto from = std::count_if(flow.from.begin(), flow.from.end(), is_member);
      const auto to = std::count_if(flow.to.begin(), flow.to.end(), is_member);
      arrows_ += static_cast<int>(from + to);
      if (from > 0 && to > 0) gutter_ = std::max(gutter_, snapped(text_width(label_on(flow), Text::Style::label) + 50));
    }
  }

  /// Between the bus and the members: room for arrows that come in there.
  [[nodiscard]] int drop() const { return 30 + pitch * std::clamp(arrows_, 0, 6); }

  [[nodiscard]] std::vector<Group> groups_of() const {
    std::map<std::size_t, Group> by_zone;
    Group rest;
    for (const auto& [node, cables] : members_) {
      const bool stands_apart = zones_[node] != nowhere && zones_[node] != block_.zone;
      Group& group = stands_apart ? by_zone[zones_[node]] : rest;
      group.zone = stands_apart ? zones_[node] : nowhere;
      group.nodes.push_back(node);
    }
    std::vector<Group> groups;
    if (!rest.nodes.empty()) groups.push_back(std::move(rest));
    for (auto& [zone, group] : by_zone) groups.push_back(std::move(group));
    for (Group& group : groups) measure(group);
    return groups;
  }

  void measure(Group& group) const {
    const std::size_t count = group.nodes.size();
    group.columns = count;
    if (!hub_is_bridge_ && count > 1) {
      // One below the other, so that many such hubs stand side by side.
      group.columns = (count + most_in_column - 1) / most_in_column;
    } else if (count > 6) {
      // About twice as wide as high.
      int best = -1;
      for (std::size_t columns = 1; columns <= count; ++columns) {
        const auto [w, h] = size_of(count, columns);
        const int longest = std::max(w, 2 * h);
        if (best >= 0 && longest >= best) continue;
        best = longest;
        group.columns = columns;
      }
    }
    std::tie(group.w, group.h) = size_of(count, group.columns);
    if (group.zone != nowhere) {
      const int label = text_width(scene_.zones[group.zone].name, Text::Style::zone) + 2 * pitch;
      group.w = snapped(std::max(group.w, label) + 2 * padding, 2 * pitch);
      group.h += padding + snapped(line_height(Text::Style::zone) + 8);
    }
  }

  [[nodiscard]] std::pair<int, int> size_of(std::size_t count, std::size_t columns) const {
    const int rows = static_cast<int>((count + columns - 1) / columns);
    const int across = static_cast<int>(columns);
    const int rail = rows > 1 ? 2 * pitch : 0;
    return {across * cell_w_ + (across - 1) * gap(rows > 1) + rail, rows * cell_h_ + (rows - 1) * row_gap};
  }

  [[nodiscard]] int gap(bool rails) const { return std::max(gutter_, rails ? rail_gap : 30); }

  void put_group(const Group& group, int x, int y, int bus_y) {
    if (group.zone != nowhere) {
      const Rect frame{x, y, group.w, group.h};
      block_.zones.push_back({group.zone, frame});
      block_.texts.push_back(
          text_at(x + pitch, frame.bottom() - line_height(Text::Style::zone) - 4, scene_.zones[group.zone].name, Text::Style::zone));
    }
    const bool rails = group.columns < group.nodes.size();
    const auto [w, h] = size_of(group.nodes.size(), group.columns);
    const int left = x + (group.w - w) / 2 / pitch * pitch + (rails ? 2 * pitch : 0);
    const int top = y + (group.zone != nowhere ? padding : 0);
    for (std::size_t i = 0; i < group.nodes.size(); ++i) {
      const int column = static_cast<int>(i % group.columns), row = static_cast<int>(i / group.columns);
      const Rect cell{left + column * (cell_w_ + gap(rails)), top + row * (cell_h_ + row_gap), cell_w_, cell_h_};
      put_member(group.nodes[i], cell, rails, bus_y);
    }
  }

  void put_member(std::size_t node, const Rect& cell, bool rails, int bus_y) {
    block_.nodes.push_back({node, cell});
    const Card& card = cards_.at(node);
    for (Text text : card.texts) {
      text.box = text.box.moved(cell.x + (cell.w - card.w) / 2, cell.y + (cell.h - card.h) / 2);
      block_.texts.push_back(std::move(text));
    }
    const std::vector<std::size_t>& cables = members_.at(node);
    const int count = static_cast<int>(cables.size());
    for (int i = 0; i < count; ++i) {
      const int shift = (2 * i - count + 1) * pitch;
      Wire wire{Wire::Kind::cable, cables[static_cast<std::size_t>(i)]};
      if (rails) {
        const int rail = cell.x - 2 * pitch;
        const int y = (cell.middle().y + shift) / pitch * pitch;
        wire.points = {{cell.x, y}, {rail, y}, {rail, bus_y}};
      } else {
        wire.points = {{cell.middle().x + shift, cell.y}, {cell.middle().x + shift, bus_y}};
      }
      if (!hub_is_bridge_) lead_to_hub(wire);
      if (scene_.cables[wire.index].ends[0].node != node) std::reverse(wire.points.begin(), wire.points.end());
      block_.wires.push_back(std::move(wire));
    }
  }

  /// Along the bus and up to the card above.
  void lead_to_hub(Wire& wire) const {
    const Rect& hub = block_.nodes.front().box;
    const Point end = wire.points.back();
    if (end.x != hub.middle().x) wire.points.push_back({hub.middle().x, end.y});
    wire.points.push_back({hub.middle().x, hub.bottom()});
    if (end.x == hub.middle().x) wire.points.erase(wire.points.end() - 2);
  }

  const Scene& scene_;
  const std::vector<std::size_t>& zones_;
  const Members& members_;
  bool hub_is_bridge_;
  Block block_;
  std::map<std::size_t, Card> cards_;
  int cell_w_ = 0, cell_h_ = 0, gutter_ = 0, arrows_ = 0;
};

/// The one other node that all of a namespace's cables lead to; nowhere where there are several, or none.
std::vector<std::size_t> only_neighbours(const Scene& scene) {
  std::vector<std::set<std::size_t>> neighbours(scene.nodes.size());
  for (const Cable& cable : scene.cables) {
    neighbours[cable.ends[0].node].insert(cable.ends[1].node);
    neighbours[cable.ends[1].node].insert(cable.ends[0].node);
  }
  std::vector<std::size_t> only(scene.nodes.size(), nowhere);
  for (std::size_t i = 0; i < only.size(); ++i) {
    if (scene.nodes[i].kind == Node::Kind::space && neighbours[i].size() == 1 && *neighbours[i].begin() != i) only[i] = *neighbours[i].begin();
  }
  return only;
}

}  // namespace

std::string label_on(const Flow& flow) {
  if (flow.kind != Flow::Kind::deny) return flow.label;
  return flow.label.empty() ? "✕" : "✕ " + flow.label;
}

std::vector<std::size_t> ports_on_host(const Scene& scene) {
  constexpr std::size_t most = 12;
  std::vector<std::size_t> ports;
  for (std::size_t i = 0; i < scene.flows.size(); ++i) {
    if (scene.flows[i].kind == Flow::Kind::port) ports.push_back(i);
  }
  return ports.size() <= most ? ports : std::vector<std::size_t>{};
}

int port_width(const Flow& port) { return snapped(text_width(port.label, Text::Style::label) + 20, 2 * pitch); }

std::vector<std::size_t> zone_of_nodes(const Scene& scene) {
  std::vector<std::size_t> zones(scene.nodes.size(), nowhere);
  for (std::size_t zone = scene.zones.size(); zone-- > 0;) {
    for (const std::size_t node : scene.zones[zone].nodes) zones[node] = zone;
  }
  return zones;
}

std::vector<Block> blocks_of(const Scene& scene) {
  const std::vector<std::size_t> only = only_neighbours(scene);
  std::vector<std::size_t> hubs(scene.nodes.size(), nowhere);
  for (std::size_t i = 0; i < hubs.size(); ++i) {
    if (only[i] == nowhere) continue;
    const Node::Kind kind = scene.nodes[only[i]].kind;
    const bool is_pair = only[only[i]] == i;
    if ((kind == Node::Kind::bridge || kind == Node::Kind::space) && !is_pair) hubs[i] = only[i];
  }
  std::map<std::size_t, Members> members;
  for (std::size_t i = 0; i < hubs.size(); ++i) {
    if (hubs[i] == nowhere) members[i];
  }
  for (std::size_t cable = 0; cable < scene.cables.size(); ++cable) {
    for (const CableEnd& end : scene.cables[cable].ends) {
      if (hubs[end.node] != nowhere) members[hubs[end.node]][end.node].push_back(cable);
    }
  }
  const std::vector<std::size_t> zones = zone_of_nodes(scene);
  std::vector<Block> blocks;
  for (const auto& [hub, of_hub] : members) blocks.push_back(Builder(scene, zones, hub, of_hub).build());
  return blocks;
}

}  // namespace topo::picture
