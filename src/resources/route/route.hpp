// A static route (ip-route(8)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/relation.hpp"
#include "topo/ip.hpp"

namespace topo {

struct NextHop {
  std::optional<IpAddress> via;  ///< nullopt: on link
  std::string interface;
  std::uint16_t weight = 1;      ///< 1..256, of multipath routes
  auto operator<=>(const NextHop&) const = default;
};

struct Route {
  /// Those of RouteSpec come first. `throw_`: the tables of the rules that follow decide.
  enum class Type : std::uint8_t { unicast, unreachable, blackhole, prohibit, throw_ };
  std::string ns;
  Cidr destination;           ///< the default route is 0.0.0.0/0 or ::/0
  std::uint32_t table = 254;  ///< RT_TABLE_MAIN
  std::uint32_t metric = 0;   ///< as the kernel reports it: IPv6 without one has 1024
  Type type = Type::unicast;
  std::vector<NextHop> next_hops;  ///< sorted; more than one: multipath
  std::optional<IpAddress> source;
  bool operator==(const Route&) const = default;

  static constexpr std::string_view kind = "route";
  static constexpr int rank = 60;
  [[nodiscard]] std::string key() const;  ///< ns, destination, table, metric
  /// After those on link, by which its gateway may have to be found.
  [[nodiscard]] int order() const;
  [[nodiscard]] std::vector<std::string> needs() const;
  [[nodiscard]] Circumstances relies_on() const;
  [[nodiscard]] std::string title() const;    ///< "web-server default"
  [[nodiscard]] std::string summary() const;  ///< "via 192.168.10.1 dev eth0"
};
[[nodiscard]] Differences differences(const Route& before, const Route& after);

}  // namespace topo
