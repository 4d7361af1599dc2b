// Who is named where in an intent: what both the bridge filter's need and the rules are found from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "policy/intent.hpp"

namespace topo::policy {

/// A flow and what becomes of it.
struct Decision {
  const Flow* flow = nullptr;
  bool deny = false;
};
/// Indices into Relations::decisions, rising: denies come before allows.
using Decisions = std::vector<std::size_t>;

struct Relations {
  explicit Relations(const Intent& intent);

  const Intent& intent;
  std::vector<Decision> decisions;
  std::vector<Decisions> from_segment;            ///< those that begin at every member of the segment
  std::vector<Decisions> from_member;             ///< those that name the member itself, and not its whole segment too
  std::vector<std::vector<std::size_t>> members;  ///< of each segment
  /// Of each segment: the members whose packets may come in by its interface; those of bridges that cables join it to are among them.
  std::vector<std::vector<std::size_t>> within_reach;
  std::vector<bool> mapped;  ///< of each member: a port map leads to it

  /// True where the member cannot be told by its source address.
  [[nodiscard]] bool by_port(std::size_t member) const { return intent.members[member].router || intent.members[member].addresses.empty(); }
  /// True where the decision is about the segment, whole or in part, as a flow's end.
  [[nodiscard]] bool ends_in(std::size_t decision, std::size_t segment) const;
  /// True where an allow among `ids` leads to the internet or to an address outside.
  [[nodiscard]] bool opens_outside(const Decisions& ids) const;
  /// True where packets may pass inside the bridge, from one port to another.
  [[nodiscard]] bool switches(std::size_t segment) const;
  /// True where source addresses of what comes in by the segment's interface tell who sent it.
  [[nodiscard]] bool checks_sources(std::size_t segment) const;
};

/// Of each plain switch: its interface and its conntrack zone.
[[nodiscard]] std::vector<std::pair<std::string, std::uint16_t>> zones_of(const Intent& intent);

[[nodiscard]] inline bool leads_outside(const Ends& ends) { return ends.any || ends.internet || !ends.outside.empty(); }

}  // namespace topo::policy
