#include "apply/settle.hpp"

#include <algorithm>

#include "policy/compile.hpp"

namespace topo {
namespace {

/// The backend that the topology has; nullopt where it has none, or is between two.
std::optional<Backend> present_backend(const Graph& live) {
  const auto found = backends_of(live.all<Firewall>());
  return found.size() == 1 ? std::optional(*found.begin()) : std::nullopt;
}

Error no_firewall(const Graph& desired, const std::string& need, bool chosen) {
  const std::string what = "topology " + desired.topology() + " needs a firewall: " + need;
  if (chosen) return {Exit::unsupported, what, {}, {}, "leave out --firewall none (or TOPO_FIREWALL)", {}};
  return {Exit::unsupported,
          what,
          {},
          "the kernel has neither nf_tables nor the legacy tables of iptables",
          "modprobe nf_tables, or modprobe ip_tables; or a kernel that has one of them",
          {}};
}

/// What the choice comes to on this machine; nullopt: no backend.
Result<std::optional<Backend>> backend_by(FirewallChoice choice, const Graph& live, const firewall::Tables& gateway, const std::string& topology) {
  if (choice == FirewallChoice::iptables) return std::optional(Backend::iptables);
  if (choice == FirewallChoice::nftables) return std::optional(Backend::nftables);
  if (choice == FirewallChoice::none) return std::optional<Backend>();
  if (const auto present = present_backend(live)) return present;
  return firewall::suitable_backend(gateway, topology);
}

/// Without its firewalls; the Error where one is needed.
Result<std::optional<Graph>> without_firewalls(const Graph& desired, const std::vector<const Firewall*>& wanted, bool chosen) {
  Graph bare = desired;
  for (const Firewall* firewall : wanted) {
    if (firewall->meant == nullptr) continue;
    if (const auto need = policy::need_of_firewall(*firewall->meant)) return no_firewall(desired, *need, chosen);
    bare.erase(id_of(*firewall));
  }
  return std::optional(std::move(bare));
}

}  // namespace

Result<std::optional<Graph>> settle_firewalls(const Graph& desired, const Graph& live, FirewallChoice choice, bool applied,
                                              const firewall::Tables& gateway) {
  const auto wanted = desired.all<Firewall>();
  if (std::none_of(wanted.begin(), wanted.end(), [](const Firewall* firewall) { return firewall->meant != nullptr; })) return std::optional<Graph>();
  const auto there = applied ? present_backend(live) : std::nullopt;
  const auto backend = there ? Result<std::optional<Backend>>(there) : backend_by(choice, live, gateway, desired.topology());
  if (!backend) return backend.error();
  if (!*backend && applied) return std::optional<Graph>();
  if (!*backend) return without_firewalls(desired, wanted, choice == FirewallChoice::none);
  std::optional<Graph> settled;
  for (const Firewall* firewall : wanted) {
    const bool compiled = **backend == Backend::iptables ? !firewall->rules.empty() : !firewall->tables.empty();
    if (compiled || firewall->meant == nullptr) continue;
    if (!settled) settled = desired;
    settled->put(policy::compile(firewall->meant, firewall->ns, **backend), desired.find(id_of(*firewall))->origin);
  }
  return settled;
}

}  // namespace topo
