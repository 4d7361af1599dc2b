#include <algorithm>
#include <map>
#include <set>

#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

void read_gateway(Reading& reading, const Node& value, NamespaceSpec& ns) {
  ns.gateway = {};
  ns.gateway.at = value.at;
  if (value.is_scalar() && value.text == "auto") return;
  if (value.is_scalar() && value.text == "none") {
    ns.gateway.kind = GatewaySpec::Kind::none;
    return;
  }
  ns.gateway.kind = GatewaySpec::Kind::addresses;
  for_one_or_each(reading.mistakes, value, "gateway", [&](const Node& item) {
    if (item.is_scalar() && !IpAddress::parse(item.text) && !Cidr::parse(item.text)) {
      return reading.mistakes.add(item, "gateway takes auto, none or an address, not " + in_quotes(item.text),
                                  reading.mistakes.suggestion(item.text, {"auto", "none"}));
    }
    const auto address = read_address(reading.mistakes, item, "gateway");
    if (!address) return;
    for (const auto& earlier : ns.gateway.addresses) {
      if (earlier.value.family() == address->family())
        return reading.mistakes.add(item, "a second gateway of one family", "several default routes are written under \"routes\"");
    }
    ns.gateway.addresses.push_back({*address, item.at});
  });
}

void read_loopback(Reading& reading, const Node& value, NamespaceSpec& ns) {
  std::set<IpAddress> seen;
  for_one_or_each(reading.mistakes, value, "lo", [&](const Node& item) {
    const auto address = read_interface_address(reading.mistakes, item, "lo", true);
    if (!address) return;
    if (!address->prefix) {
      const std::string hint = "did you mean " + item.text + "/" + std::to_string(address->address.bits()) + "?";
      return reading.mistakes.add(item, item.text + " has no prefix length", hint);
    }
    if (!seen.insert(address->address).second) return reading.mistakes.add(item, address->address.to_string() + " is listed twice");
    ns.loopback_addresses.push_back({*address, item.at});
  });
}

constexpr Key<NamespaceSpec> device_keys[]{{"lo", read_loopback}};

std::string device_hint(std::string_view) {
  return "\"lo\" is the only device so far; cables are written under \"attach\" or \"links\", and physical interfaces are not supported";
}

void read_devices(Reading& reading, const Node& value, NamespaceSpec& ns) {
  read_keys(reading, value, "devices", device_keys, ns, nullptr, device_hint);
}

void read_interface_nat(Reading& reading, const Node& value, NamespaceSpec& ns) {
  if (!is_map(reading.mistakes, value, "nat of a namespace", "nat: { INTERFACE: masquerade }")) return;
  for (std::size_t i = 0; i < value.pairs(); ++i) {
    if (value.key(i).is_refused()) continue;
    const auto name = read_interface_name(reading.mistakes, value.key(i));
    Nat nat;
    read_nat(reading, value.value(i), value.key(i).text, nat);
    if (name) ns.nat.emplace_back(*name, nat);
  }
}

/// The key with '/' between its parts as in /proc/sys, or a mistake. As sysctl(8) has it, the first separator decides which one it is.
std::optional<std::string> sysctl_path(Mistakes& mistakes, const Node& key) {
  const auto separator = key.text.find_first_of("./");
  const bool dotted = separator != std::string::npos && key.text[separator] == '.';
  std::string path = key.text;
  const auto refuse = [&](const std::string& why, const std::string& hint = {}) {
    mistakes.add(key, "sysctl " + in_quotes(key.text) + " " + why, hint);
    return std::nullopt;
  };
  if (dotted && path.find('/') != std::string::npos)
    return refuse("has both '.' and '/'", "an interface name with dots: net/ipv4/conf/eth0.5/forwarding");
  if (dotted) std::replace(path.begin(), path.end(), '.', '/');
  if (path.compare(0, 4, "net/") != 0) return refuse("is not a network setting", "only keys that begin with \"net.\" belong to a namespace");
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = std::string_view(path).substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return refuse("has an empty part or one of dots");
    for (const char c : part) {
      const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
      if (!good) return refuse("may hold only letters, digits, '_', '-', '.' and '/'");
    }
    begin = end + 1;
  }
  if (path.size() > 200) return refuse("is too long");
  if (path == "net/ipv4/route/flush" || path == "net/ipv6/route/flush") return refuse("is an action, not a setting");
  return path;
}

/// Digits, then minutes or seconds after colons: YAML 1.1 reads 1:30 as 90.
bool is_base_60(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || !std::all_of(text.begin(), text.begin() + colon, is_digit)) return false;
  while (colon != std::string_view::npos) {
    text.remove_prefix(colon + 1);
    colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    if (part.empty() || part.size() > 2 || !std::all_of(part.begin(), part.end(), is_digit) || (part.size() == 2 && part[0] > '5')) return false;
  }
  return true;
}

