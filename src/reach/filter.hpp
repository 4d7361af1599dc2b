// What the gateway's filter sees of packets that pass it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "policy/relations.hpp"
#include "reach/network.hpp"

namespace topo::reach {

/// A place where the gateway's filter sees a packet.
struct Crossing {
  enum class Kind : std::uint8_t {
    inside,    ///< from one port of a bridge to another
    routed,    ///< from one of the gateway's networks to another, or back into the same
    leaving,   ///< to the outside
    entering,  ///< from there
    to_host,
    from_host
  };
  Kind kind = Kind::inside;
  std::size_t from_segment = none, from_member = none;  ///< who the policy takes the sender for; none: nobody it knows
  std::size_t to_segment = none, to_member = none;
  std::size_t sender = none;  ///< the member by whose port the packet comes in
  bool filtered = true;       ///< inside: the bridge's packets are shown to the filter at all
  bool stray = false;         ///< the source address is not the sender's own
  bool forwarded = false;     ///< the sender is a router, and the source address is somebody else's
  bool cable = false;         ///< inside: it leaves by a cable to another bridge
  bool unknown = false;       ///< the destination is no address of a member there
  std::size_t map = none;     ///< by this port map; index into Intent::ports
  bool back = false;          ///< an answer to something that the gateway has not seen
  IpAddress source, destination;
};

/// Stands for what connection tracking knows in the gateway's namespace, where that is the topology's own. The host's is `none`.
inline constexpr std::size_t own_namespace = none - 1;

/// What a filter can know of a packet.
struct Sighting {
  IpAddress source, destination;
  bool back = false;                 ///< it is an answer
  std::size_t sender = none;         ///< the member by whose port it came to where it is
  std::vector<std::size_t> tracked;  ///< what of the gateway knows the connection: a plain switch's conntrack zone (its segment), `none`, `own_namespace`
};

class Filter {
 public:
  /// Both must outlive it.
  Filter(const Network& network, const policy::Relations& relations);
  /// From the gateway's interface `in` (none: its own packet) to `out` (none: for the gateway itself), turned there by the port map `map`.
  /// nullopt: nothing to judge, as of an answer to what was seen. What is judged is known from here on.
  [[nodiscard]] std::optional<Crossing> routed(Sighting& packet, std::size_t in, std::size_t out, std::size_t map) const;
  /// By the port of the namespace's interface `out` to the interface `taker`; the same.
  [[nodiscard]] std::optional<Crossing> bridged(Sighting& packet, std::size_t out, std::size_t taker) const;

 private:
  [[nodiscard]] std::size_t domain_of(std::size_t segment) const;
  [[nodiscard]] std::size_t member_with(const IpAddress& address, std::size_t segment, bool strict) const;
  void name_sender(const Sighting& packet, std::size_t in, Crossing& crossing) const;
  [[nodiscard]] bool known_to_host(const Crossing& crossing) const;
  void name_receiver(const Sighting& packet, std::size_t out, Crossing& crossing) const;

  const Network& network_;
  const policy::Relations& relations_;
  std::multimap<IpAddress, std::size_t> member_by_address_;
};

}  // namespace topo::reach
