#include "reach/fold.hpp"

#include <algorithm>
#include <map>

namespace topo::reach {
namespace {

class Folding {
 public:
  Folding(const Table& table, const std::vector<Heading>& rows, const std::vector<Heading>& columns)
      : table_(table), rows_(by_width(rows)), columns_(by_width(columns)), covered_(table.cells.size()) {}

  std::vector<Block> run() {
    for (const Heading* row : rows_) {
      for (const Heading* column : columns_) try_block(*row, *column);
    }
    add_rest();
    std::stable_sort(blocks_.begin(), blocks_.end(),
                     [](const Block& a, const Block& b) { return std::pair(a.row_name, a.column_name) < std::pair(b.row_name, b.column_name); });
    return std::move(blocks_);
  }

 private:
  static std::vector<const Heading*> by_width(const std::vector<Heading>& headings) {
    std::vector<const Heading*> sorted;
    for (const Heading& heading : headings) {
      if (!heading.lines.empty()) sorted.push_back(&heading);
    }
    std::stable_sort(sorted.begin(), sorted.end(), [](const Heading* a, const Heading* b) { return a->lines.size() > b->lines.size(); });
    return sorted;
  }

  static bool is_told(Cell cell) { return cell > no_pair; }

  void try_block(const Heading& row, const Heading& column) {
    Cell cell = nothing;
    bool fresh = false;
    for (const std::size_t r : row.lines) {
      for (const std::size_t c : column.lines) {
        const Cell here = table_.at(r, c);
        if (here == no_pair) continue;
        if (here == nothing || (cell != nothing && here != cell)) return;
        cell = here;
        fresh = fresh || !covered_[r * table_.columns + c];
      }
    }
    if (!fresh || !needs_all(row, column)) return;
    for (const std::size_t r : row.lines) {
      for (const std::size_t c : column.lines) covered_[r * table_.columns + c] = true;
    }
    blocks_.push_back({cell, row.name, column.name, row.lines, column.lines});
  }

  /// Whether each of the lines that the names cannot do without has a pair in the block.
  [[nodiscard]] bool needs_all(const Heading& row, const Heading& column) const {
    const auto has_pair = [&](std::size_t r, std::size_t c) { return is_told(table_.at(r, c)); };
    return std::all_of(
               row.needed.begin(), row.needed.end(),
               [&](std::size_t r) { return std::any_of(column.lines.begin(), column.lines.end(), [&](std::size_t c) { return has_pair(r, c); }); }) &&
           std::all_of(column.needed.begin(), column.needed.end(),
                       [&](std::size_t c) { return std::any_of(row.lines.begin(), row.lines.end(), [&](std::size_t r) { return has_pair(r, c); }); });
  }

  /// What has no name for both sides: rows with the same columns together.
  void add_rest() {
    std::map<std::pair<Cell, std::vector<std::size_t>>, std::vector<std::size_t>> alike;
    for (std::size_t r = 0; r < table_.rows; ++r) {
      std::map<Cell, std::vector<std::size_t>> left;
      for (std::size_t c = 0; c < table_.columns; ++c) {
        if (is_told(table_.at(r, c)) && !covered_[r * table_.columns + c]) left[table_.at(r, c)].push_back(c);
      }
      for (auto& [cell, columns] : left) alike[{cell, std::move(columns)}].push_back(r);
    }
    for (const auto& [key, rows] : alike) blocks_.push_back({key.first, Block::unnamed, Block::unnamed, rows, key.second});
  }

  const Table& table_;
  std::vector<const Heading*> rows_, columns_;
  std::vector<bool> covered_;
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<Block> fold(const Table& table, const std::vector<Heading>& rows, const std::vector<Heading>& columns) {
  return Folding(table, rows, columns).run();
}

}  // namespace topo::reach
