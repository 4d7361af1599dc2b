#include "reach/trace.hpp"

#include <algorithm>

namespace topo::reach {
namespace {

/// More stations than this a packet and its answer do not live through: it is a loop.
constexpr std::size_t most_received = 32;
/// Ways by routes with several next hops that are followed, of one packet and its answer.
constexpr std::size_t most_legs = 16;

unsigned common_prefix(const IpAddress& a, const IpAddress& b) {
  unsigned length = 0;
  while (length < a.bits() && ((a.bytes()[length / 8] ^ b.bytes()[length / 8]) >> (7 - length % 8) & 1) == 0) ++length;
  return length;
}

struct Translation {
  std::size_t station = gateway;
  IpAddress original, translated;
};

/// A packet under way, with all that was noted of it.
struct Packet : Sighting {
  std::size_t received = 0;  ///< by how many stations, its answer included
  std::vector<Translation> masked;
  std::vector<std::size_t> known_to;  ///< the namespaces that have seen it, and know its answer for one
  Leg leg;
  std::vector<Move> moves;
};

/// One trace: follows every way that there is, one packet each.
class Journey {
 public:
  Journey(const Tracer& tracer, const Filter& filter, const Endpoint& from, const Endpoint& to, bool records)
      : network_(tracer.network()), relations_(tracer.relations()), filter_(filter), from_(from), to_(to), records_(records) {}

  /// With a port map: what comes to the gateway goes on to `target` of that member.
  void map_to(std::size_t map, const IpAddress& target) {
    map_ = map;
    target_ = target;
  }

  Way run() {
    Packet packet;
    packet.destination = to_.address;
    if (from_.kind == Endpoint::Kind::outside) {
      packet.source = from_.address;
      way_.source = from_.address;
      receive(std::move(packet), gateway, way_out);
    } else {
      begin(std::move(packet));
    }
    return std::move(way_);
  }

  [[nodiscard]] std::vector<std::vector<Move>> take_moves() { return std::move(moves_); }

 private:
  [[nodiscard]] const Interface& interface(std::size_t i) const { return network_.interfaces()[i]; }
  [[nodiscard]] const Station& station(std::size_t i) const { return network_.stations()[i]; }

  void end(Packet packet, std::optional<Loss> loss) {
    if (loss) loss->back = packet.back;
    packet.leg.loss = std::move(loss);
    for (Move& move : packet.moves) move.crossings = std::min(move.crossings, packet.leg.crossings.size());
    way_.legs.push_back(std::move(packet.leg));
    if (records_) moves_.push_back(std::move(packet.moves));
  }

  void lose(Packet packet, Loss::Kind kind, std::size_t at, const IpAddress& address, std::size_t interface = none,
            const RouteEntry* route = nullptr) {
    end(std::move(packet), Loss{kind, at, interface, address, route, false});
  }

  // --- the gateway's filter ---

  /// From `in` (none: the gateway's own) to `out` (none: for the gateway itself).
  void cross(Packet& packet, std::size_t in, std::size_t out) const {
    const bool maps = map_ != none && packet.destination == target_;
    if (auto crossing = filter_.routed(packet, in, out, maps ? map_ : none)) packet.leg.crossings.push_back(*crossing);
  }

  // --- from a station ---

  /// The first packet: its sender chooses the source by the route, and then the route once more by the source (ip_route_connect, net/route.h).
  void begin(Packet packet) {
    const std::size_t here = from_.station;
    const IpAddress& to = packet.destination;
    if (!station(here).amiss.empty()) return lose(std::move(packet), Loss::Kind::down, here, to);
    if (is_for(here, to)) {
      way_.source = packet.source = to;
      return arrive(std::move(packet), here, none);
    }
    const RouteEntry* first = network_.route(here, std::nullopt, to, none);
    if (first == nullptr || first->type != Route::Type::unicast) return refuse(std::move(packet), here, first);
    for (const NextHop& hop : first->next_hops) {
      if (way_.legs.size() >= most_legs) break;
      const auto source = choose_source(here, *first, hop, to);
      if (!source) {
        lose(packet, Loss::Kind::no_address, here, to);
        continue;
      }
      if (way_.source == IpAddress() || way_.legs.empty()) way_.source = *source;
      Packet one = packet;
      one.source = *source;
      const RouteEntry* second = network_.route(here, source, to, none);
      if (second == first) {
        pass_by(std::move(one), here, none, *first, hop);
      } else {
        pass(std::move(one), here, none, second);
      }
    }
  }

  void refuse(Packet packet, std::size_t here, const RouteEntry* route) {
    const IpAddress to = packet.destination;
    note(packet, here, none, none, route, std::nullopt);
    lose(std::move(packet), route == nullptr ? Loss::Kind::no_route : Loss::Kind::bad_route, here, to, none, route);
  }

