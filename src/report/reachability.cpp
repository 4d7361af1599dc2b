#include "report/reachability.hpp"

#include <nlohmann/json.hpp>

#include "reach/words.hpp"
#include "topo/names.hpp"

namespace topo::report {
namespace {

using Json = nlohmann::ordered_json;
using Kind = reach::Change::Kind;

const char* family_text(Family family) { return family == Family::v4 ? "IPv4" : "IPv6"; }

Json to_json(const reach::Crowd& crowd) {
  Json members = Json::array();
  for (const auto& member : crowd.members) members.push_back(printable(member));
  return {{"name", printable(crowd.text)}, {"members", std::move(members)}};
}

Json to_json(const reach::Change& change, const Sources& sources) {
  constexpr const char* words[]{"allowed", "moved", "denied", "still denied"};
  Json services = Json::array();
  for (const auto& range : change.services.ranges()) services.push_back(reach::to_text(range));
  Json entry{{"change", words[static_cast<std::size_t>(change.kind)]},
             {"sign", to_text(change.kind)},
             {"from", to_json(change.from)},
             {"to", to_json(change.to)},
             {"both_ways", change.both_ways},
             {"services", change.services.all() ? Json::array({"all"}) : std::move(services)}};
  if (change.family) entry["family"] = family_text(*change.family);
  if (!change.by.empty()) entry["by"] = printable(change.by);
  if (!change.why.empty()) entry["why"] = printable(change.why);
  if (change.at.line != 0 && change.at.source < sources.size()) {
    entry["file"] = printable(sources[change.at.source].name);
    entry["line"] = change.at.line;
  }
  return entry;
}

ReachRow row_of(const reach::Change& change) {
  ReachRow row{change.kind, change.from.text, change.both_ways ? "<->" : "->", change.to.text, ""};
  const auto ranges = change.services.ranges();
  if (change.kind == Kind::still_denied) {
    row.what = "still denied";
  } else if (ranges.size() == 1 && ranges.front().protocol != Protocol::any) {
    row.to += ":" + reach::to_text(ranges.front());
  } else {
    row.what = change.services.text();
  }
  if (change.family) row.what += std::string(row.what.empty() ? "" : ", ") + family_text(*change.family) + " alone";
  if (!change.by.empty()) row.what = "by " + change.by;
  for (std::string* text : {&row.from, &row.to, &row.what}) *text = printable(*text);
  return row;
}

}  // namespace

const char* to_text(Kind kind) {
  constexpr const char* signs[]{"+", "~", "-", "="};
  return signs[static_cast<std::size_t>(kind)];
}

std::vector<ReachRow> rows_of(const reach::Changes& changes) {
  std::vector<ReachRow> rows;
  for (const auto& change : changes.changes) rows.push_back(row_of(change));
  return rows;
}

std::string reachability_json(const Reachability& reachability, const Sources& sources) {
  Json document{{"known", reachability.unknown.empty()}};
  if (!reachability.unknown.empty()) document["why"] = printable(reachability.unknown);
  Json changes = Json::array();
  for (const auto& change : reachability.changes.changes) changes.push_back(to_json(change, sources));
  document["changes"] = std::move(changes);
  return document.dump(2, ' ', true);
}

}  // namespace topo::report
