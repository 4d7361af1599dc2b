// What a compiled ruleset does to a first packet. Used to find connections that are no longer allowed, and to tell which rule decides.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "resources/firewall/firewall.hpp"

namespace topo::policy {

/// The first packet of a connection as the filter table sees it: after DNAT, before SNAT.
struct Packet {
  std::string in, out;  ///< interfaces; empty: the host itself
  std::uint32_t in_group = 0, out_group = 0;
  std::string physical_in, physical_out;
  bool bridged = false;
  IpAddress source, destination;
  std::uint8_t protocol = 6;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t icmp_type = 8;
  bool dnat = false;
  bool source_local = false, destination_local = false;
};

/// A chain of either backend.
struct ChainPlace {
  std::string table;  ///< "ip filter", "ip6 filter"; of nftables its family, "inet" or "bridge"
  std::string name;
  auto operator<=>(const ChainPlace&) const = default;
};
[[nodiscard]] ChainPlace place_of(const netfilter::ChainId& chain);
using CompiledRule = std::variant<netfilter::Rule, nftables::Rule>;

/// A rule that a packet met and matched, by its place.
struct Step {
  ChainPlace chain;
  std::size_t index = 0;  ///< in the chain, from 0; in a built-in chain among the topology's own jumps
  std::variant<const netfilter::Rule*, const nftables::Rule*> rule;
  const nftables::Element* element = nullptr;  ///< that the rule found the packet by, in the last of its sets; nullptr: it looked into none

  /// Which statement of the file it is of; empty where none is.
  [[nodiscard]] std::string comment() const;
  /// As iptables-save(8) or nft(8) prints it, with the comment.
  [[nodiscard]] std::string text() const;
};

/// What becomes of a packet, and by which rule.
struct Ruling {
  enum class Outcome : std::uint8_t {
    accepted,
    blocked,  ///< dropped or rejected
    left      ///< to whatever rules come after the topology's
  };
  Outcome outcome = Outcome::left;
  /// From the built-in chain to the rule that decided, through every jump. Empty: no rule of the topology matched.
  std::vector<Step> path;

  [[nodiscard]] bool passes() const { return outcome != Outcome::blocked; }
  /// The rule that decided, which says so in its comment where a statement of the file does; of a refusal the rule that led to it. nullptr: none.
  [[nodiscard]] const Step* decisive() const;
};

/// The way of `packet` through the filter: input, output or forward, by which of `in` and `out` are set. `firewall` must outlive the result.
[[nodiscard]] Ruling rule_on(const Firewall& firewall, const Packet& packet);
[[nodiscard]] Ruling rule_on(const netfilter::Ruleset& rules, const Packet& packet);
[[nodiscard]] Ruling rule_on(const nftables::Ruleset& rules, const Packet& packet);

/// True unless a rule of `rules` on the packet's way (INPUT, OUTPUT or FORWARD, by which of `in` and `out` are set) drops or rejects it.
[[nodiscard]] bool passes(const netfilter::Ruleset& rules, const Packet& packet);
/// The same of the tables of nf_tables.
[[nodiscard]] bool passes(const nftables::Ruleset& rules, const Packet& packet);
/// Of whichever backend's rules there are.
[[nodiscard]] bool passes(const Firewall& firewall, const Packet& packet);

}  // namespace topo::policy
