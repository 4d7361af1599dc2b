#include <set>

#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

const char* const flow_form = "a flow is A -> B, A <-> B, A -> B:3306, A -> B:8000-8010/udp or A -> B:icmp";

std::string text_of(const PortRange& range) {
  if (range.protocol == Protocol::icmp) return "icmp";
  std::string text = std::to_string(range.first);
  if (range.last != range.first) text += "-" + std::to_string(range.last);
  return range.protocol == Protocol::udp ? text + "/udp" : text;
}

/// "3306", "8000-8010/udp" or "icmp". The problem in words, or empty.
std::string parse_range(std::string_view text, PortRange& range) {
  if (text == "icmp") {
    range = {Protocol::icmp, 0, 65535};
    return {};
  }
  Ports ports;
  std::string problem = take_protocol(text, range.protocol);
  if (problem.empty()) problem = parse_ports(text, ports);
  range.first = ports.first;
  range.last = ports.last;
  return problem;
}

struct Word {
  std::string_view text;
  std::size_t offset;
};

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t begin = text.find_first_not_of(" \t"); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    words.push_back({text.substr(begin, end - begin), begin});
    begin = text.find_first_not_of(" \t", end);
  }
  return words;
}

bool read_short_flow(Reading& reading, const Node& node, FlowSpec& flow) {
  auto& mistakes = reading.mistakes;
  const auto words = words_of(node.text);
  const auto refuse = [&](const Word& word, const std::string& problem, const std::string& hint) {
    mistakes.add(mistakes.within(node, word.offset), word.text, problem, hint);
    return false;
  };
  if (words.size() != 3 || (words[1].text != "->" && words[1].text != "<->")) {
    const bool arrow = node.text.find("->") != std::string::npos;
    const bool tight = arrow && words.size() < 3;
    mistakes.add(node, in_quotes(node.text) + " is not a flow", tight ? "spaces stand around the arrow: A -> B" : flow_form);
    return false;
  }
  flow.both_ways = words[1].text == "<->";
  if (const auto colon = words[0].text.find(':'); colon != std::string_view::npos) {
    return refuse(words[0], "ports belong to the right side of a flow", flow_form);
  }
  flow.from = {std::string(words[0].text), mistakes.within(node, words[0].offset)};
  const auto colon = words[2].text.find(':');
  flow.to = {std::string(words[2].text.substr(0, colon)), mistakes.within(node, words[2].offset)};
  if (flow.to.value.empty()) return refuse(words[2], in_quotes(node.text) + " is not a flow", flow_form);
  if (colon == std::string_view::npos) return true;
  const auto ports = words[2].text.substr(colon + 1);
  PortRange range;
  if (const auto problem = parse_range(ports, range); !problem.empty()) {
    const bool several = ports.find(',') != std::string_view::npos;
    return refuse({ports, words[2].offset + colon + 1}, problem, several ? "several ports: {from: A, to: B, ports: [80, 443]}" : flow_form);
  }
  flow.ports.push_back(range);
  return true;
}

void read_side(Reading& reading, const Node& value, std::string_view what, Located<std::string>& side) {
  if (is_scalar(reading.mistakes, value, what, "a name")) side = {value.text, value.at};
}

void read_flow_ports(Reading& reading, const Node& value, FlowSpec& flow) {
  std::set<std::string> seen;
  for_one_or_each(reading.mistakes, value, "ports", [&](const Node& item) {
    if (!is_scalar(reading.mistakes, item, "ports", "PORT[-PORT][/tcp|/udp] or icmp")) return;
    PortRange range;
    if (const auto problem = parse_range(item.text, range); !problem.empty()) return reading.mistakes.add(item, problem, "ports: [53/udp, 53/tcp]");
    if (!seen.insert(text_of(range)).second) return reading.mistakes.add(item, in_quotes(item.text) + " is listed twice");
    flow.ports.push_back(range);
  });
}

constexpr Key<FlowSpec> flow_keys[]{
    {"from", [](Reading& reading, const Node& value, FlowSpec& flow) { read_side(reading, value, "from", flow.from); }},
    {"to", [](Reading& reading, const Node& value, FlowSpec& flow) { read_side(reading, value, "to", flow.to); }},
    {"ports", read_flow_ports},
};

bool read_flow(Reading& reading, const Node& node, FlowSpec& flow) {
  flow.at = node.at;
  if (node.is_scalar()) {
    if (!read_short_flow(reading, node, flow)) return false;
  } else if (node.is_map() && node.pairs() == 1 && node.key(0).text.find("->") != std::string::npos) {
    reading.mistakes.add(node.key(0), "a port is missing after the \":\"", flow_form);
    return false;
  } else if (node.is_map()) {
    read_keys(reading, node, "a flow", flow_keys, flow);
    for (const char* side : {"from", "to"}) {
      if (!gives(node, side, names_of(flow_keys))) reading.mistakes.add(node, "a flow needs " + in_quotes(side));
    }
    if (flow.from.value.empty() || flow.to.value.empty()) return false;
  } else {
    if (!node.is_refused()) reading.mistakes.add(node, "a flow is a line or a map, not " + described(node), flow_form);
    return false;
  }
  flow.text = flow.from.value + (flow.both_ways ? " <-> " : " -> ") + flow.to.value;
  for (std::size_t i = 0; i < flow.ports.size(); ++i) flow.text += (i == 0 ? ":" : ",") + text_of(flow.ports[i]);
  return true;
}

