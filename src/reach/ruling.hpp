// What compiled rules, of a graph or of a kernel, make of a packet on its way: which rule decides, to be held against the model.
#pragma once

#include <optional>
#include <vector>

#include "policy/verdict.hpp"
#include "reach/model.hpp"

namespace topo::reach {

/// The packet that the gateway's filter sees at a crossing. `port` is the one that is sent to; at a port map the target's.
[[nodiscard]] policy::Packet packet_at(const Network& network, const Crossing& crossing, Protocol protocol, std::uint16_t port);

/// The filters of a topology: the host's, and with `gateway: own` that of the gateway's namespace.
struct Firewalls {
  Firewall host;
  std::optional<Firewall> gateway;
};
/// Those of `graph`; one without a rule where it has none.
[[nodiscard]] Firewalls firewalls_in(const Graph& graph);

/// What the rules make of a packet where a filter sees it.
struct Judged {
  Crossing crossing;
  std::size_t number = 0;  ///< of the crossing in its leg
  std::string ns;          ///< where the filter is; empty: on the host
  policy::Packet packet;
  policy::Ruling ruling;
};
/// At each crossing of `leg` in turn, up to the one that blocks it. Crossings that no rule sees (Crossing::filtered) are left out; those that both
/// filters see come several times. `firewalls` must outlive the result.
[[nodiscard]] std::vector<Judged> judged_by(const Firewalls& firewalls, const Network& network, const Leg& leg, Protocol protocol, std::uint16_t port);

/// The rule that decides over the packets of a class.
struct DecidingRule {
  std::string ns;             ///< where it is; empty: on the host
  policy::ChainPlace chain;   ///< with its name in the kernel
  std::size_t index = 0;      ///< its place in the chain, from 0; in a built-in chain among the topology's own jumps
  policy::CompiledRule rule;  ///< as compiled: what `iptables-save -c` or `nft list` show with its counters
  std::string comment;        ///< of the rule; of nftables empty where many statements share one rule
  bool blocks = false;        ///< else it lets pass: accepts, or leaves to the host's own rules
};
[[nodiscard]] DecidingRule deciding(const Judged& judged, const policy::Step& step);
/// Of `flow`'s witness: the rule that blocks it, or else the last that let it pass. nullopt: no rule of the topology's sees it, or it is lost before.
/// Counted at least once a packet, of an allowed connection once for its first packet alone.
[[nodiscard]] std::optional<DecidingRule> deciding_rule(const Model& model, const Firewalls& firewalls, const FlowClass& flow, const Witness& witness);

}  // namespace topo::reach
