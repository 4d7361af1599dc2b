// By which interfaces of one namespace the packets between two addresses come and go, as far as the topology and the namespace's own
// routes tell. For the connections that the kernel tracks, which remember addresses only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "resources/address/address.hpp"
#include "resources/route/route.hpp"
#include "resources/veth/veth.hpp"

namespace topo {

/// What the ways follow from.
struct Layout {
  std::vector<Address> addresses;
  std::vector<Veth> cables;
  std::vector<Route> routes;
  std::set<std::string> routers;                  ///< namespaces that forward
  std::map<std::uint16_t, std::string> switches;  ///< plain switches of the namespace in question by their conntrack zones
  std::map<std::string, std::uint32_t> foreign;   ///< interfaces there that are not the topology's, and their link groups
};

/// An interface, and the bridge's port behind which a packet's end is, where known.
struct Way {
  std::string interface;  ///< empty: the namespace's own address; "?": somewhere outside
  std::uint32_t group = 0;
  std::string port;
  auto operator<=>(const Way&) const = default;
};

/// A packet's way in and its way out.
struct Crossing {
  Way in, out;
  auto operator<=>(const Crossing&) const = default;
};

class Ways {
 public:
  /// Of namespace `ns` (empty: the one topo runs in); `group` is the topology's link group.
  Ways(const std::string& ns, std::uint32_t group, const Layout& layout);

  /// Where the namespace sends a packet of its own, one of no switch's zone.
  [[nodiscard]] Way to(const IpAddress& address) const;
  /// Every way in which a first packet between the two may cross the namespace, bridged or routed; never empty.
  [[nodiscard]] std::vector<Crossing> between(const IpAddress& source, const IpAddress& destination, std::uint16_t zone) const;
  [[nodiscard]] bool is_own_zone(std::uint16_t zone) const { return switches_.contains(zone); }
  /// Whether the address is of the topology, or in a network that the namespace reaches by it.
  [[nodiscard]] bool is_own(const IpAddress& address) const;
  /// Whether some router that a bridge of the namespace leads to takes the address for one behind itself.
  [[nodiscard]] bool is_behind_router(const IpAddress& address) const { return !behind_routers(address).empty(); }

 private:
  /// A cable's end in the namespace, and whose interface is at the other one.
  struct Seat {
    Way way;
    std::string ns, interface;
    bool loose = false;  ///< a router, another bridge, or without an address: what comes from there may have any source
  };
  struct Step {
    Cidr network;
    std::string interface;
    std::optional<IpAddress> via;
  };
  using Steps = std::vector<Step>;

  void add_seats(const Layout& layout);
  void add_steps(const Layout& layout);
  [[nodiscard]] bool is_switch(const std::string& interface) const;
  [[nodiscard]] bool is_own_interface(const std::string& interface) const { return !foreign_.contains(interface); }
  /// The longest of the routes in `ns` to the address; several where they are equally long.
  [[nodiscard]] Steps steps(const std::string& ns, const IpAddress& address) const;
  /// Who has the address: on that bridge, or (empty) on any that is no plain switch.
  [[nodiscard]] const Seat* seat_of(const IpAddress& address, const std::string& bridge = {}) const;
  [[nodiscard]] Way way_by(const Step& step) const;
  [[nodiscard]] std::vector<Way> inside(const std::string& bridge, const IpAddress& address) const;
  [[nodiscard]] std::vector<Way> behind_routers(const IpAddress& address) const;
  [[nodiscard]] std::vector<Way> ends(const IpAddress& address) const;
  /// The neighbours to whom the sender hands what it sends to an address; empty: to the gateway or to the receiver itself.
  [[nodiscard]] std::vector<Way> next_hops(const Seat& sender, const IpAddress& destination) const;

  std::string ns_;
  std::uint32_t group_;
  std::set<std::string> routers_;
  std::map<std::uint16_t, std::string> switches_;
  std::map<std::string, std::uint32_t> foreign_;
  std::vector<Seat> seats_;
  std::vector<std::size_t> router_seats_;  ///< those of routers, on no plain switch
  std::multimap<IpAddress, std::size_t> seat_by_address_;
  std::map<IpAddress, std::string> here_;  ///< the namespace's own addresses, each with its interface
  std::map<std::string, Steps> steps_;     ///< of each namespace, the longest prefix first
};

}  // namespace topo