void read_flows(Reading& reading, const Node& value, std::string_view what, std::vector<FlowSpec>& flows) {
  if (!is_list(reading.mistakes, value, what, std::string(what) + ": [A -> B]")) return;
  std::set<std::string> seen;
  flows.reserve(value.items.size());
  for (const Node& item : value.items) {
    FlowSpec flow;
    const std::size_t before = reading.mistakes.count();
    if (!read_flow(reading, item, flow)) continue;
    if (reading.mistakes.count() == before && !seen.insert(flow.text).second) reading.mistakes.add(item, in_quotes(flow.text) + " is listed twice");
    flows.push_back(std::move(flow));
  }
}

constexpr Key<PolicySpec> policy_keys[]{
    {"default",
     [](Reading& reading, const Node& value, PolicySpec& policy) {
       policy.default_allow = read_word(reading.mistakes, value, "default", {"deny", "allow"}) == std::size_t{1};
       policy.default_at = value.at;
     }},
    {"allow", [](Reading& reading, const Node& value, PolicySpec& policy) { read_flows(reading, value, "allow", policy.allow); }},
    {"deny", [](Reading& reading, const Node& value, PolicySpec& policy) { read_flows(reading, value, "deny", policy.deny); }},
    {"reject", [](Reading& reading, const Node& value,
                  PolicySpec& policy) { policy.reject = read_boolean(reading.mistakes, value, "reject").value_or(false); }},
};

constexpr Key<ExpectSpec> expect_keys[]{
    {"allow", [](Reading& reading, const Node& value, ExpectSpec& expect) { read_flows(reading, value, "allow", expect.allow); }},
    {"deny", [](Reading& reading, const Node& value, ExpectSpec& expect) { read_flows(reading, value, "deny", expect.deny); }},
};

void read_member(Reading& reading, const Node& node, ZoneSpec& zone) {
  if (!is_scalar(reading.mistakes, node, "a zone", "bridges, namespaces or networks outside")) return;
  if (node.text.find_first_of(":/") == std::string::npos && !IpAddress::parse(node.text)) {
    zone.members.push_back({node.text, node.at});
  } else if (const auto network = read_network(reading.mistakes, node, "a zone")) {
    zone.members.push_back({*network, node.at});
  }
}

}  // namespace

void read_zones(Reading& reading, const Node& value, Topology& topology) {
  if (!is_map(reading.mistakes, value, "zones", "zones: { NAME: [BRIDGE, NAMESPACE] }")) return;
  topology.zones.reserve(value.pairs());
  for (std::size_t i = 0; i < value.pairs(); ++i) {
    const Node& key = value.key(i);
    if (key.is_refused()) continue;
    if (const auto problem = zone_name_problem(key.text)) reading.mistakes.add(key, "zone name " + in_quotes(key.text) + " " + *problem);
    ZoneSpec& zone = topology.zones.emplace_back();
    zone.name = key.text;
    zone.at = key.at;
    std::set<std::string_view> seen;
    if (value.value(i).is_null()) reading.mistakes.add(key, "zone " + in_quotes(key.text) + " has no members");
    if (!is_list(reading.mistakes, value.value(i), "zone " + in_quotes(key.text), "a zone is a list: [BRIDGE, NAMESPACE]")) continue;
    if (value.value(i).items.empty()) reading.mistakes.add(key, "zone " + in_quotes(key.text) + " has no members");
    for (const Node& item : value.value(i).items) {
      if (item.is_scalar() && !seen.insert(item.text).second) {
        reading.mistakes.add(item, in_quotes(item.text) + " is listed twice");
      } else {
        read_member(reading, item, zone);
      }
    }
  }
}

void read_policy(Reading& reading, const Node& value, Topology& topology) {
  topology.policy.at = value.at;
  if (!is_map(reading.mistakes, value, "policy", "policy: { allow: [A -> B] }")) return;
  read_keys(reading, value, "policy", policy_keys, topology.policy);
}

void read_expect(Reading& reading, const Node& value, Topology& topology) {
  if (!is_map(reading.mistakes, value, "expect", "expect: { deny: [A -> B] }")) return;
  read_keys(reading, value, "expect", expect_keys, topology.expect);
}

void add_policy_places(std::vector<Place>& places) {
  places.push_back({"expect", names_of(expect_keys)});
  places.push_back({"policy", names_of(policy_keys)});
  places.push_back({"flow", names_of(flow_keys)});
}

}  // namespace topo::reading
