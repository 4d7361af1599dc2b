#include "picture/router.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace topo::picture {
namespace {

// What a wire's way costs, by grid cell.
constexpr int per_step = 10;
constexpr int per_shared_step = 2;   // along a wire of its own net
constexpr int per_bend = 45;
constexpr int per_crossing = 25;
constexpr int per_overlap = 600;     // on a foreign wire, where nobody could tell them apart
constexpr int per_neighbour = 6;     // right beside a foreign wire, or a card; half as much one cell further
constexpr int per_foreign_frame = 14;
constexpr int per_border = 60;       // along a frame's border
constexpr int per_text = 200;
constexpr int corner = 2;            // cells from a box's corners where no wire begins
constexpr std::size_t most_careful_steps = 200000;
constexpr int hasty = 8;             // how much more than it costs the rest of a way is then feared

constexpr int dx[] = {1, 0, -1, 0};
constexpr int dy[] = {0, 1, 0, -1};

int cells(int pixels) { return pixels / pitch; }

}  // namespace

Router::Router(int width, int height) : columns_(cells(width) + 1), rows_(cells(height) + 1) {
  const std::size_t count = cell(0, rows_);
  blocked_.resize(count);
  written_.resize(count);
  frame_.resize(count);
  border_.resize(count);
  for (auto& taken : taken_) taken.resize(count);
  round_of_.resize(4 * count);
  cost_.resize(4 * count);
  before_.resize(4 * count);
  goal_round_.resize(count);
  goal_.resize(count);
  goal_cost_.resize(count);
}

void Router::block(const Rect& card) {
  for (int row = cells(card.y); row <= cells(card.bottom()); ++row) {
    for (int column = cells(card.x); column <= cells(card.right()); ++column) {
      if (inside(column, row)) blocked_[cell(column, row)] = 1;
    }
  }
}

void Router::enclose(const Rect& frame) {
  frames_.push_back(frame);
  for (int row = cells(frame.y); row <= cells(frame.bottom()); ++row) {
    for (int column = cells(frame.x); column <= cells(frame.right()); ++column) {
      if (!inside(column, row)) continue;
      const std::size_t at = cell(column, row);
      frame_[at] = static_cast<std::uint16_t>(std::min<std::size_t>(frames_.size(), std::numeric_limits<std::uint16_t>::max()));
    }
  }
  border(frame);
}

void Router::border(const Rect& frame) {
  for (int row = cells(frame.y); row <= cells(frame.bottom()); ++row) {
    for (int column = cells(frame.x); column <= cells(frame.right()); ++column) {
      if (!inside(column, row)) continue;
      if (row == cells(frame.y) || row == cells(frame.bottom())) border_[cell(column, row)] |= 1;
      if (column == cells(frame.x) || column == cells(frame.right())) border_[cell(column, row)] |= 2;
    }
  }
}

void Router::write_on(const Rect& text) {
  for (int row = cells(text.y + pitch - 1); row <= cells(text.bottom()); ++row) {
    for (int column = cells(text.x + pitch - 1); column <= cells(text.right()); ++column) {
      if (inside(column, row)) written_[cell(column, row)] = 1;
    }
  }
}

void Router::lay(const std::vector<Point>& points, int net) {
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const bool vertical = points[i].x == points[i + 1].x;
    const int x = std::min(cells(points[i].x), cells(points[i + 1].x)), right_x = std::max(cells(points[i].x), cells(points[i + 1].x));
    const int y = std::min(cells(points[i].y), cells(points[i + 1].y)), bottom_y = std::max(cells(points[i].y), cells(points[i + 1].y));
    for (int row = y; row <= bottom_y; ++row) {
      for (int column = x; column <= right_x; ++column) {
        if (inside(column, row)) taken_[vertical][cell(column, row)] = net;
      }
    }
  }
}

void Router::lay_straight(const Point& from, const Point& to, int net) {
  const int steps = std::max({cells(std::abs(to.x - from.x)), cells(std::abs(to.y - from.y)), 1});
  for (int i = 0; i <= steps; ++i) {
    const int column = cells(from.x + (to.x - from.x) * i / steps), row = cells(from.y + (to.y - from.y) * i / steps);
    if (!inside(column, row)) continue;
    for (auto& taken : taken_) taken[cell(column, row)] = net;
  }
}

