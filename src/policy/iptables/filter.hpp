// The filter table of one family.
//
//   FORWARD -> fwd   who is no concern of ours leaves; answers pass; then by both ends:
//     from           own to own and own to outside, by incoming interface:
//       s SEGMENT    inside the bridge -> b; source check -> k; established traffic passes; members that flows name -> c; the rest -> denies and a
//         c CLASS    the members' own denies, the segment's (d), their own allows, then a
//         a SEGMENT  the segment's allows and what holds by default
//       b SEGMENT    bridged packets, by port: the same again with e (class), f (denies) and g (allows, default)
//     to             outside to own: denies, allows, port maps (m)
//   INPUT -> in      source check, and what members may not say to the host (n)
//   OUTPUT -> out    what the host may not say to members
//
// Chains that end a packet's way are gone to; so RETURN there leaves the packet to the host's own rules.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "policy/iptables/chains.hpp"
#include "policy/relations.hpp"

namespace topo::policy {

class Filter {
 public:
  Filter(const Intent& intent, const Relations& relations, Chains& chains);
  void write();

 private:
  using Rules = std::vector<Rule>;
  using Members = std::vector<std::size_t>;
  /// Members of one segment that the same decisions name.
  struct Class {
    Decisions decisions;
    Members members;
  };
  /// More members than this get a chain of their own, once for all flows that lead to them.
  static constexpr std::size_t listed_max = 4;
  static constexpr std::uint8_t router_advertisement = 134, redirect = 137;  ///< ICMPv6
  enum class Side : std::uint8_t { whoever, own, not_own, of_any_topology };

  // filter.cpp
  void write_forward();
  void write_reject();
  [[nodiscard]] std::vector<Class> classes_of(std::size_t segment, bool bridged) const;
  [[nodiscard]] std::vector<IpAddress> addresses_of(std::size_t member) const;
  [[nodiscard]] Rules services_of(std::size_t decision) const;
  [[nodiscard]] const Target& target_of(std::size_t decision, const Target& allowed) const {
    return relations_.decisions[decision].deny ? block_ : allowed;
  }
  [[nodiscard]] const Segment& segment_of(std::size_t member) const { return intent_.segments[intent_.members[member].segment]; }
  [[nodiscard]] std::string chain(char letter, const Segment& segment) { return chains_.name(letter, segment.interface); }
  [[nodiscard]] std::string chain(char letter, std::size_t member) { return chains_.name(letter, keys_[member]); }
  /// The segment's `self` chain: a port map's target may always speak to itself through it. Empty where there is none.
  [[nodiscard]] std::string self_chain(std::size_t segment);
  void add_neighbour_discovery(Rules& rules, bool from_routers, const Target& target) const;
  [[nodiscard]] static Rule established(Rule rule);
  /// What may come by any way: replies, and what is related to a connection, as errors are that some router sends.
  static void add_answers(Rules& rules, Rule rule, const Target& target);
  [[nodiscard]] static Rule from(const Segment& segment);
  [[nodiscard]] static Rule to(const Segment& segment);
  [[nodiscard]] Rule between(Side in, Side out) const;

  // routed.cpp
  void write_segment(std::size_t segment);
  void write_source_check(std::size_t segment);
  void write_class(const Class& members, std::size_t segment);
  void write_shared(std::size_t segment);
  void add_classes(Rules& rules, std::size_t segment, const std::string& rest);
  void add_unaddressed(Rules& rules, const Rule& base, std::size_t member, const Target& target);
  void add_decisions(Rules& rules, const Decisions& ids, bool denies);
  void add_towards(Rules& rules, std::size_t decision);
  void add_default(Rules& rules, std::size_t segment);
  [[nodiscard]] bool implied_way_out(std::size_t segment) const;
  /// Rules `base` by every way to name the own members among `ends`. `final` is false where `target` means to leave the calling chain too.
  void add_destinations(Rules& rules, const Rule& base, const Ends& ends, const Target& target, bool final);
  [[nodiscard]] Rules destinations(const Rule& base, const Members& members) const;
  void write_to();
  void add_from_outside(Rules& rules, std::size_t decision);

  // bridged.cpp
  void write_bridged(std::size_t segment);
  void add_bridged(Rules& rules, const Decisions& ids, std::size_t segment, bool denies);
  void add_receivers(Rules& rules, Rule base, const Members& receivers, const Target& target) const;
  [[nodiscard]] std::string receivers_chain(const Members& receivers, const Target& target);
  void add_bridged_default(Rules& rules, std::size_t segment);
  void add_router_discovery(Rules& rules, std::size_t segment) const;
  void add_ports(Rules& rules, std::size_t segment, const std::map<std::size_t, std::string>& class_of);

  // local.cpp
  void write_input();
  void write_output();
  [[nodiscard]] std::string input_chain(std::size_t segment);
  void add_towards_host(Rules& rules, const Decisions& ids, const Rules& sources) const;
  [[nodiscard]] Rules sources_of(std::size_t member, std::size_t segment) const;
  void add_from_host(Rules& rules, std::size_t decision);

  const Intent& intent_;
  const Relations& relations_;
  Chains& chains_;
  Family family_;
  std::uint32_t group_;
  Target accept_ = verdict(Target::Kind::accept);
  Target drop_ = verdict(Target::Kind::drop);
  Target return_ = verdict(Target::Kind::return_);
  Target block_;
  std::vector<std::string> keys_;          ///< of each member: what its chains' names are made from
  std::vector<std::string> member_chain_;  ///< of each member that a flow names: its class's chain
  std::vector<bool> shared_;               ///< of each segment: `c SEGMENT`, `d` and `a` are chains of their own
};

}  // namespace topo::policy
