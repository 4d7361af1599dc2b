// The way of a first packet and of its answer through a network.
#pragma once

#include <optional>
#include <vector>

#include "policy/relations.hpp"
#include "reach/filter.hpp"
#include "reach/network.hpp"

namespace topo::reach {

/// Who sends, or who shall be reached.
struct Endpoint {
  enum class Kind : std::uint8_t { station, outside } kind = Kind::station;
  std::size_t station = gateway;
  IpAddress address;  ///< of the receiver; of a sender outside
};

/// Why a packet does not arrive.
struct Loss {
  enum class Kind : std::uint8_t {
    no_address,  ///< the sender has none of the family
    no_route,
    bad_route,  ///< unreachable, blackhole, prohibit
    nobody,     ///< nobody on the Ethernet answers for the next hop
    no_router,  ///< who gets it forwards nothing
    elsewhere,  ///< somebody else has the address
    outside,    ///< it leaves to the outside
    masked,     ///< an answer of which a namespace takes the source away, as it has not seen what is answered
    loop,
    down  ///< live: something on the way is down
  };
  Kind kind = Kind::no_route;
  std::size_t station = gateway;      ///< where it is lost
  std::size_t interface = none;       ///< nobody, down: the Ethernet where
  IpAddress address;                  ///< what was looked for
  const RouteEntry* route = nullptr;  ///< bad_route
  bool back = false;                  ///< it is the answer that does not arrive
};

/// What one station does with a packet.
struct Move {
  std::size_t station = gateway;
  std::size_t in = none, out = none;  ///< none: the station itself sends, or is who it is for
  const RouteEntry* route = nullptr;
  std::optional<IpAddress> via;
  std::optional<IpAddress> masked_as;  ///< the source from here on; unspecified: the gateway's own outside
  IpAddress source, destination;       ///< as it comes
  bool back = false;
  std::size_t crossings = 0;  ///< how many of the leg's lie before its end
};

/// One of the ways that a packet may take.
struct Leg {
  std::vector<Crossing> crossings;
  std::optional<Loss> loss;
};
struct Way {
  std::vector<Leg> legs;  ///< several where routes have several next hops; never empty
  IpAddress source;       ///< that the sender chooses; unspecified: none
};

class Tracer {
 public:
  /// Both must outlive it.
  Tracer(const Network& network, const policy::Relations& relations);
  /// `moves`: what every station does, leg after leg in the order of Way::legs; one list a leg.
  [[nodiscard]] Way trace(const Endpoint& from, const Endpoint& to, std::vector<std::vector<Move>>* moves = nullptr) const;
  /// Of a packet to `address` of the gateway that a port map (index into Intent::ports) turns to `target`.
  [[nodiscard]] Way trace_mapped(const Endpoint& from, const IpAddress& address, std::size_t map, const IpAddress& target,
                                 std::vector<std::vector<Move>>* moves = nullptr) const;

  [[nodiscard]] const Network& network() const { return network_; }
  [[nodiscard]] const policy::Relations& relations() const { return relations_; }

 private:
  const Network& network_;
  const policy::Relations& relations_;
  Filter filter_;
};

}  // namespace topo::reach
