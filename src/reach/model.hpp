// Who can reach whom in a topology: every flow that its policy tells apart, by classes of equals, and what becomes of each.
//
// The model is a reading of the meaning (policy::Intent) and of the routes, links and addresses of a graph, desired or live. What was compiled of the
// meaning has no part in it; reach/ruling.hpp asks the compiled rules.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reach/classes.hpp"
#include "reach/judge.hpp"
#include "reach/network.hpp"
#include "reach/regions.hpp"
#include "reach/trace.hpp"

namespace topo::reach {

/// One side of flows: namespaces that are equal in everything that matters there, the host, or a part of the outside.
struct Party {
  enum class Kind : std::uint8_t { namespaces, host, outside } kind = Kind::namespaces;
  std::vector<std::size_t> stations;  ///< indices into Network::stations; of the host: the gateway; of the outside: none
  std::size_t region = none;          ///< of the outside: index into Model::regions
};

/// What can be reached: an address of each of a party's stations, the host, a part of the outside, or what a port map leads to.
struct Target {
  enum class Kind : std::uint8_t { address, host, outside, port } kind = Kind::address;
  std::size_t party = none;      ///< index into Model::receivers; port: the party that the map's target is of
  std::size_t interface = none;  ///< address: the place of its interface in Station::interfaces
  std::size_t address = none;    ///< address: the place in Interface::addresses
  std::size_t map = none;        ///< port: index into Intent::ports
  Family family = Family::v4;
};

/// What becomes of all services between a party and a target.
struct Outcome {
  Spans spans;               ///< of a port map: one for each part of its own range, in the target's ports, and no last one for the rest
  std::optional<Loss> loss;  ///< where something of it is unroutable; its address and route are those of one such case (text_of in reach/words.hpp)
};

/// A class of flows: equal senders, equal receivers, one service, and one verdict.
struct FlowClass {
  std::size_t from = none;      ///< index into Model::senders
  std::vector<std::size_t> to;  ///< indices into Model::targets, all of one kind and family
  Span span;                    ///< `any`: whatever no other class between the two is about
  std::optional<Loss> loss;     ///< of the unroutable
  bool itself = false;          ///< port: from the map's own target
};

/// A packet that stands for a class of flows.
struct Witness {
  std::size_t from = gateway, to = gateway;  ///< stations; the gateway also for the outside
  bool from_outside = false, to_outside = false;
  IpAddress source;                   ///< that the sender chooses; unspecified where it has none
  IpAddress destination;              ///< that is sent to; of a port map the host's
  Protocol protocol = Protocol::tcp;  ///< `any`: only a protocol without ports is left, as SCTP is
  std::uint16_t port = 0;             ///< that is sent to; 0 of icmp and any
  std::size_t map = none;             ///< the port map that it is to pass
};

class Model {
 public:
  /// `graph` may be desired or live; `intent` is what the gateway's policy there means; `zones` are parts of the outside to be told apart besides
  /// those that the policy names (zones_of in reach/names.hpp).
  Model(const Graph& graph, policy::Intent intent, const Zones& zones = {});

  [[nodiscard]] const policy::Intent& intent() const { return *intent_; }
  [[nodiscard]] const policy::Relations& relations() const { return *relations_; }
  [[nodiscard]] const Network& network() const { return *network_; }
  [[nodiscard]] const Judge& judge() const { return *judge_; }
  [[nodiscard]] const Tracer& tracer() const { return *tracer_; }

  [[nodiscard]] const std::vector<Party>& senders() const { return senders_; }
  [[nodiscard]] const std::vector<Party>& receivers() const { return receivers_; }
  [[nodiscard]] const std::vector<Target>& targets() const { return targets_; }
  [[nodiscard]] const std::vector<Region>& regions() const { return regions_; }
  /// The party of a station (of the gateway: that of the host), by its index among senders and receivers.
  [[nodiscard]] std::size_t sender_of(std::size_t station) const { return sender_of_station_[station]; }
  [[nodiscard]] std::size_t receiver_of(std::size_t station) const { return receiver_of_station_[station]; }
  [[nodiscard]] std::size_t sender_of_region(std::size_t region) const { return sender_of(gateway) + 1 + region; }
  [[nodiscard]] std::size_t receiver_of_region(std::size_t region) const { return receiver_of(gateway) + 1 + region; }
  /// The region that an address outside is in.
  [[nodiscard]] std::size_t region_of(const IpAddress& address) const;
  /// Of a receiver; indices into targets().
  [[nodiscard]] const std::vector<std::size_t>& targets_of(std::size_t receiver) const { return targets_of_[receiver]; }
  /// Those that are port maps.
  [[nodiscard]] const std::vector<std::size_t>& port_targets() const { return port_targets_; }

