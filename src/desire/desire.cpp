#include "desire/desire.hpp"

#include <algorithm>
#include <optional>

#include "desire/emit.hpp"
#include "desire/network.hpp"
#include "policy/compile.hpp"

namespace topo {
namespace {

void put_firewall(Graph& graph, const policy::Intent& intent, const std::string& ns, const Position& at) {
  if (intent.empty()) return;
  Firewall firewall = policy::compile(intent, ns);
  if (!firewall.rules.empty() || firewall.forwards_v4 || firewall.forwards_v6) graph.put(std::move(firewall), at);
}

bool has_family(const network::Network& network, const network::Space& space, Family family) {
  const auto of_family = [&](const auto& address) { return address.value.family() == family; };
  const auto on_interface = [&](const network::EndRef& ref) {
    const auto& addresses = network.end(ref).addresses;
    return std::any_of(addresses.begin(), addresses.end(), of_family);
  };
  return std::any_of(space.loopback.begin(), space.loopback.end(), of_family) ||
         std::any_of(space.interfaces.begin(), space.interfaces.end(), on_interface);
}

/// NAT in a namespace: the firewall there knows nothing else.
void put_interface_nat(Graph& graph, const network::Network& network, const network::Space& space) {
  policy::Intent intent;
  intent.topology = network.topology.name.value;
  const bool v4 = has_family(network, space, Family::v4);
  const bool v6 = has_family(network, space, Family::v6);
  for (const auto& [interface, nat] : space.spec->nat) intent.interface_nat.push_back({interface.value, nat, v4, v6});
  std::sort(intent.interface_nat.begin(), intent.interface_nat.end(), [](const auto& a, const auto& b) { return a.interface < b.interface; });
  if (!intent.interface_nat.empty()) put_firewall(graph, intent, space.name, space.spec->nat.front().first.at);
}

/// Fills the network and takes the mistakes out of it; nullopt where there is nothing to make sense of.
std::optional<std::vector<Diagnostic>> resolve(network::Network& network) {
  network.intent.topology = network.topology.name.value;
  if (!network::expand(network)) return std::nullopt;
  network::allocate(network);
  network::check_meetings(network);
  network::place_members(network);
  network::resolve_policy(network);
  network::resolve_routes(network);
  network::resolve_answers(network);
  network::resolve_ports(network);
  network::check_settings(network);
  network::write_statements(network);
  std::vector<Diagnostic> mistakes = network.mistakes.take();
  tidy(mistakes);
  return mistakes;
}

}  // namespace

std::vector<Diagnostic> check(const Topology& topology) {
  network::Network network{topology};
  return resolve(network).value_or(std::vector<Diagnostic>{});
}

Desired desire(const Topology& topology) {
  network::Network network{topology};
  Desired desired{Graph(topology.name.value), {}, {}};
  auto mistakes = resolve(network);
  if (!mistakes) return desired;
  desired.diagnostics = std::move(*mistakes);
  // What is wrong is not compiled: the intent may be anything.
  if (desired.diagnostics.empty()) {
    policy::needs_bridge_filter(network.intent);
    desired.graph = network::graph_of(network);
    put_firewall(desired.graph, network.intent, {}, topology.policy.at);
    for (const auto& space : network.spaces) put_interface_nat(desired.graph, network, space);
  }
  desired.intent = std::move(network.intent);
  return desired;
}

}  // namespace topo
