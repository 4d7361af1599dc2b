#include <algorithm>

#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

const char* const key_form = "[ADDRESS:]PORT[-PORT][/tcp|/udp]: NAMESPACE:PORT[-PORT]";

std::string text_of(const Ports& ports) {
  std::string text = std::to_string(ports.first);
  if (ports.last != ports.first) text += "-" + std::to_string(ports.last);
  return text;
}

/// A port's number, or 0 and the problem.
std::uint16_t parse_port(std::string_view text, std::string& problem) {
  const auto number = decimal(text);
  if (number && *number >= 1 && *number <= 65535) return static_cast<std::uint16_t>(*number);
  problem = "a port is a number from 1 to 65535, not " + in_quotes(text);
  return 0;
}

/// What "tcp/80" and "80/TCP" were meant to be, or nothing.
std::string protocol_hint(std::string_view text) {
  const auto slash = text.rfind('/');
  if (slash == std::string_view::npos) return {};
  std::string before(text.substr(0, slash));
  std::string after(text.substr(slash + 1));
  for (std::string* part : {&before, &after}) {
    std::transform(part->begin(), part->end(), part->begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  }
  if (before == "tcp" || before == "udp") std::swap(before, after);
  Ports ports;
  return (after == "tcp" || after == "udp") && parse_ports(before, ports).empty() ? "did you mean " + before + "/" + after + "?" : "";
}

/// Splits ADDRESS: off the front of a key. The problem in words, or empty.
std::string take_address(std::string_view& text, std::optional<IpAddress>& address, std::string& hint) {
  std::string_view written;
  if (!text.empty() && text.front() == '[') {
    const auto close = text.find("]:");
    if (close == std::string_view::npos) return "an IPv6 address stands between [ and ]: before the port";
    written = text.substr(1, close - 1);
    text.remove_prefix(close + 2);
    address = IpAddress::parse(written);
    if (!address || address->family() != Family::v6) return in_quotes(written) + " is not an IPv6 address";
  } else {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    written = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    address = IpAddress::parse(written);
    if (!address && decimal(written)) hint = std::string("ports are written as OUTSIDE: NAMESPACE:INSIDE");
    if (written == "*") hint = std::string(text) + " for every address";
    if (written == "localhost") hint = "127.0.0.1:" + std::string(text);
    if (!address) return in_quotes(written) + " is not an address";
    if (address->family() == Family::v6) {
      hint = "\"[" + std::string(written) + "]:" + std::string(text) + "\"";
      return "an IPv6 address with a port stands in brackets";
    }
  }
  if (address->is_unspecified()) {
    hint = "without an address a port is open by every address";
    return in_quotes(written) + " is the unspecified address";
  }
  if (address == IpAddress::parse("::1")) {
    hint = "127.0.0.1 can be mapped";
    return "the kernel cannot map ports of ::1";
  }
  if (address->is_loopback()) return {};
  if (const auto problem = address_problem(*address)) return in_quotes(written) + " " + *problem;
  return {};
}

bool read_outside(Reading& reading, const Node& key, PortMapSpec& map) {
  std::string_view text = key.text;
  std::string hint;
  std::string problem = take_protocol(text, map.protocol);
  if (!problem.empty()) hint = protocol_hint(key.text);
  if (problem.empty()) problem = take_address(text, map.address, hint);
  Ports ports;
  if (problem.empty()) problem = parse_ports(text, ports);
  map.first = ports.first;
  map.last = ports.last;
  if (problem.empty()) return true;
  reading.mistakes.add(key, problem, hint.empty() ? key_form : hint);
  return false;
}

bool read_target(Reading& reading, const Node& value, PortMapSpec& map) {
  const auto refuse = [&](const std::string& problem, const std::string& hint) {
    reading.mistakes.add(value, problem, hint);
    return false;
  };
  if (!is_scalar(reading.mistakes, value, "a port map", "NAMESPACE:PORT")) return false;
  const auto colon = value.text.find(':');
  map.target = value.text.substr(0, colon);
  if (colon == std::string::npos || map.target.empty()) {
    const bool number = decimal(value.text).has_value();
    const bool name = !number && map.first != 0 && !namespace_name_problem(value.text);
    const std::string hint = name ? "did you mean " + value.text + ":" + text_of({map.first, map.last}) + "?" : "";
    return refuse("a port map leads to NAMESPACE:PORT, not " + in_quotes(value.text), hint);
  }
  std::string_view text = std::string_view(value.text).substr(colon + 1);
  if (text.find('/') != std::string_view::npos) return refuse("the protocol belongs to the outside port", key_form);
  Ports ports;
  if (const auto problem = parse_ports(text, ports); !problem.empty()) return refuse(problem, key_form);
  map.target_first = ports.first;
  map.target_last = ports.last;
  return true;
}

}  // namespace

std::string parse_ports(std::string_view text, Ports& ports) {
  const auto dash = text.find('-');
  std::string problem;
  ports.first = parse_port(text.substr(0, dash), problem);
  ports.last = dash == std::string_view::npos || !problem.empty() ? ports.first : parse_port(text.substr(dash + 1), problem);
  if (problem.empty() && ports.last < ports.first) problem = "the range " + in_quotes(text) + " is reversed";
  return problem;
}

std::string take_protocol(std::string_view& text, Protocol& protocol) {
  protocol = Protocol::tcp;
  const auto slash = text.rfind('/');
  if (slash == std::string_view::npos) return {};
  const auto word = text.substr(slash + 1);
  text = text.substr(0, slash);
  if (word == "udp") protocol = Protocol::udp;
  if (word == "udp" || word == "tcp") return {};
  return "the protocol of a port is tcp or udp, not " + in_quotes(word);
}

void read_ports(Reading& reading, const Node& value, Topology& topology) {
  if (!is_map(reading.mistakes, value, "ports", "ports: { 8080: NAMESPACE:80 }")) return;
  topology.ports.reserve(value.pairs());
  for (std::size_t i = 0; i < value.pairs(); ++i) {
    const Node& key = value.key(i);
    const Node& target = value.value(i);
    if (key.is_refused()) continue;
    PortMapSpec map;
    map.at = key.at;
    map.target_at = target.at;
    const bool outside = read_outside(reading, key, map);
    if (!read_target(reading, target, map) || !outside) continue;
    if (map.last - map.first != map.target_last - map.target_first) {
      reading.mistakes.add(target, "the ranges differ in length: " + std::to_string(map.last - map.first + 1) + " and " +
                                       std::to_string(map.target_last - map.target_first + 1) + " ports");
      continue;
    }
    if (map.address) map.text = (map.address->family() == Family::v6 ? "[" + map.address->to_string() + "]" : map.address->to_string()) + ":";
    map.text += text_of({map.first, map.last}) + (map.protocol == Protocol::udp ? "/udp" : "/tcp") + " -> " + map.target + ":" +
                text_of({map.target_first, map.target_last});
    topology.ports.push_back(std::move(map));
  }
}

}  // namespace topo::reading
