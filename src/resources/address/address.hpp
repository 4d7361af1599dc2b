// An IP address on an interface (ip-address(8)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/relation.hpp"
#include "topo/ip.hpp"

namespace topo {

struct Address {
  std::string ns;
  std::string interface;
  Cidr address;
  bool operator==(const Address&) const = default;

  static constexpr std::string_view kind = "address";
  static constexpr int rank = 50;
  [[nodiscard]] std::string key() const { return ns + ":" + interface + " " + address.to_string(); }
  [[nodiscard]] std::vector<std::string> needs() const;
  /// When it goes: IPv4 routes through the interface, routes that have it as their source, and IPv4 addresses of the same subnet there.
  /// When it comes: those of them that stand after it, since the first of a subnet is the one that packets leave with.
  [[nodiscard]] Circumstances spoils(Turn turn) const;
  [[nodiscard]] Circumstances relies_on() const;
  [[nodiscard]] std::string title() const;    ///< "web-server:eth0"
  [[nodiscard]] std::string summary() const;  ///< "192.168.10.10/24"
};
[[nodiscard]] Differences differences(const Address& before, const Address& after);

}  // namespace topo
