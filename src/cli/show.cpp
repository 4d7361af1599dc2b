#include "cli/show.hpp"

#include "cli/output.hpp"
#include "report/json.hpp"
#include "report/plan_text.hpp"
#include "report/rows.hpp"

namespace topo::cli {

void show_plan(const Plan& plan, const Sources& sources, const report::Reachability& reachability, const Arguments& arguments, FILE* stream) {
  report::PlanTextOptions options;
  options.reachability = &reachability;
  if (colored(arguments, stream)) options.paint = report::Paint::colored;
  const std::string text = report::plan_text(plan, sources, options);
  stream == stdout ? say(text) : complain(text);
}

nlohmann::ordered_json to_json(const Plan& plan, const Sources& sources, const report::Reachability* reachability) {
  return nlohmann::ordered_json::parse(report::plan_json(plan, sources, reachability));
}

std::size_t count_of(const Plan& plan) { return report::count_of_rows(plan); }

}  // namespace topo::cli
