// A cable: a veth pair (veth(4)), known by its two ends.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/relation.hpp"
#include "topo/mac.hpp"

namespace topo {

struct VethEnd {
  std::string ns;    ///< the namespace it lives in; empty: the one topo runs in
  std::string name;  ///< the interface's name there
  Mac mac;
  std::uint32_t mtu = 1500;
  std::string bridge;           ///< the bridge (in the same namespace) whose port it is, or empty
  bool hairpin = false;         ///< bridge port option: a packet may leave by the port it came in by
  bool gateway_v4 = false;      ///< the host's end of a link, with an IPv4 address: forwards, rp_filter loose (as in Bridge)
  bool route_localnet = false;  ///< the same end: a port map's target is behind it (as in Bridge)
  bool ipv6 = false;            ///< has IPv6 addresses: IPv6 stays on; else it is kept quiet
  /// Live only: what someone changed that no other field tells ("down", "mark lost"); empty: as made. A difference of its own, "state".
  std::string amiss;
  bool operator==(const VethEnd&) const = default;
};

struct Veth {
  /// In the order of (ns, name), so that one cable has one form. An end in the host's namespace comes first.
  std::array<VethEnd, 2> ends;
  bool operator==(const Veth&) const = default;

  static constexpr std::string_view kind = "veth";
  static constexpr int rank = 40;
  [[nodiscard]] std::string key() const;  ///< "NS:IF=NS:IF"
  /// The kernel lets go of a cable some time after its namespace, so it is always removed by its own name.
  static constexpr bool lingers = true;
  /// The namespaces of its ends. Not the bridges: a port outlives its bridge.
  [[nodiscard]] std::vector<std::string> needs() const;
  [[nodiscard]] std::vector<std::string> provides() const;
  [[nodiscard]] Circumstances spoils(Turn turn) const;  ///< when it comes: settings for all interfaces of its namespaces, and for new ones; neighbours
  [[nodiscard]] std::string title() const;    ///< "web-server:eth0" for an attachment, "frontend:veth-front <-> backend:veth-back" for a link
  [[nodiscard]] std::string summary() const;  ///< "on frontend", "cable"
};
[[nodiscard]] Differences differences(const Veth& before, const Veth& after);

}  // namespace topo
