#include "topo/reconcile.hpp"

#include <utility>

#include "apply/linux_kernel.hpp"
#include "apply/state.hpp"
#include "apply/transaction.hpp"
#include "desire/desire.hpp"
#include "reach/expectations.hpp"
#include "report/rows.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

Result<Graph> desired_graph(const Topology& topology) {
  Desired desired = desire(topology);
  if (desired.diagnostics.empty()) desired.diagnostics = reach::unmet_expectations(topology, desired);
  if (desired.diagnostics.empty()) return std::move(desired.graph);
  Error error{Exit::invalid, "the topology " + topology.name.value + " is not valid", {}, {}, {}, {}};
  for (const auto& diagnostic : desired.diagnostics) error.details.push_back(render(diagnostic, topology.sources));
  return error;
}

Reconciled told(const Plan& plan, const Sources& sources, std::vector<std::string> warnings) {
  Reconciled result{{}, std::move(warnings)};
  for (auto& row : report::rows_of(plan, sources).rows) {
    result.steps.push_back({report::to_text(row.sign), std::move(row.kind), std::move(row.title), std::move(row.what), std::move(row.why)});
  }
  return result;
}

/// `keep` brings the record of what was last applied up to date, under the locks; that it cannot is no more than a warning.
Result<Reconciled> perform(const Graph& graph, const Sources& sources, const ReconcileOptions& options, const std::function<Result<void>()>& keep) {
  std::vector<std::string> warnings;
  ApplyOptions apply_options;
  apply_options.lock_timeout = options.lock_timeout;
  apply_options.take_port = options.take_port;
  apply_options.interrupts = options.interrupts;
  apply_options.lock_first = true;
  apply_options.done = [&] {
    if (auto kept = keep(); !kept) warnings.push_back(kept.error().to_string());
  };
  auto outcome = apply_graph(linux_kernels(options.lock_timeout, {}, options.firewall), graph, apply_options);
  if (!outcome) return outcome.error();
  const auto told_by_apply = to_strings(outcome->warnings);
  warnings.insert(warnings.end(), told_by_apply.begin(), told_by_apply.end());
  return told(outcome->plan, sources, std::move(warnings));
}

}  // namespace

Result<Reconciled> plan_topology(const Topology& topology, const ReconcileOptions& options) {
  const auto graph = desired_graph(topology);
  if (!graph) return graph.error();
  auto planned = plan_graph(linux_kernels(options.lock_timeout, {}, options.firewall), *graph);
  if (!planned) return planned.error();
  if (auto conflict = conflict_of(planned->observed, topology.name.value, options.take_port)) return *std::move(conflict);
  return told(planned->plan, topology.sources, to_strings(planned->observed.warnings));
}

Result<Reconciled> apply_topology(const Topology& topology, const ReconcileOptions& options) {
  const auto graph = desired_graph(topology);
  if (!graph) return graph.error();
  return perform(*graph, topology.sources, options, [&] { return record(topology.name.value, {topology.sources, {}}); });
}

Result<Reconciled> destroy_topology(const std::string& name, const ReconcileOptions& options) {
  if (const auto problem = topology_name_problem(name))
    return Error{Exit::invalid, "the topology name '" + printable(name) + "' " + *problem, {}, {}, {}, {}};
  return perform(Graph(name), {}, options, [&] { return forget(name); });
}

}  // namespace topo
