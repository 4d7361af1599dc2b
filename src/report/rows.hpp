// A plan as the rows that a person reads: what comes and goes with something is told with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diff/plan.hpp"
#include "report/reachability.hpp"

namespace topo::report {

struct Row {
  enum class Sign : std::uint8_t { add, modify, recreate, remove, repair } sign = Sign::add;
  std::string kind;
  std::string title;
  std::string what;  ///< its value, or how it changes
  std::string why;   ///< where the file says so, or who else did
};

[[nodiscard]] const char* to_text(Row::Sign sign);  ///< "+", "~", "-/+", "-", "!"

struct Rows {
  std::vector<Row> rows;         ///< by sign, then in the plan's order
  std::vector<std::string> hit;  ///< what else is hit: a sentence each
  std::size_t namespaces_recreated = 0;
};

/// "1 change", "3 changes".
[[nodiscard]] std::string counted(std::size_t count, const std::string& noun);

/// Every text in it is printable. Without `sources` a removal needs no reason: no file has been asked. `reachability`, where it is known, tells
/// whether open connections are hit.
[[nodiscard]] Rows rows_of(const Plan& plan, const Sources& sources, const Reachability* reachability = nullptr);

/// How many rows of rows_of these are, without putting them in order or into words that a terminal can take.
[[nodiscard]] std::size_t count_of_rows(const Plan& plan);

}  // namespace topo::report