/// Values without quotes that not everybody reads alike.
bool is_ambiguous(Mistakes& mistakes, const Node& setting) {
  const auto refuse = [&](const std::string& why, const std::string& hint) {
    mistakes.add(setting, "a sysctl value is no " + why + ": " + in_quotes(setting.text), hint);
    return true;
  };
  if (!setting.plain) return false;
  std::string lower = setting.text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const std::string_view word : {"true", "yes", "on", "y", "false", "no", "off", "n"}) {
    if (lower == word) return refuse("boolean", "write 1 or 0, or put the word in quotes");
  }
  if (is_base_60(lower)) return refuse("number of base 60", "put it in quotes");
  for (std::size_t begin = 0; begin < lower.size();) {
    const std::size_t end = std::min(lower.find(' ', begin), lower.size());
    const std::string_view part = std::string_view(lower).substr(begin, end - begin);
    if (part.size() > 1 && part.front() == '0' && part.find_first_not_of("0123456789") == std::string_view::npos)
      return refuse("octal number", "without the leading zero, which makes it octal to the kernel");
    begin = end + 1;
  }
  return false;
}

void read_sysctl(Reading& reading, const Node& value, NamespaceSpec& ns) {
  if (!is_map(reading.mistakes, value, "sysctl", "sysctl: { net.ipv4.ip_forward: 1 }")) return;
  std::map<std::string, Position> seen;
  for (std::size_t i = 0; i < value.pairs(); ++i) {
    const Node& key = value.key(i);
    const Node& setting = value.value(i);
    if (key.is_refused()) continue;
    auto path = sysctl_path(reading.mistakes, key);
    if (!is_scalar(reading.mistakes, setting, in_quotes(key.text), "a value")) continue;
    const bool bad = setting.text.empty() || setting.text.size() > 1024 ||
                     std::any_of(setting.text.begin(), setting.text.end(), [](char c) { return c != '\t' && (c < ' ' || c > '~'); });
    if (bad) {
      reading.mistakes.add(setting, setting.text.empty() ? "a sysctl value cannot be empty" : "a sysctl value is one line of printable characters");
    } else if (!is_ambiguous(reading.mistakes, setting) && path) {
      const auto [earlier, is_new] = seen.emplace(*path, key.at);
      if (!is_new)
        reading.mistakes.add(key, "sysctl " + in_quotes(key.text) + " is given twice", "first in " + reading.mistakes.line_of(earlier->second));
      ns.sysctls.emplace_back(Located<std::string>{std::move(*path), key.at}, setting.text);
    }
  }
}

void read_replicas(Reading& reading, const Node& value, NamespaceSpec& ns) {
  const auto count = read_number(reading.mistakes, value, "replicas", 1, namespaces_max);
  if (count) ns.replicas = Located<std::uint32_t>{*count, value.at};
}

constexpr Key<NamespaceSpec> keys[]{
    {"attach", read_attach},
    {"gateway", read_gateway},
    {"routes", read_routes},
    {"rules", read_rules},
    {"devices", read_devices},
    {"router",
     [](Reading& reading, const Node& value, NamespaceSpec& ns) { ns.router = read_boolean(reading.mistakes, value, "router").value_or(false); }},
    {"nat", read_interface_nat},
    {"sysctl", read_sysctl},
    {"replicas", read_replicas},
    {"dns", read_dns},
    {"hosts", read_hosts},
    {"etc", read_etc},
    {"run", read_run},
};

std::string hint_for(std::string_view key) {
  for (const std::string_view physical : {"interface", "interfaces", "device", "physical", "nic"}) {
    if (key == physical) return "cables are written under \"attach\" or \"links\"; physical interfaces are not supported";
  }
  for (const std::string_view attached : {"address", "addresses", "ip", "bridge", "bridges", "network", "networks"}) {
    if (key == attached) return "attach: { BRIDGE: ADDRESS }";
  }
  return {};
}

}  // namespace

void read_namespace(Reading& reading, const Node& map, const Node* defaults, NamespaceSpec& ns) {
  read_keys(reading, map, "namespace " + in_quotes(ns.name), keys, ns, defaults, hint_for);
}

void read_namespaces(Reading& reading, const Node& value, Topology& topology) {
  if (!is_map(reading.mistakes, value, "namespaces", "namespaces: { NAME: { attach: BRIDGE } }")) return;
  topology.namespaces.reserve(value.pairs());
  for (std::size_t i = 0; i < value.pairs(); ++i) {
    const Node& key = value.key(i);
    if (key.is_refused()) continue;
    if (const auto problem = namespace_name_problem(key.text)) reading.mistakes.add(key, "namespace name " + in_quotes(key.text) + " " + *problem);
    NamespaceSpec& ns = topology.namespaces.emplace_back();
    ns.name = key.text;
    ns.at = key.at;
    const std::size_t before = reading.mistakes.count();
    read_namespace(reading, value.value(i), &reading.namespace_defaults, ns);
    ns.doubtful = reading.mistakes.count() != before || value.value(i).holds_refused();
  }
}

void add_namespace_places(std::vector<Place>& places) {
  places.push_back({"namespace", names_of(keys)});
  places.push_back({"devices", names_of(device_keys)});
}

}  // namespace topo::reading
