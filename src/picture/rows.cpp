#include "picture/rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>

#include "picture/rank.hpp"
#include "picture/text.hpp"

namespace topo::picture {
namespace {

constexpr int block_gap = 60;       // between neighbours in a row
constexpr int most_labels = 240;     // room for texts between neighbours
constexpr int least_row_gap = 60;
constexpr int component_gap = 80;
constexpr int zone_padding = 20;    // between a zone's frame and its blocks
constexpr int zone_label = 30;      // and below them, where its name stands
constexpr int least_wrap = 1800;    // no row is broken below this width
constexpr int most_fabric = 4;      // a fabric's rows may be so many times as wide
constexpr int steepness = 5;        // cables that slope: at most so far across for each pixel down
constexpr int most_steep_gap = 300;
constexpr int cable_weight = 4;     // against a flow's 1: what is cabled stands nearer

using Row = std::vector<std::size_t>;

/// Positions nearest to `wanted` (least squares) of things in that order that keep `apart[i]` between i and i + 1 at least.
std::vector<int> spread(const std::vector<int>& wanted, const std::vector<int>& apart) {
  struct Run {
    std::int64_t sum;
    std::int64_t count;
    [[nodiscard]] std::int64_t mean() const { return sum >= 0 ? sum / count : -((-sum + count - 1) / count); }
  };
  std::vector<Run> runs;
  std::vector<int> offset{0};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i > 0) offset.push_back(offset.back() + apart[i - 1]);
    runs.push_back({wanted[i] - offset[i], 1});
    while (runs.size() > 1 && runs[runs.size() - 2].mean() >= runs.back().mean()) {
      const Run last = runs.back();
      runs.pop_back();
      runs.back() = {runs.back().sum + last.sum, runs.back().count + last.count};
    }
  }
  std::vector<int> placed;
  for (const Run& run : runs) {
    const auto at = static_cast<int>(run.mean() >= 0 ? run.mean() / pitch * pitch : -((-run.mean() + pitch - 1) / pitch * pitch));
    for (std::int64_t i = 0; i < run.count; ++i) placed.push_back(at + offset[placed.size()]);
  }
  return placed;
}

/// One component, about an origin of its own.
class Arrangement {
 public:
  Arrangement(const std::vector<Block>& blocks, const std::vector<Tie>& ties, const Component& component, int widest)
      : blocks_(blocks), row_of_(blocks.size(), nowhere), middle_(blocks.size(), 0), ties_of_(blocks.size()) {
    for (const std::size_t block : component.blocks) row_of_[block] = 0;
    std::vector<bool> slopes(blocks.size(), false);
    for (const Tie& tie : ties) {
      if (tie.straight) slopes[tie.a] = slopes[tie.b] = true;
    }
    for (const Row& row : component.rows) {
      // A fabric is drawn with straight cables, which only lead from one row to the next.
      const bool fabric = std::any_of(row.begin(), row.end(), [&](std::size_t block) { return slopes[block]; });
      wrap(row, fabric ? most_fabric * widest : widest);
    }
    index();
    for (const Tie& tie : ties) {
      if (tie.a == tie.b || row_of_[tie.a] == nowhere || row_of_[tie.b] == nowhere) continue;
      ties_of_[tie.a].push_back(ties_.size());
      ties_of_[tie.b].push_back(ties_.size());
      ties_.push_back(tie);
    }
  }

  void arrange() {
    for (std::size_t r = 0; r < rows_.size(); ++r) pack(r);
    for (int turn = 0; turn < 4; ++turn) {
      for (std::size_t r = 0; r < rows_.size(); ++r) improve(r);
    }
    for (int turn = 0; turn < 3; ++turn) {
      for (std::size_t r = 0; r < rows_.size(); ++r) align(r);
      for (std::size_t r = rows_.size(); r-- > 0;) align(r);
    }
    stack();
  }

