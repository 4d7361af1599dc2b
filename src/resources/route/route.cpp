#include "resources/route/route.hpp"

#include <algorithm>

namespace topo {
namespace {

constexpr std::uint32_t main_table = 254;          // RT_TABLE_MAIN
constexpr std::uint32_t default_metric_v6 = 1024;  // IP6_RT_PRIO_USER

const char* name_of(Route::Type type) {
  switch (type) {
    case Route::Type::unicast:
      return "unicast";
    case Route::Type::unreachable:
      return "unreachable";
    case Route::Type::blackhole:
      return "blackhole";
    case Route::Type::prohibit:
      return "prohibit";
    case Route::Type::throw_:
      return "throw";
  }
  return "";
}

std::string way_of(const Route& route) {
  if (route.type != Route::Type::unicast) return name_of(route.type);
  std::string text;
  for (const NextHop& hop : route.next_hops) {
    if (!text.empty()) text += ", ";
    if (hop.via) text += "via " + hop.via->to_string() + " ";
    text += "dev " + hop.interface;
    if (route.next_hops.size() > 1 && hop.weight != 1) text += " weight " + std::to_string(hop.weight);
  }
  return text;
}

}  // namespace

std::string Route::key() const {
  return ns + " " + destination.to_string() + " table " + std::to_string(table) + " metric " + std::to_string(metric);
}

int Route::order() const {
  return std::any_of(next_hops.begin(), next_hops.end(), [](const NextHop& hop) { return hop.via.has_value(); }) ? 1 : 0;
}

std::vector<std::string> Route::needs() const {
  std::vector<std::string> names;
  for (const NextHop& hop : next_hops) {
    if (std::string name = interface_need(ns, hop.interface); names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  if (names.empty() && !ns.empty()) names.push_back(namespace_need(ns));
  return names;
}

Circumstances Route::relies_on() const {
  Circumstances circumstances;
  // Of IPv4 the kernel looks for the source in the main table alone (fib_sync_down_addr).
  const bool falls = destination.family() == Family::v6 || table == main_table;
  if (source && falls) circumstances.push_back({"source " + ns + " " + source->to_string(), key()});
  if (destination.family() == Family::v4) {
    for (const NextHop& hop : next_hops) circumstances.push_back({"routes " + ns + ":" + hop.interface, key()});
  }
  return circumstances;
}

std::string Route::title() const {
  std::string text = place_title(ns) + " ";
  if (destination.prefix() != 0) {
    text += destination.to_string();
  } else {
    text += destination.family() == Family::v4 ? "default" : "default (IPv6)";
  }
  if (table != main_table) text += " table " + std::to_string(table);
  if (metric != (destination.family() == Family::v4 ? 0 : default_metric_v6)) text += " metric " + std::to_string(metric);
  return text;
}

std::string Route::summary() const { return way_of(*this) + (source ? " src " + source->to_string() : ""); }

Differences differences(const Route& before, const Route& after) {
  Differences found;
  compare(found, "way", way_of(before), way_of(after));
  compare(found, "src", before.source ? before.source->to_string() : "", after.source ? after.source->to_string() : "");
  return found;
}

}  // namespace topo
