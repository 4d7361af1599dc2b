#include "desire/desire.hpp"

#include <algorithm>
#include <optional>

#include "desire/emit.hpp"
#include "desire/network.hpp"
#include "desire/uplinks.hpp"
#include "policy/compile.hpp"
#include "policy/gateway.hpp"

namespace topo {
namespace {

void put_firewall(Graph& graph, const policy::Intent& intent, const std::string& ns, const Position& at) {
  if (intent.empty()) return;
  Firewall firewall = policy::compile(intent, ns);
  if (!firewall.rules.empty() || firewall.forwards_v4 || firewall.forwards_v6) graph.put(std::move(firewall), at);
}

/// The policy's: one where the gateway is the host, else one on each side of the uplinks.
void put_gateway_firewalls(Graph& graph, const network::Network& network) {
  const Position& at = network.topology.policy.at;
  const std::string gateway = network.gateway_ns();
  if (gateway.empty()) return put_firewall(graph, network.intent, {}, at);
  const std::vector<std::string> uplinks = network::uplinks_of(network);
  put_firewall(graph, policy::at_host(network.intent, uplinks), {}, at);
  put_firewall(graph, policy::at_gateway(network.intent, uplinks), gateway, at);
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

/// The length of the token at the front of `rest`, quotes included.
std::size_t token_length(std::string_view rest) {
  rest = rest.substr(0, rest.find('\n'));
  if (rest.front() == '"' || rest.front() == '\'') return std::min(rest.find(rest.front(), 1), rest.size() - 1) + 1;
  std::size_t end = rest.find_first_of(",]}#");
  if (end != std::string_view::npos && end >= 2 && rest.substr(end - 2, 3) == "[*]") end = rest.find_first_of(",]}#", end + 1);
  return rest.substr(0, std::min(end, rest.find(": "))).find_last_not_of(" \t\r:") + 1;
}

/// The lengths are those of values, which may be derived or longer than what is written: only the token is underlined.
void underline_tokens(std::vector<Diagnostic>& diagnostics, const Sources& sources) {
  std::vector<std::vector<std::size_t>> lines(sources.size());
  for (auto& diagnostic : diagnostics) {
    const Position& at = diagnostic.at;
    if (at.line == 0 || at.column == 0 || at.source >= sources.size()) continue;
    const std::string_view text = sources[at.source].text;
    auto& starts = lines[at.source];
    if (starts.empty()) {
      starts.push_back(0);
      for (std::size_t i = text.find('\n'); i != std::string_view::npos; i = text.find('\n', i + 1)) starts.push_back(i + 1);
    }
    if (at.line > starts.size() || starts[at.line - 1] + at.column > text.size()) continue;
    const std::string_view rest = text.substr(starts[at.line - 1] + at.column - 1);
    const bool quoted = rest.front() == '"' || rest.front() == '\'';
    const auto length = static_cast<std::uint16_t>(std::clamp<std::size_t>(token_length(rest), 1, 200));
    if (diagnostic.length > 1 && (quoted || diagnostic.length > length)) diagnostic.length = length;
  }
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
  network::resolve_rules(network);
  network::resolve_answers(network);
  network::resolve_ports(network);
  network::check_settings(network);
  network::check_gateway(network);
  network::check_inside(network);
  network::write_statements(network);
  std::vector<Diagnostic> mistakes = network.mistakes.take();
  tidy(mistakes);
  underline_tokens(mistakes, network.topology.sources);
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
    put_gateway_firewalls(desired.graph, network);
    for (const auto& space : network.spaces) put_interface_nat(desired.graph, network, space);
  }
  desired.intent = std::move(network.intent);
  return desired;
}

}  // namespace topo
