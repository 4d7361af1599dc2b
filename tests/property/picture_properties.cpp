// What holds of the layout of any scene.
#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

#include "picture/svg.hpp"
#include "random_scene.hpp"

using namespace topo::picture;

namespace {

bool is_frame(const Node& node) { return node.kind == Node::Kind::bridge; }

/// Everything is in the picture; texts apart from one another, and inside what they are written on.
void require_apart(const Scene& scene, const Layout& layout) {
  const Rect paper{0, 0, layout.width, layout.height};
  for (std::size_t i = 0; i < layout.texts.size(); ++i) {
    const Text& text = layout.texts[i];
    RC_ASSERT(paper.contains(text.box));
    if (text.node != nowhere) RC_ASSERT(layout.nodes[text.node].contains(text.box));
    for (std::size_t k = 0; k < i; ++k) {
      if (text.box.overlaps(layout.texts[k].box)) RC_FAIL("'" + text.text + "' lies on '" + layout.texts[k].text + "'");
    }
    for (std::size_t k = 0; text.node == nowhere && k < layout.nodes.size(); ++k) {
      if (!is_frame(scene.nodes[k]) && text.box.overlaps(layout.nodes[k])) RC_FAIL("'" + text.text + "' lies on " + scene.nodes[k].name);
    }
  }
  for (std::size_t i = 0; i < layout.nodes.size(); ++i) {
    RC_ASSERT(paper.contains(layout.nodes[i]) && !layout.nodes[i].empty());
    for (std::size_t k = 0; k < i; ++k) {
      const Rect &a = layout.nodes[i], &b = layout.nodes[k];
      const bool holds = (is_frame(scene.nodes[i]) && a.contains(b)) || (is_frame(scene.nodes[k]) && b.contains(a));
      if (a.overlaps(b) && !holds) RC_FAIL(scene.nodes[i].name + " lies on " + scene.nodes[k].name);
    }
  }
}

/// Every name is there, whole.
void require_named(const Scene& scene, const Layout& layout) {
  for (std::size_t i = 0; i < scene.nodes.size(); ++i) {
    const auto names_it = [&](const Text& text) { return text.node == i && text.style == Text::Style::name && text.text == scene.nodes[i].name; };
    RC_ASSERT(std::count_if(layout.texts.begin(), layout.texts.end(), names_it) == 1);
  }
}

bool on_border(const Rect& box, const Point& point) { return box.contains(point) && !box.grown(-1).contains(point); }

/// True where a piece of a wire goes through a box. Only pieces along the grid: what slopes has nothing between its ends.
bool cuts(const Point& a, const Point& b, const Rect& box) {
  if (a.x != b.x && a.y != b.y) return false;
  const Rect piece{std::min(a.x, b.x), std::min(a.y, b.y), std::abs(a.x - b.x), std::abs(a.y - b.y)};
  return piece.x < box.right() && box.x < piece.right() + (piece.w == 0) && piece.y < box.bottom() && box.y < piece.bottom() + (piece.h == 0) &&
         !(piece.w == 0 && (piece.x <= box.x || piece.x >= box.right())) && !(piece.h == 0 && (piece.y <= box.y || piece.y >= box.bottom()));
}

void require_wired(const Scene& scene, const Layout& layout) {
  std::vector<int> cables(scene.cables.size()), flows(scene.flows.size());
  for (const Wire& wire : layout.wires) {
    RC_ASSERT(wire.points.size() >= 2U);
    ++(wire.kind == Wire::Kind::cable ? cables : flows)[wire.index];
    for (std::size_t i = 0; i + 1 < wire.points.size(); ++i) {
      for (std::size_t k = 0; k < layout.nodes.size(); ++k) {
        if (!is_frame(scene.nodes[k]) && cuts(wire.points[i], wire.points[i + 1], layout.nodes[k])) RC_FAIL("a wire goes through " + scene.nodes[k].name);
      }
    }
    if (wire.kind != Wire::Kind::cable) continue;
    for (std::size_t side = 0; side < 2; ++side) {
      const Rect& box = layout.nodes[scene.cables[wire.index].ends[side].node];
      const Point& end = side == 0 ? wire.points.front() : wire.points.back();
      const bool on_bus = std::any_of(layout.buses.begin(), layout.buses.end(), [&](const Bus& bus) { return bus.from.y == end.y && bus.from.x <= end.x && end.x <= bus.to.x; });
      RC_ASSERT(on_border(box, end) || (box.contains(end) && on_bus));
    }
  }
  for (const int count : cables) RC_ASSERT(count == 1);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const Flow& flow = scene.flows[i];
    const auto is_told = [&](const Text& text) { return text.style == Text::Style::legend && text.text == flow.text; };
    RC_ASSERT(flows[i] >= 1 || flow.from == flow.to || std::any_of(layout.texts.begin(), layout.texts.end(), is_told));
  }
}

/// A zone's frames hold no card that is not in the zone, but for the members of its bridges.
void require_zoned(const Scene& scene, const Layout& layout) {
  for (const ZoneFrame& frame : layout.zones) {
    const std::vector<std::size_t>& members = scene.zones[frame.zone].nodes;
    for (std::size_t i = 0; i < layout.nodes.size(); ++i) {
      if (!layout.nodes[i].overlaps(frame.box) || std::find(members.begin(), members.end(), i) != members.end()) continue;
      const auto is_inside = [&](std::size_t member) { return is_frame(scene.nodes[member]) && layout.nodes[member].contains(layout.nodes[i]); };
      const bool around = is_frame(scene.nodes[i]) && layout.nodes[i].contains(frame.box);
      if (!around && std::none_of(members.begin(), members.end(), is_inside)) RC_FAIL(scene.nodes[i].name + " stands in a zone that it is not in");
    }
  }
}

void check(int most) {
  const Scene scene = topo::test::RandomScene{}(most);
  const Layout layout = lay_out(scene);
  require_apart(scene, layout);
  require_named(scene, layout);
  require_wired(scene, layout);
  require_zoned(scene, layout);
  RC_ASSERT(to_svg(scene, layout) == to_svg(scene, lay_out(scene)));
}

}  // namespace

TEST_CASE("a small picture is in order") {
  rc::prop("2 to 20 namespaces", [] { check(20); });
}

TEST_CASE("a large picture is in order") {
  rc::prop("up to 200 namespaces", [] { check(200); });
}
