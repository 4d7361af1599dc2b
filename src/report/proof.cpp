#include "report/proof.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "reach/words.hpp"
#include "topo/names.hpp"

namespace topo::report {
namespace {

using Json = nlohmann::ordered_json;
using reach::NamedSet;
using reach::Verdict;

/// More rows than this are no picture any more.
constexpr std::size_t most_rows = 12;

std::string service_of(const reach::Trial& trial) { return reach::to_text(PortRange{trial.protocol, trial.port, trial.port}); }

/// "web -> db, to 10.2.0.2: 80/tcp, by port ...".
std::string flow_of(const reach::Trial& trial, const std::string& services) {
  return trial.from + " -> " + trial.to + ", to " + trial.destination.to_string() + ": " + services + (trial.by.empty() ? "" : ", by " + trial.by);
}

std::string place(const Position& at, const Sources& sources) {
  return at.line == 0 || at.source >= sources.size() ? std::string() : sources[at.source].name + ":" + std::to_string(at.line);
}

/// What one cell of the table has seen.
struct Cell {
  std::size_t open = 0, closed = 0, failed = 0;
  [[nodiscard]] std::string text() const {
    if (failed > 0) return std::to_string(failed) + " WRONG";
    if (open + closed == 0) return ".";
    if (closed == 0) return "open";
    return open == 0 ? "closed" : "in part";
  }
};

/// The bridge, or else the name, that a trial's end is told under.
std::string heading(const reach::Names& names, const std::string& name) {
  for (const NamedSet& set : names.sets()) {
    if (set.kind != NamedSet::Kind::bridge) continue;
    const auto station = names.model().network().find(name);
    if (station && std::binary_search(set.stations.begin(), set.stations.end(), *station)) return set.name;
  }
  return name;
}

std::string table_of(const reach::Names& names, const std::vector<Proven>& all) {
  std::map<std::pair<std::string, std::string>, Cell> cells;
  std::vector<std::string> rows;
  std::map<std::string, std::string> known;
  const auto of = [&](const std::string& name) {
    const auto [found, fresh] = known.emplace(name, std::string());
    if (fresh) found->second = heading(names, name);
    if (std::find(rows.begin(), rows.end(), found->second) == rows.end()) rows.push_back(found->second);
    return found->second;
  };
  for (const Proven& one : all) {
    Cell& cell = cells[{of(one.trial.from), of(one.trial.to)}];
    if (!one.passed) ++cell.failed;
    ++(one.trial.verdict == Verdict::allowed ? cell.open : cell.closed);
  }
  if (rows.size() > most_rows) return {};
  std::vector<std::vector<std::string>> lines{{"from \\ to"}};
  for (const auto& column : rows) lines.front().push_back(printable(column));
  for (const auto& row : rows) {
    lines.push_back({printable(row)});
    for (const auto& column : rows) lines.back().push_back(cells[{row, column}].text());
  }
  std::vector<std::size_t> widths(rows.size() + 1);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row = " ";
    for (std::size_t i = 0; i < line.size(); ++i) row += " " + line[i] + std::string(widths[i] - line[i].size() + 1, ' ');
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string xml(const std::string& text) {
  std::string made;
  for (const char c : printable(text)) {
    switch (c) {
      case '<':
        made += "&lt;";
        break;
      case '>':
        made += "&gt;";
        break;
      case '&':
        made += "&amp;";
        break;
      case '"':
        made += "&quot;";
        break;
      default:
        made += c;
    }
  }
  return made;
}

std::string declared(const reach::Trial& trial) { return trial.verdict == Verdict::allowed ? "allowed" : "denied"; }

}  // namespace

std::string proof_text(const reach::Names& names, const std::vector<Proven>& all, const Sources& sources) {
  std::string text = table_of(names, all);
  // What is wrong alike over several services is one.
  std::vector<std::pair<const Proven*, std::string>> wrong;
  for (const Proven& one : all) {
    if (one.passed) continue;
    const auto same = std::find_if(wrong.begin(), wrong.end(), [&](const auto& other) {
      const Proven& it = *other.first;
      return flow_of(it.trial, {}) == flow_of(one.trial, {}) && it.trial.why == one.trial.why && it.what == one.what;
    });
    if (same == wrong.end()) {
      wrong.emplace_back(&one, service_of(one.trial));
    } else {
      same->second += ", " + service_of(one.trial);
    }
  }
  if (!wrong.empty() && !text.empty()) text += "\n";
  for (const auto& [one, services] : wrong) {
    const std::string where = place(one->trial.at_line, sources);
    text += "  WRONG  " + printable(flow_of(one->trial, services)) + "\n";
    text += "         declared " + declared(one->trial) + ": " + printable(one->trial.why + (where.empty() ? "" : "   " + where)) + "\n";
    text += "         " + printable(one->what) + "\n";
  }
  if (!text.empty()) text.pop_back();
  return text;
}

std::string proof_json(const std::vector<Proven>& all, const Sources& sources) {
  Json list = Json::array();
  for (const Proven& one : all) {
    const auto& trial = one.trial;
    Json entry{
        {"from", printable(trial.from)}, {"to", printable(trial.to)}, {"destination", trial.destination.to_string()}, {"service", service_of(trial)}};
    if (!trial.by.empty()) entry["by"] = printable(trial.by);
    entry["declared"] = declared(trial);
    entry["why"] = printable(trial.why);
    if (trial.at_line.line != 0 && trial.at_line.source < sources.size()) {
      entry["file"] = printable(sources[trial.at_line.source].name);
      entry["line"] = trial.at_line.line;
    }
    entry["passed"] = one.passed;
    entry["what"] = printable(one.what);
    list.push_back(std::move(entry));
  }
  return list.dump(2, ' ', true);
}

std::string proof_junit(const std::string& topology, const std::vector<Proven>& all, double seconds) {
  const auto failed = std::count_if(all.begin(), all.end(), [](const Proven& one) { return !one.passed; });
  std::string text = "<testsuite name=\"" + xml(topology) + "\" tests=\"" + std::to_string(all.size()) + "\" failures=\"" + std::to_string(failed) +
                     "\" time=\"" + std::to_string(seconds) + "\">\n";
  for (const Proven& one : all) {
    text +=
        "  <testcase classname=\"" + xml(topology + "." + declared(one.trial)) + "\" name=\"" + xml(flow_of(one.trial, service_of(one.trial))) + "\"";
    text += one.passed ? "/>\n"
                       : "><failure message=\"" + xml(one.what) + "\">declared " + declared(one.trial) + ": " + xml(one.trial.why) +
                             "</failure></testcase>\n";
  }
  return text + "</testsuite>";
}

}  // namespace topo::report