  /// What becomes of what a station of the sender sends to a target of another station. nullptr: nothing of the kind can be sent, as of a family
  /// that the sender has no address of, or between the host and the outside.
  [[nodiscard]] const Outcome* outcome(std::size_t sender, std::size_t target) const;
  /// The same as a place in outcomes(), equal for equal outcomes; none: nullptr.
  [[nodiscard]] std::size_t outcome_number(std::size_t sender, std::size_t target) const;
  [[nodiscard]] const std::vector<Outcome>& outcomes() const { return outcomes_; }
  /// The outcome numbers of all targets at once; no_outcome for none.
  [[nodiscard]] std::vector<std::uint32_t> outcome_numbers(std::size_t sender) const;
  static constexpr std::uint32_t no_outcome = 0xffffffff;
  /// Of a port map's own target by the map (hairpin); nullptr: it has no way to the host's address.
  [[nodiscard]] const Outcome* outcome_itself(std::size_t port_target) const;

  /// All flows, by classes: every party and every target, and every service that a statement about them names, with one for all the others.
  [[nodiscard]] std::vector<FlowClass> flows() const;
  /// A packet of the class, the same each time. nullopt: the sender has no address to send it from.
  [[nodiscard]] std::optional<Witness> witness(const FlowClass& flow) const;

  /// The address of the host that a station speaks to: one on a network of its own where there is one. Unspecified: the host has none.
  [[nodiscard]] IpAddress host_address(std::size_t station, Family family) const;
  /// The address of a station of the target's party.
  [[nodiscard]] IpAddress address_of(std::size_t station, const Target& target) const;
  /// Where a station's packets to the target go: to an address of `to`, to the host's, or (the example of its region) outside.
  [[nodiscard]] IpAddress destination_of(std::size_t sender_station, std::size_t to, const Target& target) const;
  /// Two stations that the class is about, the sender first; the gateway for the host and the outside.
  [[nodiscard]] std::pair<std::size_t, std::size_t> ends_of(const FlowClass& flow) const;
  /// The way of what a station of `sender` (one that is not `to`'s) sends to `to`'s address of the target.
  [[nodiscard]] Way way(std::size_t sender_station, const Party& sender, std::size_t to, const Target& target,
                        std::vector<std::vector<Move>>* moves = nullptr) const;

 private:
  friend class ModelBuilder;
  /// Whether the target is the sender's own, and of no other of the sender's class.
  [[nodiscard]] bool is_itself(const Party& from, const Target& target) const;
  [[nodiscard]] std::uint32_t usual_outcome(std::size_t sender, std::size_t target) const;

  std::unique_ptr<policy::Intent> intent_;
  std::unique_ptr<policy::Relations> relations_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Judge> judge_;
  std::unique_ptr<Tracer> tracer_;
  std::vector<Region> regions_;
  std::vector<Party> senders_, receivers_;
  std::vector<Target> targets_;
  std::vector<std::size_t> sender_of_station_, receiver_of_station_;
  std::vector<std::vector<std::size_t>> targets_of_;
  std::vector<std::size_t> port_targets_;
  std::vector<std::size_t> group_of_target_;                  ///< targets that packets take the same ways to
  std::vector<std::size_t> home_of_sender_, home_of_target_;  ///< Kinds::home of their stations
  /// Of each sender, two by group: the outcome for targets elsewhere and for those on its own Ethernet, but for
  std::vector<std::vector<std::uint32_t>> outcome_of_group_;
  std::vector<std::map<std::size_t, std::uint32_t>> exceptions_;  ///< of each sender: these targets
  std::vector<std::uint32_t> itself_;                             ///< by target: the outcome of a port map from its own target
  std::vector<Outcome> outcomes_;
};

}  // namespace topo::reach
