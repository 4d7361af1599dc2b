#include "simulation/simulated_kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace topo::test {
namespace {

/// As kernel::kernel_error has it.
Error refused(const std::string& what, int error, const std::string& where = {}) {
  Error failure{Exit::rolled_back, what, where, std::strerror(error), {}, {}};
  if (error == EPERM) failure.remedy = "run topo as root";
  if (error == EPERM || error == EOPNOTSUPP) failure.exit = Exit::unsupported;
  return failure;
}

/// What a removal waits for: first what stands on links, then the links, then the rest.
int stage_of(const Change& change) {
  const Resource& resource = *change.before;
  if (std::holds_alternative<Veth>(resource) || std::holds_alternative<Bridge>(resource)) return 1;
  return std::holds_alternative<Firewall>(resource) || std::holds_alternative<Namespace>(resource) ? 2 : 0;
}

}  // namespace

Kernels Simulation::kernels() {
  return [this]() -> Result<std::unique_ptr<Kernel>> { return std::unique_ptr<Kernel>(std::make_unique<SimulatedKernel>(*this)); };
}

Result<void> Simulation::begin_operation(const std::string& what, const std::function<void()>& halfway) {
  const std::size_t number = operations++;
  if (intruder && number == intrudes_at) intruder(machine);
  if (!fault || !(fault->lasting ? number >= fault->at : number == fault->at)) return {};
  if (fault->halfway && halfway) halfway();
  return refused(what, fault->error);
}

Result<Graph> SimulatedKernel::observe(const Graph& desired) {
  if (auto begun = simulation_.begin_operation("cannot read from the kernel"); !begun) return std::move(begun).error();
  return simulation_.machine.observe(desired);
}

Result<Hindrances> SimulatedKernel::find_hindrances(const Graph& desired) {
  if (auto begun = simulation_.begin_operation("cannot read from the kernel"); !begun) return std::move(begun).error();
  return simulation_.machine.find_hindrances(desired);
}

Result<void> SimulatedKernel::perform(const Plan& plan, const std::function<bool()>& stop) {
  auto done = perform_changes(plan, stop);
  if (!done) {
    for (const std::string& ns : unnamed_) simulation_.machine.end_namespace(ns);
  }
  unnamed_.clear();
  return done;
}

Result<void> SimulatedKernel::perform_changes(const Plan& plan, const std::function<bool()>& stop) {
  std::vector<const Change*> changes;
  for (const Change& change : plan.changes) {
    if (!change.implied) changes.push_back(&change);
  }
  const auto arrivals = std::find_if(changes.begin(), changes.end(), [](const Change* change) { return change->after.has_value(); });
  std::stable_sort(changes.begin(), arrivals, [](const Change* a, const Change* b) { return stage_of(*a) < stage_of(*b); });
  const auto interrupted = [&] { return stop && stop(); };
  for (const Change* change : changes) {
    if (interrupted()) return Error{Exit::interrupted, "interrupted", {}, {}, {}, {}};
    if (auto done = perform_one(*change, plan.topology); !done) return done;
  }
  const std::set<std::string> to_name = unnamed_;
  for (const std::string& ns : to_name) {
    if (interrupted()) return Error{Exit::interrupted, "interrupted", {}, {}, {}, {}};
    if (auto begun = simulation_.begin_operation("cannot give namespace " + ns + " its name"); !begun) return begun;
    unnamed_.erase(ns);
  }
  return {};
}

Result<void> SimulatedKernel::perform_one(const Change& change, const std::string& topology) {
  Machine& machine = simulation_.machine;
  const Resource& resource = change.after ? *change.after : *change.before;
  const std::string verb = !change.after ? "remove " : change.action == Change::Action::modify ? "change " : "add ";
  const std::string what = "cannot " + verb + std::string(kind_of(resource)) + " " + title_of(resource);
  ++simulation_.changes;
  const auto* ns = std::get_if<Namespace>(&resource);
  const bool makes_namespace = change.after && ns != nullptr && !machine.things().contains(id_of(resource));
  auto begun = simulation_.begin_operation(what, [&] {
    if (!makes_namespace) machine.begin(change, topology);
  });
  if (!begun) return begun;
  Answer answer;
  if (!change.after) {
    answer = machine.remove(resource);
  } else if (change.action == Change::Action::modify) {
    answer = machine.modify(resource, topology);
  } else {
    answer = machine.create(resource, topology);
  }
  if (answer) return refused(what, answer->error, answer->why);
  if (makes_namespace) unnamed_.insert(ns->name);
  return {};
}

}  // namespace topo::test
