// Who is where on a link, where that is set rather than learnt (ip-neighbour(8)): an address behind a MAC, or one that is answered for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/relation.hpp"
#include "topo/ip.hpp"
#include "topo/mac.hpp"

namespace topo {

struct Neighbour {
  std::string ns;
  std::string interface;
  IpAddress address;       ///< 0.0.0.0: every one that this namespace has a route to by another interface (proxy_arp)
  std::optional<Mac> mac;  ///< nullopt: a proxy, this namespace answers for the address there, and at once
  bool operator==(const Neighbour&) const = default;

  [[nodiscard]] bool is_everybody() const { return address.is_unspecified(); }

  static constexpr std::string_view kind = "neighbour";
  static constexpr int rank = 55;
  [[nodiscard]] std::string key() const;  ///< a proxy and an entry for the same address are two
  [[nodiscard]] std::vector<std::string> needs() const { return {interface_need(ns, interface)}; }
  [[nodiscard]] Circumstances relies_on() const;
  [[nodiscard]] std::string title() const;    ///< "lab-gateway:frontend 192.168.10.1"
  [[nodiscard]] std::string summary() const;  ///< "proxy"
};
[[nodiscard]] Differences differences(const Neighbour& before, const Neighbour& after);

}  // namespace topo
