#include "report/json.hpp"

#include <nlohmann/json.hpp>

#include "report/rows.hpp"
#include "topo/names.hpp"

namespace topo::report {
namespace {

using Json = nlohmann::ordered_json;

const char* name_of(Change::Action action) {
  switch (action) {
    case Change::Action::add:
      return "add";
    case Change::Action::remove:
      return "remove";
    case Change::Action::modify:
      return "modify";
    case Change::Action::recreate:
      return "recreate";
  }
  return "";
}

Json to_json(const Change& change, const Sources& sources) {
  const Resource& resource = change.after ? *change.after : *change.before;
  Json entry{{"action", name_of(change.action)},
             {"repair", change.repair},
             {"kind", kind_of(resource)},
             {"id", printable(id_of(resource))},
             {"title", printable(title_of(resource))}};
  if (change.implied) entry["implied"] = true;
  if (change.before) entry["before"] = printable(summary_of(*change.before));
  if (change.after) entry["after"] = printable(summary_of(*change.after));
  if (!change.differences.empty()) {
    Json differences = Json::array();
    for (const Difference& difference : change.differences) {
      differences.push_back(
          {{"attribute", printable(difference.attribute)}, {"before", printable(difference.before)}, {"after", printable(difference.after)}});
    }
    entry["differences"] = std::move(differences);
  }
  if (change.origin.line != 0 && change.origin.source < sources.size()) {
    entry["file"] = printable(sources[change.origin.source].name);
    entry["line"] = change.origin.line;
  }
  return entry;
}

Json to_json(const Row& row) { return {{"sign", to_text(row.sign)}, {"kind", row.kind}, {"title", row.title}, {"what", row.what}, {"why", row.why}}; }

}  // namespace

std::string plan_json(const Plan& plan, const Sources& sources, const Reachability* reachability) {
  const Rows told = rows_of(plan, sources, reachability);
  Json changes = Json::array();
  for (const Change& change : plan.changes) changes.push_back(to_json(change, sources));
  Json rows = Json::array();
  for (const Row& row : told.rows) rows.push_back(to_json(row));
  Json document{{"topology", printable(plan.topology)},
                      {"differs", !plan.empty()},
                      {"summary", std::move(rows)},
                      {"also_hit", told.hit},
                      {"namespaces_recreated", told.namespaces_recreated},
                      {"changes", std::move(changes)}};
  if (reachability != nullptr) document["reachability"] = Json::parse(reachability_json(*reachability, sources));
  return document.dump(2, ' ', true);
}

}  // namespace topo::report
