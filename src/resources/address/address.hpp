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
  /// IPv4: another address of the subnet stands before it on the interface (IFA_F_SECONDARY), and is the one that packets leave with.
  bool secondary = false;
  bool operator==(const Address&) const = default;

  static constexpr std::string_view kind = "address";
  static constexpr int rank = 50;
  [[nodiscard]] int order() const { return secondary ? 1 : 0; }
  [[nodiscard]] std::string key() const { return ns + ":" + interface + " " + address.to_string(); }
  [[nodiscard]] std::vector<std::string> needs() const;
  /// When it goes: routes that have it as their source; where it is the first of its IPv4 subnet there, the others too, and routes through the
  /// interface. When it comes as the first, the others are to stand behind it.
  [[nodiscard]] Circumstances spoils(Turn turn) const;
  [[nodiscard]] Circumstances relies_on() const;
  [[nodiscard]] std::string title() const;    ///< "web-server:eth0"
  [[nodiscard]] std::string summary() const;  ///< "192.168.10.10/24"
};
[[nodiscard]] Differences differences(const Address& before, const Address& after);

}  // namespace topo
