// An intent in the terms of nf_tables: tables `inet` and, where bridges are filtered, `bridge`.
//
//   inet forward     who is no concern of ours leaves; answers pass; then by both ends:
//     from           own to own and own to outside, by incoming interface:
//       from_X       inside bridge X by the mark of table bridge; source check -> check_X; established traffic passes; -> judge_X
//       judge_X      denies and allows, each one lookup a kind of decision, and what holds by default; port_M: the same for M, known by its port
//     to             outside to own: denies, allows, port maps
//   inet input       source check, and what members may not say to the host (input_X)
//   inet output      what the host may not say to members
//   inet prerouting, output_nat, postrouting: port maps and source addresses; raw: the zones of plain switches
//   bridge forward   marks what stays inside a filtered bridge by sender's and receiver's port (inside_X, say_X), which only this table sees
//   bridge input     marks what comes up from there by its port
//
// Connections are known to table inet alone and ports to table bridge alone, so a mark goes from one to the other; nothing bears it any longer
// than that. In a table of topo's own a packet may be accepted where in iptables it is returned: the host's own rules come all the same.
#pragma once

#include <string>
#include <vector>

#include "policy/nftables/judgement.hpp"
#include "policy/nftables/lookups.hpp"
#include "policy/relations.hpp"

namespace topo::policy::nft {

/// The priority of what filters: NF_IP_PRI_FILTER is 0 (linux/netfilter_ipv4.h).
inline constexpr int before_filter = -1;

class Compiler {
 public:
  Compiler(const Intent& intent, const Relations& relations);
  [[nodiscard]] Ruleset write();

 private:
  using Rules = std::vector<Rule>;
  using Members = std::vector<std::size_t>;
  /// What table bridge says of a packet that stays inside a bridge. Marks are numbers that begin as the groups of topo's links do.
  static constexpr std::uint32_t mark_pass = 0x74000001, mark_block = 0x74000002, mark_wrong = 0x74000003, mark_apart = 0x74000004;
  /// And of one that comes up: this and the place of its member among those of the bridge.
  static constexpr std::uint32_t mark_seat = 0x74000100;
  static constexpr std::uint32_t router_advertisement = 134, redirect_v4 = 5, redirect = 137;

  // compiler.cpp
  void write_refuse();
  void write_zones();
  void write_statements();
  void count_refusals();
  void drop_unused();
  void write_map_of_verdicts(Table& table, const std::string& name, Type key, const std::map<Value, std::string>& verdicts);
  [[nodiscard]] Rules& chain(const std::string& name) { return rules_.inet.chains[name].rules; }
  [[nodiscard]] Rules& hook(const std::string& name, const char* type, const char* where, int priority);
  [[nodiscard]] const Segment& segment_of(std::size_t member) const { return intent_.segments[intent_.members[member].segment]; }
  [[nodiscard]] Match own(Field group, bool negated = false) const;
  [[nodiscard]] static Match of_any_topology(Field group, bool negated = false);
  [[nodiscard]] static Match state(std::uint32_t bit);
  static void add_answers(Rules& rules, const std::vector<Match>& front);
  [[nodiscard]] static Match neighbour_discovery(bool from_routers);
  [[nodiscard]] Match is(Field field, const Segment& segment) const { return match(field, nftables::name_value(segment.interface)); }
  [[nodiscard]] std::uint32_t seat(std::size_t member) const;
  /// Whether the member's packets bear its seat's mark when they come up from the bridge.
  [[nodiscard]] bool has_seat(std::size_t member) const { return segment_of(member).filtered; }

  // forward.cpp
  void write_forward();
  void write_from(std::size_t segment);
  void write_inside(std::size_t segment, Rules& rules);
  void write_check(std::size_t segment);
  void write_judge(std::size_t segment);
  void add_strangers(std::size_t segment, Rules& rules);
  [[nodiscard]] bool implied_way_out(std::size_t segment, Family family) const;
  [[nodiscard]] Rules own_ways_out(std::size_t segment, const Members& members, bool known_by_chain);
  [[nodiscard]] Rules defaults(std::size_t segment);
  [[nodiscard]] bool is_known_by_port(std::size_t member) const;
  [[nodiscard]] std::string chain_of_port(std::size_t member) const;
  [[nodiscard]] std::vector<Part> sender(std::size_t member) const;
  void write_self();
  void add_self(Rules& rules, const std::vector<Match>& front) const;

  // ends.cpp
  [[nodiscard]] std::vector<Encounter> members_at(const Ends& ends, bool unaddressed);
  [[nodiscard]] std::vector<Encounter> unaddressed_at(std::size_t segment);
  [[nodiscard]] std::vector<Encounter> towards(std::size_t decision);
  void write_to();

  // bridged.cpp
  void write_bridges();
  void write_bridged(std::size_t segment, std::map<Value, std::string>& ports);
  void write_sources(std::size_t segment, Rules& rules);
  void write_say(std::size_t segment);

  // local.cpp
  void write_input();
  [[nodiscard]] std::string input_chain(std::size_t segment);
  [[nodiscard]] std::vector<Part> sender_to_host(std::size_t member, std::size_t segment) const;
  void write_output();
  [[nodiscard]] std::vector<Encounter> from_host(std::size_t decision);

  const Intent& intent_;
  const Relations& relations_;
  std::uint32_t group_;
  Action accept_ = verdict(Action::Kind::accept), drop_ = verdict(Action::Kind::drop), return_ = verdict(Action::Kind::return_);
  Action block_;
  Ruleset rules_;
  Rules self_;  ///< accept what a port map's target says to itself
};

}  // namespace topo::policy::nft