bool Router::is_clear(const Rect& area, int net) const {
  for (int row = cells(area.y + pitch - 1); row <= cells(area.bottom()); ++row) {
    for (int column = cells(area.x + pitch - 1); column <= cells(area.right()); ++column) {
      if (!inside(column, row)) return false;
      for (const auto& taken : taken_) {
        if (taken[cell(column, row)] != 0 && taken[cell(column, row)] != net) return false;
      }
    }
  }
  return true;
}

/// Calls `visit` with every grid point of the boxes' sides but those near corners, the direction that leads away there, how far from the middle of
/// the side it is, and the box.
template <class Visit>
void Router::each_gate(const Gates& gates, Visit visit) const {
  for (const Rect& box : gates.boxes) {
    const int x = cells(box.x), y = cells(box.y), right_x = cells(box.right()), bottom_y = cells(box.bottom());
    const int margin_x = std::min(corner, (right_x - x) / 4), margin_y = std::min(corner, (bottom_y - y) / 4);
    for (int column = x + margin_x; column <= right_x - margin_x; ++column) {
      const int off = std::abs(2 * column - x - right_x) / 2;
      if ((gates.sides & Gates::top) != 0) visit(column, y, up, off, box);
      if ((gates.sides & Gates::bottom) != 0) visit(column, bottom_y, down, off, box);
    }
    for (int row = y + margin_y; row <= bottom_y - margin_y; ++row) {
      const int off = std::abs(2 * row - y - bottom_y) / 2;
      if ((gates.sides & Gates::left) != 0) visit(x, row, left, off, box);
      if ((gates.sides & Gates::right) != 0) visit(right_x, row, right, off, box);
    }
  }
}

int Router::estimate(int column, int row) const {
  int best = std::numeric_limits<int>::max();
  for (const Rect& goal : goals_) {
    const int across = std::max({cells(goal.x) - column, column - cells(goal.right()), 0});
    const int along = std::max({cells(goal.y) - row, row - cells(goal.bottom()), 0});
    best = std::min(best, across + along);
  }
  return best * cheapest_;
}

int Router::step_cost(int column, int row, Direction direction, int net) const {
  const std::size_t at = cell(column, row);
  const bool vertical = dy[direction] != 0;
  int cost = per_step;
  if (const int other = taken_[vertical][at]; other == net) {
    cost = per_shared_step;
  } else if (other != 0) {
    cost += per_overlap;
  }
  if (const int other = taken_[!vertical][at]; other != 0 && other != net) cost += per_crossing;
  if ((border_[at] & (vertical ? 2 : 1)) != 0) cost += per_border;
  if (written_[at] != 0) cost += per_text;
  if (frame_[at] != 0 && !own_[frame_[at]]) cost += per_foreign_frame;
  for (const int side : {-2, -1, 1, 2}) {
    const int x = column + (vertical ? side : 0), y = row + (vertical ? 0 : side);
    if (!inside(x, y)) continue;
    const int other = taken_[vertical][cell(x, y)];
    if (blocked_[cell(x, y)] != 0 || (other != 0 && other != net)) cost += per_neighbour / std::abs(side);
  }
  return cost;
}

int Router::bend_cost(std::size_t at, int net) const {
  int cost = per_bend;
  // A corner on a foreign wire looks like a junction.
  for (const auto& taken : taken_) cost += taken[at] != 0 && taken[at] != net ? per_overlap : 0;
  return cost;
}

void Router::reach(int column, int row, Direction direction, int cost, std::size_t from) {
  const std::size_t state = 4 * cell(column, row) + direction;
  if (round_of_[state] == round_ && cost_[state] <= cost) return;
  round_of_[state] = round_;
  cost_[state] = cost;
  before_[state] = from;
  open_.push_back({cost + estimate(column, row), state});
  std::push_heap(open_.begin(), open_.end());
}

