#include "resources/sysctl/sysctl.hpp"

#include <algorithm>

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

}  // namespace

int Sysctl::order() const {
  if (part(name, 2) == "ip_forward") return 0;
  if (!is_by_interface(name)) return 3;
  return interface_of(name).empty() ? 1 : 2;
}

std::vector<std::string> Sysctl::needs() const {
  if (const std::string_view interface = interface_of(name); !interface.empty()) return {interface_need(ns, interface)};
  if (ns.empty()) return {};
  return {namespace_need(ns)};
}

Circumstances Sysctl::spoils(Turn) const {
  if (order() > 1) return {};
  return {{"settings " + ns, std::to_string(order())}};
}

Circumstances Sysctl::relies_on() const {
  if (!is_by_interface(name) && order() != 0) return {};
  return {{"settings " + ns, std::to_string(order())}};
}

std::string Sysctl::title() const {
  std::string dotted = name;
  // sysctl(8) writes a dot in a part as a slash.
  std::transform(dotted.begin(), dotted.end(), dotted.begin(), [](char c) { return c == '/' ? '.' : c == '.' ? '/' : c; });
  return place_title(ns) + " " + dotted;
}

std::string Sysctl::summary() const { return "= " + value; }

Differences differences(const Sysctl& before, const Sysctl& after) {
  Differences found;
  compare(found, "value", before.value, after.value);
  return found;
}

}  // namespace topo
