// Where things go: what a reader relies on.
#include "picture/layout.hpp"

#include "drawn.hpp"

using namespace topo;
using namespace topo::test;
using picture::Rect;

namespace {

struct Picture {
  picture::Scene scene;
  picture::Layout layout;

  explicit Picture(const std::string& text) : scene(test::scene(text)), layout(picture::lay_out(scene)) {}
  const Rect& box(const std::string& name) const { return layout.nodes[static_cast<std::size_t>(&node(scene, name) - scene.nodes.data())]; }
  bool has_text(const std::string& text, picture::Text::Style style) const {
    return std::any_of(layout.texts.begin(), layout.texts.end(), [&](const auto& it) { return it.text == text && it.style == style; });
  }
};

}  // namespace

TEST_CASE("the outside above the host, the host above its bridges, members inside them") {
  const Picture it("bridges: { lan: { subnet: 10.0.0.0/24, nat: masquerade }, dmz: { subnet: 10.1.0.0/24 } }\nnamespaces: { a: { attach: lan }, b: { attach: dmz }, r: { attach: [lan, dmz] } }\n");
  CHECK(it.box("internet").bottom() < it.box("host").y);
  CHECK(it.box("host").bottom() < it.box("lan").y);
  CHECK(it.box("lan").contains(it.box("a")));
  CHECK(it.box("dmz").contains(it.box("b")));
  CHECK(it.box("lan").y == it.box("dmz").y);
  CHECK(it.box("r").y > it.box("lan").bottom());
}

TEST_CASE("spines above leaves, leaves above servers") {
  const Picture it(R"(
namespaces: { spine: { router: true, replicas: 2 }, leaf1: { router: true }, leaf2: { router: true }, s1: {}, s2: {} }
links:
  - { between: [leaf1, "spine[*]"], subnet: 10.0.1.0/24 }
  - { between: [leaf2, "spine[*]"], subnet: 10.0.2.0/24 }
  - { between: [leaf1, s1], subnet: 10.1.0.0/31 }
  - { between: [leaf2, s2], subnet: 10.2.0.0/31 }
)");
  CHECK(it.box("spine1").y == it.box("spine2").y);
  CHECK(it.box("leaf1").y == it.box("leaf2").y);
  CHECK(it.box("spine1").bottom() < it.box("leaf1").y);
  CHECK(it.box("leaf1").bottom() < it.box("s1").y);
  // Cables of a fabric are straight.
  const auto straight = std::count_if(it.layout.wires.begin(), it.layout.wires.end(), [](const auto& wire) { return wire.points.size() == 2U; });
  CHECK(straight == 6);
}

TEST_CASE("a zone's box is around its members and nobody else") {
  const Picture it("bridges: { lan: { subnet: 10.0.0.0/24 }, dmz: { subnet: 10.1.0.0/24 } }\nnamespaces: { a: { attach: lan }, b: { attach: lan }, c: { attach: dmz } }\n"
                   "zones: { z: [b, dmz], more: [b] }\npolicy: { allow: [a -> z] }\n");
  CHECK(it.layout.zones.size() == 2U);
  for (const auto& frame : it.layout.zones) {
    CHECK_FALSE(frame.box.overlaps(it.box("a")));
    CHECK((frame.box.contains(it.box("b")) || frame.box.contains(it.box("dmz"))));
  }
  // Of the other zone that it is in, its card tells.
  CHECK(it.has_text("in more", picture::Text::Style::tag));
}

TEST_CASE("rules are labelled with their ports, and what is denied is crossed out") {
  const Picture it("bridges: { lan: { subnet: 10.0.0.0/24 }, dmz: { subnet: 10.1.0.0/24 } }\nnamespaces: { a: { attach: lan }, c: { attach: dmz } }\n"
                   "policy: { allow: [a -> c:5432], deny: [\"c -> a:53/udp\"] }\nports: { 8080: a:80 }\n");
  CHECK(it.has_text("5432", picture::Text::Style::label));
  CHECK(it.has_text("✕ 53/udp", picture::Text::Style::label));
  CHECK(it.has_text("8080 → 80", picture::Text::Style::label));
}

TEST_CASE("many rows rather than a very long one") {
  std::string text = "bridges:\n";
  for (int i = 0; i < 30; ++i) text += "  net" + std::to_string(i) + ": { subnet: 10." + std::to_string(i) + ".0.0/24 }\n";
  const Picture it(text);
  CHECK(it.layout.width < 4 * it.layout.height);
}
