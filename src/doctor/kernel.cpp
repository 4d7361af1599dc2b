// What the kernel can do: tried, not guessed.
#include <algorithm>
#include <array>
#include <iterator>

#include "apply/bridge_filter.hpp"
#include "apply/linux_kernel.hpp"
#include "apply/transaction.hpp"
#include "desire/desire.hpp"
#include "doctor/doctor.hpp"
#include "firewall/modules.hpp"
#include "kernel/netns.hpp"
#include "kernel/private_host.hpp"
#include "topo/load.hpp"

namespace topo::doctor {
namespace {

using Grade = Finding::Grade;

constexpr std::chrono::milliseconds lock_timeout{30'000};

struct Probe {
  const char* subject;
  const char* text;
};
// Each with names and networks of its own, so that they can stand side by side.
constexpr std::array probes{
    Probe{"namespaces, cables",
          "topology: doctor-1\nnamespaces: { d1-a: {}, d1-b: {} }\n"
          "links: [{ between: [d1-a, d1-b], addresses: [10.0.1.1/24, 10.0.1.2/24] }]\n"},
    Probe{"routing rules",
          "topology: doctor-2\nnamespaces: { d2-a: { routes: { default: { via: 10.0.2.2, table: 7 } }, rules: [{ from: 10.0.2.1/32, table: 7 }] }, "
          "d2-b: {} }\nlinks: [{ between: [d2-a, d2-b], addresses: [10.0.2.1/24, 10.0.2.2/24] }]\n"},
    Probe{"bridges, IPv4 policy",
          "topology: doctor-3\nbridges: { d3: { subnet: 10.0.3.0/24 } }\nnamespaces: { d3-a: { attach: d3 } }\npolicy: { reject: true }\n"},
    Probe{"IPv4 NAT, port maps",
          "topology: doctor-4\nbridges: { d4: { subnet: 10.0.4.0/24, nat: masquerade } }\nnamespaces: { d4-a: { attach: d4 } }\n"
          "ports: { 4: d4-a:4 }\n"},
    Probe{"IPv6 policy",
          "topology: doctor-5\nbridges: { d5: { subnet: \"fd00:5::/64\" } }\nnamespaces: { d5-a: { attach: d5 } }\npolicy: { reject: true }\n"},
    Probe{"IPv6 NAT, port maps",
          "topology: doctor-6\nbridges: { d6: { subnet: \"fd00:6::/64\", nat: masquerade } }\nnamespaces: { d6-a: { attach: d6 } }\n"
          "ports: { 6: d6-a:6 }\n"},
    Probe{"plain switches",
          "topology: doctor-7\nbridges: { d7: { address: none }, d7-2: { address: none } }\n"
          "namespaces: { d7-a: { attach: { d7: 10.0.7.1/24 } }, d7-b: { attach: { d7-2: 10.0.7.1/24 } } }\n"},
    Probe{"policy in a bridge",
          "topology: doctor-8\nbridges: { d8: { subnet: [10.0.8.0/24, \"fd00:8::/64\"], isolated: true } }\n"
          "namespaces: { d8-a: { attach: d8 }, d8-b: { attach: d8 } }\n"},
    Probe{"a gateway of its own",
          "topology: doctor-9\ngateway: own\nbridges: { d9: { subnet: [10.0.9.0/24, \"fd00:9::/64\"], nat: masquerade } }\n"
          "namespaces: { d9-a: { attach: d9 } }\n"}};

class Examination {
 public:
  /// `filter`: whether rules that match bridge ports can be tried without the kernel filtering other bridges from then on.
  Examination(Modules modules, Result<void> filter, FirewallChoice firewall) : modules_(modules), filter_(std::move(filter)), firewall_(firewall) {}

  [[nodiscard]] Finding examine(const std::string& subject, const Graph& graph) const {
    if (!filter_ && filters_in_bridges(graph)) return refused(subject, filter_.error(), {"br_netfilter"});
    ApplyOptions options;
    options.lock_first = true;
    const auto outcome = apply_graph(linux_kernels(lock_timeout, {}, firewall_), graph, options);
    return told(subject, outcome ? Result<void>() : outcome.error());
  }

  [[nodiscard]] Finding examine(const Probe& probe) const {
    const Loaded loaded = load_text(probe.text, probe.subject);
    const Desired desired = desire(loaded.topology);
    if (loaded.diagnostics.empty() && desired.diagnostics.empty()) return examine(probe.subject, desired.graph);
    return {probe.subject, Grade::problem, "cannot be tried: the topology for it is not valid", {}};
  }

  /// Of what has just been tried.
  [[nodiscard]] Finding told(const std::string& subject, const Result<void>& outcome) const {
    const auto modules = firewall::take_modules_asked_for();
    return outcome ? Finding{subject, Grade::ok, {}, {}} : refused(subject, outcome.error(), modules);
  }

 private:
  [[nodiscard]] Finding refused(const std::string& subject, const Error& error, const std::vector<std::string>& modules) const {
    Finding finding{subject, error.exit == Exit::unsupported ? Grade::missing : Grade::problem, error.what, error.remedy};
    if (!error.kernel.empty()) finding.words += ": " + error.kernel;
    if (!error.where.empty()) finding.words += " (" + error.where + ")";
    if (modules_ != Modules::leave || std::none_of(modules.begin(), modules.end(), firewall::has_module)) return finding;
    finding.grade = Grade::note;
    finding.words += "; apply loads it";
    finding.remedy = "topo doctor --fix";
    return finding;
  }

  Modules modules_;
  Result<void> filter_;
  FirewallChoice firewall_;
};

/// Of connections that a new policy no longer allows.
Result<void> check_cutting() {
  const auto home = kernel::own_namespace();
  if (!home) return home.error();
  return firewall::check_connections({"", home->get(), home->get()});
}

}  // namespace

Findings examine_kernel(const std::vector<Patient>& patients, Modules modules, FirewallChoice firewall) {
  if (modules != Modules::load) firewall::load_no_modules();
  const Examination examination(modules, provide_bridge_filter(modules == Modules::load), firewall);
  Findings found{examination.told("private hosts", kernel::try_processes())};
  if (auto retired = kernel::retire(); !retired) {
    found.push_back(examination.told("private network", retired));
    return found;
  }
  for (const auto& probe : probes) found.push_back(examination.examine(probe));
  found.push_back(examination.told("cutting connections", check_cutting()));
  // To apply a file takes no process namespace; to run something in it does, and that is all that is left without privilege.
  if (!patients.empty() && modules != Modules::out_of_reach) found.front().grade = std::min(found.front().grade, Grade::warning);
  for (auto finding = std::next(found.begin()); finding != found.end(); ++finding) {
    if (!patients.empty()) finding->grade = std::min(finding->grade, Grade::note);
  }
  for (const auto& patient : patients) found.push_back(examination.examine(patient.name + " on this kernel", *patient.desired));
  return found;
}

Finding examine_user_namespaces(bool is_needed) {
  const std::string subject = "user namespaces";
  if (const auto ban = kernel::user_namespace_ban()) {
    const std::string words = "topo run needs root here: this machine keeps them from users without privilege (" + ban->setting + ")";
    return {subject, is_needed ? Grade::missing : Grade::warning, words, ban->remedy};
  }
  return {subject, Grade::ok, {}, {}};
}

}  // namespace topo::doctor
