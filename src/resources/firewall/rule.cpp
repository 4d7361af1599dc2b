#include "resources/firewall/rule.hpp"

#include <array>
#include <utility>

#include "resources/firewall/protocol_name.hpp"

namespace topo::netfilter {
namespace {

std::string range_text(const Ports& ports, char dash) {
  return std::to_string(ports.first) + (ports.first == ports.last ? std::string() : dash + std::to_string(ports.last));
}

std::string hexadecimal(std::uint32_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (; number != 0 || text.empty(); number /= 16) text.insert(text.begin(), digits[number % 16]);
  return "0x" + text;
}

/// In quotes where a shell or iptables-restore would not take it as one word.
std::string quoted(std::string_view text) {
  const bool plain = text.find_first_not_of("_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
  if (plain && !text.empty()) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '\'') out += '\\';
    out += c;
  }
  return out + '"';
}

template <class T, class Print>
void say(std::string& out, const std::optional<Maybe<T>>& match, std::string_view option, Print print) {
  if (!match) return;
  if (match->negated) out += "! ";
  out += option;
  out += ' ' + print(match->value) + ' ';
}

void say_header(std::string& out, const Rule& rule) {
  const auto network = [](const Cidr& cidr) { return cidr.network().to_string(); };
  const auto name = [](const std::string& text) { return text; };
  say(out, rule.source, "-s", network);
  say(out, rule.destination, "-d", network);
  say(out, rule.in, "-i", name);
  say(out, rule.out, "-o", name);
  if (rule.protocol) out += "-p " + protocol_name(*rule.protocol) + ' ';
}

void say_protocol(std::string& out, const Rule& rule, Family family) {
  if (rule.source_ports || rule.destination_ports) out += "-m " + protocol_name(rule.protocol.value_or(0)) + ' ';
  if (rule.source_ports) out += "--sport " + range_text(*rule.source_ports, ':') + ' ';
  if (rule.destination_ports) out += "--dport " + range_text(*rule.destination_ports, ':') + ' ';
  if (!rule.icmp_type) return;
  out += family == Family::v4 ? "-m icmp --icmp-type " : "-m icmp6 --icmpv6-type ";
  out += std::to_string(*rule.icmp_type) + ' ';
}

void say_groups(std::string& out, const Rule& rule) {
  if (!rule.in_group && !rule.out_group) return;
  const auto group = [](const DeviceGroup& g) { return hexadecimal(g.value) + (g.mask == 0xffffffff ? std::string() : '/' + hexadecimal(g.mask)); };
  out += "-m devgroup ";
  say(out, rule.in_group, "--src-group", group);
  say(out, rule.out_group, "--dst-group", group);
}

void say_states(std::string& out, const Rule& rule) {
  constexpr std::array<std::pair<std::uint8_t, std::string_view>, 7> names{{{ct_invalid, "INVALID"},
                                                                            {ct_new, "NEW"},
                                                                            {ct_related, "RELATED"},
                                                                            {ct_established, "ESTABLISHED"},
                                                                            {ct_untracked, "UNTRACKED"},
                                                                            {ct_snat, "SNAT"},
                                                                            {ct_dnat, "DNAT"}}};
  if (rule.states == 0) return;
  out += rule.states_negated ? "-m conntrack ! --ctstate " : "-m conntrack --ctstate ";
  std::string list;
  for (const auto& [bit, name] : names) {
    if ((rule.states & bit) == 0) continue;
    if (!list.empty()) list += ',';
    list += name;
  }
  out += list + ' ';
  if (rule.reply) out += "--ctdir REPLY ";
}

void say_address_types(std::string& out, const Rule& rule) {
  const auto name = [](AddressType type) {
    return type == AddressType::local ? "LOCAL" : type == AddressType::broadcast ? "BROADCAST" : "MULTICAST";
  };
  if (!rule.source_type && !rule.destination_type) return;
  out += "-m addrtype ";
  if (rule.source_type) out += std::string("--src-type ") + name(*rule.source_type) + ' ';
  if (rule.destination_type) out += std::string("--dst-type ") + name(*rule.destination_type) + ' ';
}

void say_bridge_ports(std::string& out, const Rule& rule) {
  if (!rule.physical_in && !rule.physical_out && !rule.bridged) return;
  out += "-m physdev ";
  if (rule.physical_in) out += "--physdev-in " + *rule.physical_in + ' ';
  if (rule.physical_out) out += "--physdev-out " + *rule.physical_out + ' ';
  if (rule.bridged) out += "--physdev-is-bridged ";
}

std::string translation(const Target& target) {
  std::string text;
  if (target.address) {
    text = target.address->to_string();
    if (target.ports && target.address->family() == Family::v6) text = '[' + text + ']';
  }
  if (target.ports) text += ':' + range_text(*target.ports, '-');
  if (target.base) text += '/' + std::to_string(*target.base);
  return text;
}

std::string target_text(const Target& target, Family family) {
  switch (target.kind) {
    case Target::Kind::accept:
      return "-j ACCEPT";
    case Target::Kind::drop:
      return "-j DROP";
    case Target::Kind::return_:
      return "-j RETURN";
    case Target::Kind::jump:
      return "-j " + target.chain;
    case Target::Kind::go_to:
      return "-g " + target.chain;
    case Target::Kind::reject:
      if (target.reject == Target::Reject::tcp_reset) return "-j REJECT --reject-with tcp-reset";
      return family == Family::v4 ? "-j REJECT --reject-with icmp-admin-prohibited" : "-j REJECT --reject-with icmp6-adm-prohibited";
    case Target::Kind::dnat:
      return "-j DNAT --to-destination " + translation(target);
    case Target::Kind::snat:
      return "-j SNAT --to-source " + translation(target);
    case Target::Kind::masquerade:
      return "-j MASQUERADE";
    case Target::Kind::zone:
      return "-j CT --zone " + std::to_string(target.zone);
  }
  return {};
}

void add_table(std::string& out, const Ruleset& rules, Family family, Table table) {
  std::string declared, appended;
  const auto add = [&](const ChainId& id, const std::vector<Rule>& chain) {
    if (id.family != family || id.table != table) return;
    for (const Rule& rule : chain) appended += "-A " + id.name + ' ' + to_string(rule, family) + '\n';
  };
  for (const auto& [id, chain] : rules.chains) {
    if (id.family == family && id.table == table) declared += ':' + id.name + " - [0:0]\n";
    add(id, chain);
  }
  for (const auto& [id, chain] : rules.jumps) add(id, chain);
  if (declared.empty() && appended.empty()) return;
  out += '*' + to_string(table) + '\n';
  out += declared + appended + "COMMIT\n";
}

}  // namespace

std::string to_string(Table table) { return table == Table::filter ? "filter" : table == Table::nat ? "nat" : "raw"; }

std::string to_string(const Rule& rule, Family family) {
  if (!rule.opaque.empty()) return "(a rule that topo did not write)";
  std::string out;
  say_header(out, rule);
  say_protocol(out, rule, family);
  say_groups(out, rule);
  say_states(out, rule);
  say_address_types(out, rule);
  say_bridge_ports(out, rule);
  if (!rule.comment.empty()) out += "-m comment --comment " + quoted(rule.comment) + ' ';
  return out + target_text(rule.target, family);
}

std::string to_restore_text(const Ruleset& rules, Family family) {
  std::string out;
  for (const Table table : {Table::filter, Table::nat, Table::raw}) add_table(out, rules, family, table);
  return out;
}

}  // namespace topo::netfilter
