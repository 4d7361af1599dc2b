// Where everything of a scene goes: whole numbers of pixels, so that every machine draws the same picture.
#pragma once

#include <string>
#include <vector>

#include "picture/scene.hpp"

namespace topo::picture {

/// Boxes and wires lie on lines this far apart.
inline constexpr int pitch = 10;

struct Point {
  int x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

struct Rect {
  int x = 0, y = 0, w = 0, h = 0;
  [[nodiscard]] int right() const { return x + w; }
  [[nodiscard]] int bottom() const { return y + h; }
  [[nodiscard]] Point middle() const { return {x + w / 2, y + h / 2}; }
  [[nodiscard]] bool empty() const { return w == 0 || h == 0; }
  [[nodiscard]] bool contains(const Point& p) const { return p.x >= x && p.x <= right() && p.y >= y && p.y <= bottom(); }
  [[nodiscard]] bool contains(const Rect& o) const { return o.x >= x && o.right() <= right() && o.y >= y && o.bottom() <= bottom(); }
  /// True where they share more than a border.
  [[nodiscard]] bool overlaps(const Rect& o) const { return x < o.right() && o.x < right() && y < o.bottom() && o.y < bottom(); }
  [[nodiscard]] Rect grown(int by) const { return {x - by, y - by, w + 2 * by, h + 2 * by}; }
  [[nodiscard]] Rect moved(int dx, int dy) const { return {x + dx, y + dy, w, h}; }
  bool operator==(const Rect&) const = default;
};

/// A line of text. Its box is as wide as the widest of the usual fonts needs.
struct Text {
  enum class Style : std::uint8_t { title, subtitle, name, line, tag, label, end, zone, legend } style = Style::line;
  Rect box;
  std::string text;
  std::size_t node = nowhere;  ///< what it is written on
  std::size_t flow = nowhere;  ///< the flow that it is a label of
};

/// A line of horizontal and vertical pieces.
struct Wire {
  enum class Kind : std::uint8_t { cable, flow } kind = Kind::cable;
  std::size_t index = nowhere;  ///< into the scene's cables or flows
  std::vector<Point> points{};  ///< from the first end to the second
};

struct ZoneFrame {
  std::size_t zone = nowhere;
  Rect box;
};

/// A bridge's bus: the bar that its members hang on.
struct Bus {
  std::size_t node = nowhere;
  Point from, to;
};

/// A line of the legend; what it is a sign of is in the scene.
struct LegendEntry {
  enum class Sign : std::uint8_t { cable, allow, deny, port, way_out, zone, missing, changed, extra } sign = Sign::cable;
  Rect sample;
};

struct Layout {
  int width = 0, height = 0;
  std::vector<Rect> nodes{};         ///< by the scene's nodes; a bridge's holds its members
  std::vector<ZoneFrame> zones{};    ///< one for each place where members of a zone stand together
  std::vector<Bus> buses{};
  std::vector<Wire> wires{};
  std::vector<Text> texts{};         ///< no two overlap
  std::vector<LegendEntry> legend{};
};

/// Deterministic. Every node has a box, every cable and every pair of a flow's ends a wire. Where there is no room for a label beside its wire,
/// the legend tells it.
[[nodiscard]] Layout lay_out(const Scene& scene);

}  // namespace topo::picture