  /// Adds its blocks and frames with its corner at (x, y); `width` and `height` are right after arrange().
  void put(Placement& into, int x, int y) const {
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      for (const std::size_t block : rows_[r]) {
        into.origins[block] = {x + middle_[block] - blocks_[block].w / 2 - left_, y + top_[r] + (is_zoned(r) ? zone_padding : 0)};
      }
      for (std::size_t i = 0; i < rows_[r].size();) {
        const std::size_t end = run_end(rows_[r], i);
        if (blocks_[rows_[r][i]].zone != nowhere) into.frames.push_back(frame(r, i, end, x, y));
        i = end;
      }
    }
  }

  int width = 0, height = 0;

 private:
  [[nodiscard]] ZoneFrame frame(std::size_t r, std::size_t begin, std::size_t end, int x, int y) const {
    const std::size_t first = rows_[r][begin], last = rows_[r][end - 1];
    const int from = x + middle_[first] - blocks_[first].w / 2 - left_ - zone_padding;
    const int to = x + middle_[last] + blocks_[last].w / 2 - left_ + zone_padding;
    int h = 0;
    for (std::size_t i = begin; i < end; ++i) h = std::max(h, blocks_[rows_[r][i]].h);
    return {blocks_[first].zone, {from, y + top_[r], to - from, h + zone_padding + zone_label}};
  }

  /// Where the blocks of one zone from `i` on end.
  [[nodiscard]] std::size_t run_end(const Row& row, std::size_t i) const {
    const std::size_t zone = blocks_[row[i]].zone;
    std::size_t end = i + 1;
    while (zone != nowhere && end < row.size() && blocks_[row[end]].zone == zone) ++end;
    return end;
  }

  [[nodiscard]] bool is_zoned(std::size_t r) const {
    return std::any_of(rows_[r].begin(), rows_[r].end(), [&](std::size_t block) { return blocks_[block].zone != nowhere; });
  }

  /// Breaks a row that is too wide; blocks of one zone come to stand side by side.
  void wrap(Row row, int widest) {
    std::map<std::size_t, std::size_t> first_of;
    for (std::size_t i = 0; i < row.size(); ++i) first_of.emplace(blocks_[row[i]].zone, i);
    std::map<std::size_t, std::size_t> rank;
    for (std::size_t i = 0; i < row.size(); ++i) rank[row[i]] = blocks_[row[i]].zone == nowhere ? i : first_of.at(blocks_[row[i]].zone);
    std::stable_sort(row.begin(), row.end(), [&](std::size_t a, std::size_t b) { return rank.at(a) < rank.at(b); });
    int total = 0;
    for (const std::size_t block : row) total += blocks_[block].w + block_gap;
    const int parts = (total + widest - 1) / widest;
    int used = 0;
    rows_.emplace_back();
    for (const std::size_t block : row) {
      if (!rows_.back().empty() && used + blocks_[block].w / 2 > total / parts) {
        rows_.emplace_back();
        used = 0;
      }
      rows_.back().push_back(block);
      used += blocks_[block].w + block_gap;
    }
  }

  void index() {
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      for (const std::size_t block : rows_[r]) row_of_[block] = r;
    }
  }

  /// Between the middles of two neighbours.
  [[nodiscard]] int apart(std::size_t a, std::size_t b) const {
    int labels = 0;
    for (const std::size_t tie : ties_of_[a]) {
      const Tie& it = ties_[tie];
      if (it.a == b || it.b == b) labels += it.label;
    }
    int gap = labels == 0 ? block_gap : snapped(std::min(labels, most_labels) + 60);
    if (blocks_[a].zone != blocks_[b].zone) gap += (blocks_[a].zone != nowhere ? zone_padding : 0) + (blocks_[b].zone != nowhere ? zone_padding : 0);
    return (blocks_[a].w + blocks_[b].w) / 2 + gap;
  }

  /// Side by side, about zero.
  void pack(std::size_t r) {
    Row& row = rows_[r];
    int x = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) x += apart(row[i - 1], row[i]);
      middle_[row[i]] = x;
    }
    const int shift = (middle_[row.front()] - blocks_[row.front()].w / 2 + middle_[row.back()] + blocks_[row.back()].w / 2) / 2;
    for (const std::size_t block : row) middle_[block] -= shift;
  }

  [[nodiscard]] std::int64_t length(const Row& row) const {
    std::int64_t sum = 0;
    for (const std::size_t block : row) {
      for (const std::size_t tie : ties_of_[block]) {
        const Tie& it = ties_[tie];
        // Along a row others are in the way.
        const int weight = (it.cable ? cable_weight : 1) * (row_of_[it.a] == row_of_[it.b] ? 2 : 1);
        sum += std::int64_t{weight} * std::abs(middle_[it.a] - middle_[it.b]);
      }
    }
    return sum;
  }

  /// Swaps neighbours, single blocks and whole zones, as long as ties become shorter.
  void improve(std::size_t r) {
    Row& row = rows_[r];
    std::int64_t best = length(row);
    const auto attempt = [&](std::size_t begin, std::size_t middle, std::size_t end) {
      const auto at = [&](std::size_t i) { return row.begin() + static_cast<std::ptrdiff_t>(i); };
      std::rotate(at(begin), at(middle), at(end));
      pack(r);
      const std::int64_t now = length(row);
      if (now < best) {
        best = now;
        return true;
      }
      std::rotate(at(begin), at(begin + end - middle), at(end));
      pack(r);
      return false;
    };
    bool better = true;
    for (int turn = 0; better && turn < 20; ++turn) {
      better = false;
      for (std::size_t i = 0; i + 1 < row.size(); ++i) {
        const bool inside = blocks_[row[i]].zone == blocks_[row[i + 1]].zone;
        if (inside && attempt(i, i + 1, i + 2)) better = true;
      }
      for (std::size_t i = 0; i < row.size();) {
        const std::size_t middle = run_end(row, i);
        if (middle < row.size() && attempt(i, middle, run_end(row, middle))) better = true;
        i = run_end(row, i);
      }
    }
  }

  /// Moves every block of the row towards the middle of what it is tied to in other rows.
  void align(std::size_t r) {
    const Row& row = rows_[r];
    std::vector<int> wanted, distance;
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::int64_t sum = 0, weights = 0;
      for (const std::size_t tie : ties_of_[row[i]]) {
        const Tie& it = ties_[tie];
        const std::size_t other = it.a == row[i] ? it.b : it.a;
        if (row_of_[other] == r || !it.cable) continue;
        sum += middle_[other];
        ++weights;
      }
      wanted.push_back(weights > 0 ? static_cast<int>(sum / weights) : middle_[row[i]]);
      if (i > 0) distance.push_back(apart(row[i - 1], row[i]));
    }
    const std::vector<int> placed = spread(wanted, distance);
    for (std::size_t i = 0; i < row.size(); ++i) middle_[row[i]] = placed[i];
  }

  /// How many wires run side by side between rows `r` and `r + 1` at most, and whether one has a label.
  [[nodiscard]] int gap_below(std::size_t r) const {
    std::vector<std::pair<int, int>> ends;
    std::map<std::pair<std::size_t, bool>, bool> nets;
    bool labelled = false;
    int across = 0;
    for (const Tie& tie : ties_) {
      const auto [high, low] = std::minmax(row_of_[tie.a], row_of_[tie.b]);
      const bool along = high == low && std::abs(middle_[tie.a] - middle_[tie.b]) > (blocks_[tie.a].w + blocks_[tie.b].w) / 2 + 3 * block_gap;
      const bool crosses = high == low ? along && high == r : high <= r && r < low;
      if (!crosses || (tie.net != nowhere && !nets.emplace(std::pair(tie.net, true), true).second)) continue;
      const auto [from, to] = std::minmax(middle_[tie.a], middle_[tie.b]);
      if (tie.straight && low == high + 1) {
        across = std::max(across, to - from);
        continue;
      }
      ends.emplace_back(from, 1);
      ends.emplace_back(to + 1, -1);
      labelled = labelled || (tie.label > 0 && !tie.cable);
    }
    std::sort(ends.begin(), ends.end());
    int now = 0, most = 0;
    for (const auto& [x, step] : ends) {
      now += step;
      most = std::max(most, now);
    }
    const int routed = least_row_gap + pitch * std::min(most, 16) + (labelled ? 2 * pitch : 0);
    return std::max(routed, snapped(std::min(across / steepness, most_steep_gap)));
  }

  void stack() {
    int right = 0, y = 0;
    left_ = 0;
    bool first = true;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      top_.push_back(y);
      int h = 0;
      for (const std::size_t block : rows_[r]) {
        h = std::max(h, blocks_[block].h);
        const int pad = blocks_[block].w / 2 + (blocks_[block].zone != nowhere ? zone_padding : 0);
        left_ = first ? middle_[block] - pad : std::min(left_, middle_[block] - pad);
        right = first ? middle_[block] + pad : std::max(right, middle_[block] + pad);
        first = false;
      }
      height = y + h + (is_zoned(r) ? zone_padding + zone_label : 0);
      y = height + (r + 1 < rows_.size() ? gap_below(r) : 0);
    }
    left_ = left_ >= 0 ? left_ / pitch * pitch : -snapped(-left_);
    width = snapped(right - left_);
  }

  const std::vector<Block>& blocks_;
  std::vector<Row> rows_;
  std::vector<std::size_t> row_of_;
  std::vector<int> middle_;  ///< of each block, by x
  std::vector<Tie> ties_;
  std::vector<std::vector<std::size_t>> ties_of_;
  std::vector<int> top_;     ///< of each row
  int left_ = 0;
};

/// Pictures are about twice as wide as high.
int widest_row(const std::vector<Block>& blocks) {
  std::int64_t area = 0;
  for (const Block& block : blocks) area += std::int64_t{block.w + block_gap} * (block.h + 2 * least_row_gap);
  int width = least_wrap;
  while (std::int64_t{width} * width < 2 * area) width += 100;
  return width;
}

}  // namespace

Placement place(const Scene& scene, const std::vector<Block>& blocks, const std::vector<Tie>& ties) {
  Placement placed;
  placed.origins.resize(blocks.size());
  const int widest = widest_row(blocks);
  int x = 0, y = 0, line = 0;
  for (const Component& component : components_of(scene, blocks, ties)) {
    Arrangement arrangement(blocks, ties, component, widest);
    arrangement.arrange();
    if (x > 0 && x + arrangement.width > widest) {
      x = 0;
      y += line + component_gap;
      line = 0;
    }
    arrangement.put(placed, x, y);
    placed.width = std::max(placed.width, x + arrangement.width);
    placed.height = std::max(placed.height, y + arrangement.height);
    x += arrangement.width + component_gap;
    line = std::max(line, arrangement.height);
  }
  return placed;
}

}  // namespace topo::picture
