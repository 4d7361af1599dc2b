#include "report/plan_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "report/rows.hpp"
#include "topo/names.hpp"

namespace topo::report {
namespace {

constexpr std::size_t few = 10;           // rows of each sign and kind that a long plan shows
constexpr std::size_t widest_title = 40;  // what is longer pushes its own line alone
constexpr std::size_t widest_what = 60;

const char* color_of(Row::Sign sign) {
  switch (sign) {
    case Row::Sign::add:
      return color::green;
    case Row::Sign::modify:
      return color::yellow;
    case Row::Sign::recreate:
      return color::magenta;
    case Row::Sign::remove:
      return color::red;
    case Row::Sign::repair:
      return color::cyan;
  }
  return "";
}

const char* color_of(reach::Change::Kind kind) {
  using Kind = reach::Change::Kind;
  switch (kind) {
    case Kind::allowed:
      return color_of(Row::Sign::add);
    case Kind::moved:
      return color_of(Row::Sign::modify);
    case Kind::denied:
      return color_of(Row::Sign::remove);
    case Kind::still_denied:
      return color::dim;
  }
  return "";
}

/// The first few of each sign, and how many there are besides.
std::string reachability_text(const Reachability& reachability, Paint paint) {
  if (!reachability.unknown.empty()) return "\nreachability\n  what could be reached before is not known: " + printable(reachability.unknown) + "\n";
  const std::vector<ReachRow> rows = rows_of(reachability.changes);
  if (rows.empty()) return {};
  std::map<reach::Change::Kind, std::size_t> seen;
  std::vector<const ReachRow*> shown;
  std::size_t from = 0, arrow = 0, to = 0;
  for (const ReachRow& row : rows) {
    if (++seen[row.kind] > few) continue;
    shown.push_back(&row);
    if (row.from.size() <= widest_title) from = std::max(from, row.from.size());
    if (row.to.size() <= widest_title) to = std::max(to, row.to.size());
    arrow = std::max(arrow, row.arrow.size());
  }
  std::string text = "\nreachability\n";
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const ReachRow& row = *shown[i];
    std::string line = fmt::format("{:<{}} {:<{}} {:<{}}   {}", row.from, from, row.arrow, arrow, row.to, to, row.what);
    line.erase(line.find_last_not_of(' ') + 1);
    const char* const sign = to_text(row.kind);
    text += "  " + painted(paint, color_of(row.kind), sign) + " " + line + "\n";
    const bool last = i + 1 == shown.size() || shown[i + 1]->kind != row.kind;
    if (last && seen[row.kind] > few) text += fmt::format("  {} and {} more\n", sign, seen[row.kind] - few);
  }
  return text;
}

/// The rows shown: all, or the first few of each sign and kind and a row for the others.
std::vector<Row> shortened(std::vector<Row> rows, std::size_t most) {
  if (rows.size() <= most) return rows;
  std::vector<Row> shown;
  std::map<std::pair<Row::Sign, std::string>, std::size_t> seen;
  for (Row& row : rows) {
    if (++seen[{row.sign, row.kind}] <= few) shown.push_back(std::move(row));
  }
  for (const auto& [group, count] : seen) {
    if (count > few) shown.push_back({group.first, group.second, fmt::format("and {} more", count - few), "", ""});
  }
  std::stable_sort(shown.begin(), shown.end(), [](const Row& a, const Row& b) { return a.sign < b.sign; });
  return shown;
}

std::array<std::size_t, 4> widths_of(const std::vector<Row>& rows) {
  std::array<std::size_t, 4> widths{1, 0, 0, 0};
  const auto fit = [](std::size_t& width, const std::string& text, std::size_t widest) {
    if (text.size() <= widest) width = std::max(width, text.size());
  };
  for (const Row& row : rows) {
    widths[0] = std::max(widths[0], std::string(to_text(row.sign)).size());
    fit(widths[1], row.kind, widest_title);
    fit(widths[2], row.title, widest_title);
    fit(widths[3], row.what, widest_what);
  }
  return widths;
}

std::string line_of(const Row& row, const std::array<std::size_t, 4>& widths, Paint paint) {
  std::string line = fmt::format("{:<{}}   {:<{}}   {:<{}}", row.kind, widths[1], row.title, widths[2], row.what, widths[3]);
  if (!row.why.empty()) line += "   " + row.why;
  line.erase(line.find_last_not_of(' ') + 1);
  const std::string sign = fmt::format("{:<{}}", to_text(row.sign), widths[0]);
  return "  " + painted(paint, color_of(row.sign), sign) + " " + line;
}

/// "plan: 1 to add, 1 to change; no namespace is recreated".
std::string tally_of(const Rows& told) {
  std::map<Row::Sign, std::size_t> counts;
  for (const Row& row : told.rows) ++counts[row.sign];
  std::string text;
  for (const auto& [sign, word] :
       {std::pair{Row::Sign::add, "add"}, std::pair{Row::Sign::modify, "change"}, std::pair{Row::Sign::recreate, "recreate"},
        std::pair{Row::Sign::remove, "remove"}, std::pair{Row::Sign::repair, "repair"}}) {
    if (counts[sign] != 0) text += fmt::format("{}{} to {}", text.empty() ? "" : ", ", counts[sign], word);
  }
  const bool only_one_sign = counts[Row::Sign::add] == told.rows.size() || counts[Row::Sign::remove] == told.rows.size();
  if (only_one_sign) return "plan: " + text;
  if (told.namespaces_recreated == 0) return "plan: " + text + "; no namespace is recreated";
  return fmt::format("plan: {}; {} recreated", text, counted(told.namespaces_recreated, "namespace"));
}

}  // namespace

std::string plan_text(const Plan& plan, const Sources& sources, const PlanTextOptions& options) {
  const std::string name = printable(plan.topology);
  if (plan.empty()) return name + ": no changes";
  const Rows told = rows_of(plan, sources, options.reachability);
  std::string text = fmt::format("{}: {}\n\n", name, counted(told.rows.size(), "change"));
  const std::vector<Row> rows = shortened(told.rows, options.most_rows);
  const auto widths = widths_of(rows);
  for (const Row& row : rows) text += line_of(row, widths, options.paint) + "\n";
  if (options.reachability != nullptr) text += reachability_text(*options.reachability, options.paint);
  if (!told.hit.empty()) {
    text += "\nalso hit\n";
    for (std::size_t i = 0; i < std::min(told.hit.size(), few); ++i) text += "  " + told.hit[i] + "\n";
    if (told.hit.size() > few) text += fmt::format("  and {} more\n", told.hit.size() - few);
  }
  return text + "\n" + tally_of(told);
}

}  // namespace topo::report
