// What else is on the host.
#include <algorithm>

#include "apply/linux_kernel.hpp"
#include "apply/transaction.hpp"
#include "doctor/doctor.hpp"
#include "firewall/iptables/table.hpp"
#include "firewall/nft_chains.hpp"
#include "kernel/netns.hpp"
#include "kernel/sysctl.hpp"
#include "surroundings/meddlers.hpp"

namespace topo::doctor {
namespace {

using Grade = Finding::Grade;
using firewall::Place;

constexpr std::chrono::milliseconds lock_timeout{30'000};

Finding failed(const std::string& subject, const Error& error) {
  return {subject, Grade::problem, error.what + (error.kernel.empty() ? "" : ": " + error.kernel), error.remedy};
}

void add(const std::string& subject, const std::vector<Warning>& warnings, Findings& found) {
  for (const auto& warning : warnings)
    found.push_back({subject, warning.may_go_well ? Grade::warning : Grade::problem, warning.what, warning.remedy});
}

/// All that a firewall can let pass to the outside, from there, and to the host.
Firewall everything() {
  Firewall all;
  all.forwards_v4 = all.forwards_v6 = true;
  for (const Family family : {Family::v4, Family::v6}) {
    netfilter::Rule rule;
    rule.target.kind = netfilter::Target::Kind::dnat;
    all.rules.chains[{family, netfilter::Table::nat, "any"}].push_back(std::move(rule));
    netfilter::Rule jump, member;
    jump.target.kind = netfilter::Target::Kind::jump;
    jump.target.chain = "in";
    member.in = netfilter::Maybe<std::string>{"any", false};
    member.target.kind = netfilter::Target::Kind::return_;
    all.rules.jumps[{family, netfilter::Table::filter, "INPUT"}].push_back(std::move(jump));
    all.rules.chains[{family, netfilter::Table::filter, "in"}].push_back(std::move(member));
  }
  return all;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Which tables there are; topo's own are among them.
Finding tables_in_use(const Place& place) {
  const char* const subject = "firewalls in use";
  const auto legacy = firewall::existing_tables(place);
  if (!legacy) return failed(subject, legacy.error());
  std::vector<std::string> names;
  for (const auto& id : *legacy) names.push_back("legacy " + std::string(id.family == Family::v4 ? "ip " : "ip6 ") + id.name());
  for (const auto& table : firewall::nft_tables(place)) names.push_back("nft " + table);
  return {subject, names.empty() ? Grade::ok : Grade::note, names.empty() ? "none" : joined(names), {}};
}

std::string value_of(const std::string& setting) {
  const auto value = kernel::read_sysctl(setting);
  return value && *value ? **value : std::string();
}

/// The settings of the host that people ask after; topo gets along with any of them.
Findings settings() {
  Findings found;
  const bool strict = value_of("net/ipv4/conf/all/rp_filter") == "1";
  found.push_back({"reverse path filter", Grade::ok, strict ? "strict for all; topo's own interfaces are exempt" : "not strict for all", {}});
  const bool forwards = value_of("net/ipv4/ip_forward") == "1";
  found.push_back({"forwarding", Grade::ok, forwards ? "on" : "off; topo turns it on where it needs it, by interface", {}});
  const bool bridged = value_of("net/bridge/bridge-nf-call-iptables") == "1";
  found.push_back({"bridged traffic",
                   bridged ? Grade::note : Grade::ok,
                   bridged ? "passes the host's iptables on every bridge (net.bridge.bridge-nf-call-iptables is 1)" : "passes by the host's iptables",
                   {}});
  return found;
}

Findings examine_for(const Patient& patient, FirewallChoice firewall) {
  const std::string subject = patient.name + " on this host";
  Findings found;
  const auto planned = plan_graph(linux_kernels(lock_timeout, {}, firewall), *patient.desired);
  if (!planned) return {failed(subject, planned.error())};
  for (const auto& obstacle : planned->observed.obstacles) {
    const std::string remedy = obstacle.listener ? "topo apply --take-port " + patient.operands : make_way;
    found.push_back({subject, Grade::problem, obstacle.what + ": " + obstacle.why, remedy});
  }
  add(subject, planned->observed.warnings, found);
  if (found.empty()) found.push_back({subject, Grade::ok, {}, {}});
  return found;
}

/// Of no topology in particular.
Findings examine_for_any(const Place& place) {
  Findings found;
  const firewall::Tables tables(place);
  const auto dropping = firewall::warnings(tables, {}, everything());
  if (!dropping) return {failed("the way out and in", dropping.error())};
  add("the way out and in", *dropping, found);
  if (found.empty()) found.push_back({"the way out and in", Grade::ok, {}, {}});
  const auto meddling = surroundings::meddlers({}, {{"", "bridge"}, {"", "veth"}});
  add("new interfaces", meddling, found);
  if (meddling.empty()) found.push_back({"new interfaces", Grade::ok, {}, {}});
  return found;
}

}  // namespace

const char* to_string(Finding::Grade grade) {
  switch (grade) {
    case Grade::ok:
      return "ok";
    case Grade::note:
      return "note";
    case Grade::warning:
      return "warning";
    case Grade::problem:
      return "problem";
    case Grade::missing:
      return "missing";
  }
  return "";
}

Findings examine_host(const std::vector<Patient>& patients, FirewallChoice firewall) {
  const auto home = kernel::own_namespace();
  if (!home) return {failed("this host", home.error())};
  const Place place{"", home->get(), home->get()};
  Findings found{tables_in_use(place)};
  const auto append = [&](Findings more) { found.insert(found.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end())); };
  append(settings());
  if (patients.empty()) append(examine_for_any(place));
  for (const auto& patient : patients) append(examine_for(patient, firewall));
  return found;
}

}  // namespace topo::doctor
