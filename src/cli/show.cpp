#include "cli/show.hpp"

#include "cli/output.hpp"
#include "topo/names.hpp"

namespace topo::cli {

void show_plan(const Plan& plan, const Sources& sources, const Arguments& arguments) {
  (void)arguments;
  for (const auto& c : plan.changes) {
    const Resource& r = c.after ? *c.after : *c.before;
    const char* sign = c.action == Change::Action::add      ? "+"
                       : c.action == Change::Action::remove ? "-"
                       : c.action == Change::Action::modify ? "~"
                                                            : "-/+";
    std::string line = std::string("  ") + (c.repair ? "! " : "") + sign + " " + std::string(kind_of(r)) + " " + title_of(r) + " " + summary_of(r);
    for (const auto& d : c.differences) line += " [" + d.attribute + ": " + d.before + " -> " + d.after + "]";
    say(printable(line + " " + to_string(c.origin, sources)));
  }
  say(plan.topology + ": " + std::to_string(plan.changes.size()) + " changes");
}
nlohmann::ordered_json to_json(const Plan& plan, const Sources&) { return {{"topology", plan.topology}, {"changes", plan.changes.size()}}; }
std::vector<std::string> ports_of(const Graph&) { return {}; }

}  // namespace topo::cli