  /// What of the interface's addresses a packet leaves with (inet_select_addr, net/ipv4/devinet.c; RFC 6724).
  [[nodiscard]] std::optional<IpAddress> address_of(std::size_t i, const IpAddress& towards) const {
    std::optional<IpAddress> best;
    for (const Cidr& own : interface(i).addresses) {
      if (own.family() != towards.family()) continue;
      if (towards.family() == Family::v4 && own.contains(towards)) return own.address();
      const bool nearer = best && towards.family() == Family::v6 && common_prefix(own.address(), towards) > common_prefix(*best, towards);
      if (!best || nearer) best = own.address();
    }
    return best;
  }

  [[nodiscard]] std::optional<IpAddress> choose_source(std::size_t here, const RouteEntry& route, const NextHop& hop, const IpAddress& to) const {
    if (route.source) return route.source;
    const IpAddress& towards = to.family() == Family::v4 && hop.via ? *hop.via : to;
    if (hop.interface != none && hop.interface != way_out) {
      if (auto own = address_of(hop.interface, towards)) return own;
    }
    for (const std::size_t other : station(here).interfaces) {
      if (auto own = address_of(other, towards)) return own;
    }
    return hop.interface == way_out ? std::optional(IpAddress::any(to.family())) : std::nullopt;
  }

  void note(Packet& packet, std::size_t here, std::size_t in, std::size_t out, const RouteEntry* route, const std::optional<IpAddress>& via) const {
    if (!records_) return;
    Move move;
    move.station = here;
    move.in = in;
    move.out = out;
    move.route = route;
    move.via = via;
    move.source = packet.source;
    move.destination = packet.destination;
    move.back = packet.back;
    move.crossings = packet.leg.crossings.size();
    packet.moves.push_back(std::move(move));
  }

  /// From `here` by the route; nullptr: there is none.
  void pass(Packet packet, std::size_t here, std::size_t in, const RouteEntry* route) {
    if (route == nullptr || route->type != Route::Type::unicast) return refuse(std::move(packet), here, route);
    for (const NextHop& hop : route->next_hops) {
      if (way_.legs.size() < most_legs) pass_by(packet, here, in, *route, hop);
    }
  }

  void pass_by(Packet packet, std::size_t here, std::size_t in, const RouteEntry& route, const NextHop& hop) {
    const std::size_t out = hop.interface;
    const IpAddress next = hop.via.value_or(packet.destination);
    note(packet, here, in, out, &route, hop.via);
    if (out == none) return lose(std::move(packet), Loss::Kind::no_route, here, packet.destination);
    if (here == gateway) cross(packet, in, out);
    if (records_) packet.moves.back().crossings = packet.leg.crossings.size();
    if (out == way_out) return leave(std::move(packet));
    if (here != gateway && !mask(packet, here, out, next)) return lose(std::move(packet), Loss::Kind::masked, here, packet.source);
    if (records_) packet.moves.back().crossings = packet.leg.crossings.size();
    if (!interface(out).amiss.empty()) return lose(std::move(packet), Loss::Kind::down, here, next, out);
    const std::size_t taker = interface(out).domain == none ? none : network_.answerer(interface(out).domain, next, out);
    if (taker == none) return lose(std::move(packet), Loss::Kind::nobody, here, next, out);
    packet.sender = interface(out).member;
    if (packet.sender != none) {
      if (auto crossing = filter_.bridged(packet, out, taker)) packet.leg.crossings.push_back(*crossing);
    }
    if (records_) packet.moves.back().crossings = packet.leg.crossings.size();
    receive(std::move(packet), interface(taker).node, taker);
  }

  /// Source translation in a namespace, of what begins a connection there. False: it takes an answer for such.
  bool mask(Packet& packet, std::size_t here, std::size_t out, const IpAddress& next) const {
    if (!packet.back) packet.known_to.push_back(here);
    if (packet.back && std::find(packet.known_to.begin(), packet.known_to.end(), here) != packet.known_to.end()) return true;
    for (const Masking& masking : station(here).masking) {
      const Family family = packet.source.family();
      if (masking.interface != out || std::find(masking.families.begin(), masking.families.end(), family) == masking.families.end()) continue;
      const auto own = masking.to ? masking.to : address_of(out, next);
      if (!own || own->family() != family) continue;
      if (*own != packet.source) {
        if (packet.back) return false;
        packet.masked.push_back({here, packet.source, *own});
        packet.source = *own;
        if (records_) packet.moves.back().masked_as = *own;
      }
      return true;
    }
    return true;
  }

  // --- at a station ---

  void receive(Packet packet, std::size_t here, std::size_t in) {
    if (packet.back) unmask(packet, here);
    if (!station(here).amiss.empty()) return lose(std::move(packet), Loss::Kind::down, here, packet.destination);
    if (is_for(here, packet.destination)) return arrive(std::move(packet), here, in);
    if (++packet.received > most_received) return lose(std::move(packet), Loss::Kind::loop, here, packet.destination);
    if (!station(here).forwards(packet.destination.family(), in)) {
      note(packet, here, in, none, nullptr, std::nullopt);
      return lose(std::move(packet), Loss::Kind::no_router, here, packet.destination);
    }
    const RouteEntry* route = network_.route(here, packet.source, packet.destination, in);
    pass(std::move(packet), here, in, route);
  }

