// Many pairs as few lines: rectangles of a table whose rows and columns have names in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace topo::reach {

/// What is in one cell of a table.
using Cell = std::uint32_t;
inline constexpr Cell nothing = 0;  ///< a pair that is not to be told
inline constexpr Cell no_pair = 1;  ///< a pair that there is not, as of somebody with himself: may be in any rectangle

struct Table {
  std::size_t rows = 0, columns = 0;
  std::vector<Cell> cells;  ///< row by row
  [[nodiscard]] Cell& at(std::size_t row, std::size_t column) { return cells[row * columns + column]; }
  [[nodiscard]] Cell at(std::size_t row, std::size_t column) const { return cells[row * columns + column]; }
};

/// Rows or columns that have a name together.
struct Heading {
  std::size_t name = 0;             ///< whatever the caller knows it by; the lower, the sooner it is told
  std::vector<std::size_t> lines;   ///< sorted
  std::vector<std::size_t> needed;  ///< those of them without which the name says too much
};

/// A rectangle of equal cells, and of pairs that there are not.
struct Block {
  static constexpr std::size_t unnamed = static_cast<std::size_t>(-1);
  Cell cell = nothing;
  std::size_t row_name = unnamed, column_name = unnamed;  ///< unnamed: `rows` and `columns` are listed
  std::vector<std::size_t> rows, columns;
};

/// Blocks that cover every cell that is to be told, and no other; each with the names of headings where they fit, the widest first.
[[nodiscard]] std::vector<Block> fold(const Table& table, const std::vector<Heading>& rows, const std::vector<Heading>& columns);

}  // namespace topo::reach
