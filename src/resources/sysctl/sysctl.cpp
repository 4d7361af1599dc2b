#include "resources/sysctl/sysctl.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "topo/ip.hpp"

namespace topo {
namespace {

/// The parts of "net/ipv4/conf/eth0/rp_filter", an interface's own among them: "conf" or "neigh", then a name.
std::string_view part(std::string_view name, int index) {
  for (; index > 0; --index) {
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) return {};
    name.remove_prefix(slash + 1);
  }
  return name.substr(0, name.find('/'));
}

bool is_by_interface(std::string_view name) { return part(name, 2) == "conf" || part(name, 2) == "neigh"; }

/// The interface whose setting it is; empty where it is everybody's.
std::string_view interface_of(std::string_view name) {
  if (!is_by_interface(name)) return {};
  const std::string_view interface = part(name, 3);
  return interface == "all" || interface == "default" ? std::string_view{} : interface;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

template <class Number>
std::optional<Number> number(std::string_view text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "7,5-6" -> "5-7"; nullopt where that is no list of ports.
std::optional<std::string> port_ranges(std::string_view text) {
  std::vector<std::pair<std::uint16_t, std::uint16_t>> ranges;
  for (const std::string_view part : split(text, ",")) {
    const std::size_t dash = part.find('-');
    const auto first = number<std::uint16_t>(part.substr(0, dash), 10);
    const auto last = dash == std::string_view::npos ? first : number<std::uint16_t>(part.substr(dash + 1), 10);
    if (!first || !last) return std::nullopt;
    ranges.emplace_back(*first, *last);
  }
  std::sort(ranges.begin(), ranges.end());
  std::string printed;
  for (std::size_t i = 0; i < ranges.size();) {
    auto [first, last] = ranges[i];
    for (++i; i < ranges.size() && ranges[i].first <= last + 1; ++i) last = std::max(last, ranges[i].second);
    printed += (printed.empty() ? "" : ",") + std::to_string(first) + (first == last ? "" : "-" + std::to_string(last));
  }
  return printed;
}

/// "2001:db8::1" -> "2001:0db8:0000:0000:0000:0000:0000:0001".
std::string whole_address(const IpAddress& address) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string printed;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i != 0 && i % 2 == 0) printed += ':';
    printed += digits[address.bytes()[i] >> 4U];
    printed += digits[address.bytes()[i] & 0xfU];
  }
  return printed;
}

}  // namespace

int Sysctl::order() const {
  if (part(name, 2) == "ip_forward") return 0;
  if (!is_by_interface(name)) return 3;
  return interface_of(name).empty() ? 1 : 2;
}

std::vector<std::string> Sysctl::needs() const {
  std::vector<std::string> names;
  if (const std::string_view interface = interface_of(name); !interface.empty()) names.push_back(interface_need(ns, interface));
  // It is remembered there: when the interface alone goes, that does not go along.
  if (!ns.empty()) names.push_back(namespace_need(ns));
  return names;
}

Circumstances Sysctl::spoils(Turn) const {
  if (order() > 1) return {};
  return {{"settings " + ns, std::to_string(order())}};
}

Circumstances Sysctl::relies_on() const {
  if (!is_by_interface(name) && order() != 0) return {};
  Circumstances circumstances{{"settings " + ns, std::to_string(order())}};
  // What is written for all an interface that comes later does not have; this one is asked for all of them at once.
  if (order() == 1 && part(name, 4) != "proxy_ndp") circumstances.push_back({"cables " + ns, "1"});
  return circumstances;
}

std::string Sysctl::title() const {
  std::string dotted = name;
  // sysctl(8) writes a dot in a part as a slash.
  std::transform(dotted.begin(), dotted.end(), dotted.begin(), [](char c) { return c == '/' ? '.' : c == '.' ? '/' : c; });
  return place_title(ns) + " " + dotted;
}

std::string Sysctl::summary() const { return "= " + value; }

std::string as_printed(std::string_view name, std::string_view value) {
  std::string printed;
  for (const std::string_view part : split(value, " \t\n")) {
    const auto hexadecimal = part.starts_with("0x") ? number<std::uint64_t>(part.substr(2), 16) : std::nullopt;
    printed += (printed.empty() ? "" : "\t") + (hexadecimal ? std::to_string(*hexadecimal) : std::string(part));
  }
  if (name == "net/ipv4/ip_local_reserved_ports") return port_ranges(printed).value_or(printed);
  const auto address = name.ends_with("/stable_secret") ? IpAddress::parse(printed) : std::nullopt;
  return address && address->family() == Family::v6 ? whole_address(*address) : printed;
}

Differences differences(const Sysctl& before, const Sysctl& after) {
  Differences found;
  compare(found, "value", before.value, after.value);
  return found;
}

}  // namespace topo
