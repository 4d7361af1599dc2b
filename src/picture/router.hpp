// Ways for wires between boxes: horizontal and vertical pieces on a grid, around what is in the way and apart from one another.
#pragma once

#include <cstdint>
#include <vector>

#include "picture/layout.hpp"

namespace topo::picture {

/// Where a wire begins or ends: anywhere on the border of one of some boxes, or on some sides of them only.
struct Gates {
  enum Sides : std::uint8_t { right = 1, bottom = 2, left = 4, top = 8, all = 15 };
  std::vector<Rect> boxes;
  std::uint8_t sides = all;
};

class Router {
 public:
  /// Of a picture from (0, 0) to (width, height).
  Router(int width, int height);

  /// No wire goes through, or along the border.
  void block(const Rect& card);
  /// Wires that neither begin nor end there had better go round, and none along the border.
  void enclose(const Rect& frame);
  /// None along its border.
  void border(const Rect& frame);
  /// Wires had better not cross it: there is a text.
  void write_on(const Rect& text);
  /// A wire with its place given. Wires of one `net` (from 1 on) may share their way.
  void lay(const std::vector<Point>& points, int net);

  /// The same of a straight wire, sloping as it may be.
  void lay_straight(const Point& from, const Point& to, int net);

  /// The corners of a way, which it is then laid on; cheap rather than shortest: few bends, few crossings. Where there is no way at all it has one
  /// bend and goes through what is there.
  [[nodiscard]] std::vector<Point> route(const Gates& from, const Gates& to, int net);

  /// True where no wire crosses, other than those of `net`.
  [[nodiscard]] bool is_clear(const Rect& area, int net) const;

 private:
  /// A place to go on from: 4 * cell + the direction in which it was reached.
  struct Step {
    int estimate;  ///< of the whole way's cost
    std::size_t state;
    bool operator<(const Step& other) const { return estimate != other.estimate ? estimate > other.estimate : state > other.state; }
  };
  enum Direction : std::uint8_t { right, down, left, up };

  [[nodiscard]] bool inside(int column, int row) const { return column >= 0 && row >= 0 && column < columns_ && row < rows_; }
  [[nodiscard]] std::size_t cell(int column, int row) const { return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(column); }
  [[nodiscard]] int step_cost(int column, int row, Direction direction, int net) const;
  [[nodiscard]] int bend_cost(std::size_t cell, int net) const;
  template <class Visit>
  void each_gate(const Gates& gates, Visit visit) const;
  void begin(const Gates& from, const Gates& to, int net, int haste);
  [[nodiscard]] std::vector<Point> search(const Gates& from, const Gates& to, int net, int haste, std::size_t most_steps);
  [[nodiscard]] int estimate(int column, int row) const;
  void reach(int column, int row, Direction direction, int cost, std::size_t from);
  [[nodiscard]] std::vector<Point> trace(std::size_t state) const;

  int columns_, rows_;
  std::vector<std::uint8_t> blocked_, written_;
  std::vector<std::uint16_t> frame_;       ///< 0: none; else which
  std::vector<std::uint8_t> border_;       ///< bit 0: of a frame's horizontal border; bit 1: of a vertical one
  std::vector<int> taken_[2];              ///< by which net, by horizontal and vertical wires
  std::vector<Rect> frames_;

  // Of the search that is going on.
  std::vector<std::uint32_t> round_of_, goal_round_;
  std::vector<int> cost_;
  std::vector<std::size_t> before_;
  std::vector<std::uint8_t> goal_;         ///< the directions in which a goal may be entered
  std::vector<int> goal_cost_;
  std::uint32_t round_ = 0;
  std::vector<Step> open_;
  std::vector<Rect> goals_;
  std::vector<bool> own_;                  ///< frames that the wire belongs in
  int cheapest_ = 0;
};

}  // namespace topo::picture