void Router::begin(const Gates& from, const Gates& to, int net, int haste) {
  ++round_;
  open_.clear();
  goals_ = to.boxes;
  bool shares = false;
  for (const auto& taken : taken_) shares = shares || std::find(taken.begin(), taken.end(), net) != taken.end();
  cheapest_ = haste * (shares ? per_shared_step : per_step);
  own_.assign(frames_.size() + 1, false);
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    const auto belongs = [&](const Rect& box) { return frames_[i].contains(box) && frames_[i] != box; };
    own_[i + 1] = std::any_of(from.boxes.begin(), from.boxes.end(), belongs) || std::any_of(to.boxes.begin(), to.boxes.end(), belongs);
  }
  const auto is_card = [&](const Rect& box) { return blocked_[cell(cells(box.x), cells(box.y))] != 0; };
  // From the middle of a card's side, where that is as good.
  const auto off_cost = [&](const Rect& box, int off) { return is_card(box) ? off * 2 : off / 2; };
  each_gate(to, [&](int column, int row, Direction away, int off, const Rect& box) {
    const std::size_t at = cell(column, row);
    if (goal_round_[at] != round_) goal_[at] = 0;
    goal_round_[at] = round_;
    goal_[at] = static_cast<std::uint8_t>(goal_[at] | 1 << (away + 2) % 4 | (is_card(box) ? 0 : 1 << away));
    goal_cost_[at] = off_cost(box, off);
  });
  each_gate(from, [&](int column, int row, Direction away, int off, const Rect& box) {
    if (goal_round_[cell(column, row)] == round_) return;
    const int busy = taken_[dy[away] != 0][cell(column, row)];
    const int cost = off_cost(box, off) + (busy != 0 && busy != net ? per_overlap : 0);
    reach(column, row, away, cost, nowhere);
    if (!is_card(box)) reach(column, row, static_cast<Direction>((away + 2) % 4), cost, nowhere);
  });
}

std::vector<Point> Router::trace(std::size_t state) const {
  std::vector<Point> points;
  for (; state != nowhere; state = before_[state]) {
    const std::size_t at = state / 4;
    const auto columns = static_cast<std::size_t>(columns_);
    const Point point{static_cast<int>(at % columns) * pitch, static_cast<int>(at / columns) * pitch};
    // Only corners are kept.
    const std::size_t count = points.size();
    const bool straight = count >= 2 && ((points[count - 1].x == point.x && points[count - 2].x == point.x) ||
                                         (points[count - 1].y == point.y && points[count - 2].y == point.y));
    if (straight) points.pop_back();
    points.push_back(point);
  }
  std::reverse(points.begin(), points.end());
  return points;
}

std::vector<Point> Router::search(const Gates& from, const Gates& to, int net, int haste, std::size_t most_steps) {
  begin(from, to, net, haste);
  for (std::size_t steps = 0; !open_.empty() && steps < most_steps; ++steps) {
    std::pop_heap(open_.begin(), open_.end());
    const Step step = open_.back();
    open_.pop_back();
    const std::size_t state = step.state, at = state / 4;
    const auto direction = static_cast<Direction>(state % 4);
    const int column = static_cast<int>(at % static_cast<std::size_t>(columns_)), row = static_cast<int>(at / static_cast<std::size_t>(columns_));
    if (step.estimate > cost_[state] + estimate(column, row)) continue;  // a cheaper way here has been found since
    const bool is_goal = goal_round_[at] == round_ && (goal_[at] & 1 << direction) != 0;
    if (is_goal && before_[state] != nowhere) return trace(state);
    for (const int turn : {0, 1, 3}) {
      const auto next = static_cast<Direction>((direction + turn) % 4);
      const int x = column + dx[next], y = row + dy[next];
      // A wire leaves its box straight.
      if (!inside(x, y) || (turn != 0 && before_[state] == nowhere)) continue;
      const std::size_t there = cell(x, y);
      const bool enters = goal_round_[there] == round_ && (goal_[there] & 1 << next) != 0;
      if (blocked_[there] != 0 && !enters) continue;
      int cost = cost_[state] + step_cost(x, y, next, net) + (turn == 0 ? 0 : bend_cost(at, net));
      // No bend right at a box: there must be room for an arrow's head.
      if (turn != 0 && (enters || before_[before_[state]] == nowhere)) cost += per_bend;
      if (enters) cost += goal_cost_[there];
      reach(x, y, next, cost, state);
    }
  }
  return {};
}

std::vector<Point> Router::route(const Gates& from, const Gates& to, int net) {
  std::vector<Point> points = search(from, to, net, 1, most_careful_steps);
  // Through a large tangle any way is good enough.
  if (points.empty()) points = search(from, to, net, hasty, nowhere);
  if (points.empty()) {
    const Point a = from.boxes.front().middle(), b = to.boxes.front().middle();
    points = a.x == b.x || a.y == b.y ? std::vector{a, b} : std::vector{a, {b.x, a.y}, b};
  }
  lay(points, net);
  return points;
}

}  // namespace topo::picture