  /// What a port map takes is the gateway's own, whether the topology knows the address or not.
  [[nodiscard]] bool is_for(std::size_t here, const IpAddress& address) const {
    return network_.is_own(here, address) || (map_ != none && here == gateway && address == to_.address);
  }

  static void unmask(Packet& packet, std::size_t here) {
    for (auto known = packet.masked.rbegin(); known != packet.masked.rend(); ++known) {
      if (known->station == here && known->translated == packet.destination) packet.destination = known->original;
    }
  }

  void arrive(Packet packet, std::size_t here, std::size_t in) {
    if (map_ != none && here == gateway && !packet.back) return arrive_mapped(std::move(packet), in);
    note(packet, here, in, none, nullptr, std::nullopt);
    if (here == gateway && in != none) cross(packet, in, none);
    if (records_) packet.moves.back().crossings = packet.leg.crossings.size();
    const Endpoint& wanted = packet.back ? from_ : to_;
    if (wanted.kind != Endpoint::Kind::station || wanted.station != here)
      return lose(std::move(packet), Loss::Kind::elsewhere, here, packet.destination);
    if (packet.back || in == none) return end(std::move(packet), std::nullopt);
    answer(std::move(packet), here);
  }

  void answer(Packet packet, std::size_t here) {
    packet.back = true;
    packet.known_to.push_back(here);
    std::swap(packet.source, packet.destination);
    const RouteEntry* route = network_.route(here, packet.source, packet.destination, none);
    pass(std::move(packet), here, none, route);
  }

  /// The target's answer comes by the gateway, which asks in its own name where it would not.
  void arrive_mapped(Packet packet, std::size_t in) {
    note(packet, gateway, in, network_.gateway_on(segment_of_mapped()), nullptr, target_);
    const IpAddress asked = packet.destination;
    packet.destination = target_;
    cross(packet, in, network_.gateway_on(segment_of_mapped()));
    if (records_) packet.moves.back().crossings = packet.leg.crossings.size();
    if (in == none) return end(std::move(packet), std::nullopt);
    packet.destination = asked;
    answer(std::move(packet), gateway);
  }

  [[nodiscard]] std::size_t segment_of_mapped() const { return relations_.intent.members[relations_.intent.ports[map_].member].segment; }

  // --- the outside ---

  void leave(Packet packet) {
    const Endpoint& wanted = packet.back ? from_ : to_;
    if (wanted.kind != Endpoint::Kind::outside) return lose(std::move(packet), Loss::Kind::outside, gateway, packet.destination);
    if (packet.back) return end(std::move(packet), std::nullopt);
    const std::size_t segment = network_.segment_of(packet.source);
    if (segment != none && relations_.intent.segments[segment].nat.masks(packet.source.family())) {
      const Nat& nat = relations_.intent.segments[segment].nat;
      const IpAddress translated = nat.kind == Nat::Kind::snat ? nat.to : IpAddress::any(packet.source.family());
      packet.masked.push_back({gateway, packet.source, translated});
      packet.source = translated;
      if (records_) packet.moves.back().masked_as = translated;
    }
    if (packet.sender == none && packet.leg.crossings.empty()) return end(std::move(packet), std::nullopt);  // the host's own
    packet.back = true;
    std::swap(packet.source, packet.destination);
    receive(std::move(packet), gateway, way_out);
  }

  const Network& network_;
  const policy::Relations& relations_;
  const Filter& filter_;
  const Endpoint& from_;
  const Endpoint& to_;
  bool records_;
  std::size_t map_ = none;
  IpAddress target_;
  Way way_;
  std::vector<std::vector<Move>> moves_;
};

}  // namespace

Tracer::Tracer(const Network& network, const policy::Relations& relations) : network_(network), relations_(relations), filter_(network, relations) {}

Way Tracer::trace(const Endpoint& from, const Endpoint& to, std::vector<std::vector<Move>>* moves) const {
  Journey journey(*this, filter_, from, to, moves != nullptr);
  Way way = journey.run();
  if (moves != nullptr) *moves = journey.take_moves();
  return way;
}

Way Tracer::trace_mapped(const Endpoint& from, const IpAddress& address, std::size_t map, const IpAddress& target,
                         std::vector<std::vector<Move>>* moves) const {
  const Endpoint to{Endpoint::Kind::station, gateway, address};
  Journey journey(*this, filter_, from, to, moves != nullptr);
  journey.map_to(map, target);
  Way way = journey.run();
  if (moves != nullptr) *moves = journey.take_moves();
  return way;
}

}  // namespace topo::reach
