#include "desire/statements.hpp"

#include <algorithm>

#include "desire/network.hpp"

namespace topo::network {
namespace {

/// xt_comment holds 255 bytes; what does not fit in one goes on in another of the same key.
constexpr std::size_t longest_statement = 240;

void write_nat(std::vector<std::string>& statements, const std::string& name, const Nat& nat) {
  if (nat.kind == Nat::Kind::masquerade) statements.push_back("nat " + name + " masquerade");
  if (nat.kind == Nat::Kind::snat) statements.push_back("nat " + name + " snat " + nat.to.to_string());
}

void write_zone(std::vector<std::string>& statements, const ZoneSpec& zone) {
  std::vector<std::string> members;
  for (const auto& member : zone.members) {
    const auto* outside = std::get_if<Cidr>(&member.value);
    members.push_back(outside != nullptr ? outside->to_string() : std::get<std::string>(member.value));
  }
  std::sort(members.begin(), members.end());
  std::string statement;
  for (const auto& member : members) {
    if (!statement.empty() && statement.size() + 1 + member.size() > longest_statement) {
      statements.push_back(std::move(statement));
      statement.clear();
    }
    if (statement.empty()) statement = "zone " + zone.name;
    statement += " " + member;
  }
  if (!statement.empty()) statements.push_back(std::move(statement));
}

void write_flows(std::vector<std::string>& statements, const std::string& key, const std::vector<FlowSpec>& flows) {
  for (const auto& flow : flows) {
    for (const auto& statement : statements_of(flow)) statements.push_back(key + " " + statement);
  }
}

}  // namespace

std::vector<std::string> statements_of(const FlowSpec& flow) {
  const std::string ends = flow.from.value + (flow.both_ways ? " <-> " : " -> ") + flow.to.value;
  if (flow.ports.empty()) return {ends};
  std::vector<std::string> statements;
  for (const auto& range : flow.ports) statements.push_back(ends + ports_text({range}));
  return statements;
}

std::string ports_text(const std::vector<PortRange>& ports) {
  std::string text;
  for (const auto& range : ports) {
    text += text.empty() ? ":" : ",";
    if (range.protocol == Protocol::icmp) {
      text += "icmp";
      continue;
    }
    text += std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
    if (range.protocol == Protocol::udp) text += "/udp";
  }
  return text;
}

void write_statements(Network& network) {
  std::vector<std::string>& statements = network.intent.statements;
  for (const auto& segment : network.intent.segments) {
    if (segment.plain) statements.push_back("plain " + segment.interface);
    if (segment.isolated) statements.push_back("isolated " + segment.interface);
    write_nat(statements, segment.interface, segment.nat);
  }
  // Where a rule says NAME[*], which names that were.
  for (const auto& space : network.topology.namespaces) {
    if (space.replicas) statements.push_back("replicas " + space.name + " " + std::to_string(space.replicas->value));
  }
  for (const auto& zone : network.topology.zones) write_zone(statements, zone);
  if (network.intent.default_allow) statements.emplace_back("default allow");
  if (network.intent.reject) statements.emplace_back("reject true");
  write_flows(statements, "allow", network.topology.policy.allow);
  write_flows(statements, "deny", network.topology.policy.deny);
  for (const auto& port : network.topology.ports) statements.push_back("port " + port.text);
  std::sort(statements.begin(), statements.end());
  statements.erase(std::unique(statements.begin(), statements.end()), statements.end());
}

}  // namespace topo::network
