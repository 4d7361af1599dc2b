#include "cli/show.hpp"

#include "cli/output.hpp"
#include "report/json.hpp"
#include "report/plan_text.hpp"
#include "report/rows.hpp"

namespace topo::cli {

void show_plan(const Plan& plan, const Sources& sources, const Arguments& arguments) {
  report::PlanTextOptions options;
  if (colored(arguments, stdout)) options.paint = report::Paint::colored;
  say(report::plan_text(plan, sources, options));
}

nlohmann::ordered_json to_json(const Plan& plan, const Sources& sources) { return nlohmann::ordered_json::parse(report::plan_json(plan, sources)); }

std::size_t count_of(const Plan& plan, const Sources& sources) { return report::rows_of(plan, sources).rows.size(); }

}  // namespace topo::cli
