// What the meaning of a policy says of a packet where the gateway's filter sees it. Reads policy::Intent alone: what was compiled of it is of no
// account here.
#pragma once

#include <cstdint>
#include <vector>

#include "policy/relations.hpp"
#include "reach/trace.hpp"

namespace topo::reach {

enum class Verdict : std::uint8_t { allowed, denied, unroutable };

/// What decides.
struct Reason {
  enum class Kind : std::uint8_t {
    allow,          ///< a statement of the file; `index` into Intent::allow
    deny,           ///< `index` into Intent::deny
    port,           ///< a port map; `index` into Intent::ports
    same_bridge,    ///< `index`: the segment, in which nothing is forbidden by default
    isolated,       ///< `index`: the segment
    between,        ///< between two bridges: the file's default
    host,           ///< between members and the host everything may pass
    nat,            ///< a way out; `index`: the segment
    no_nat,         ///< no way out; `index`: the segment
    other_way_out,  ///< an allow to the outside takes the place of nat's; `index`: the segment
    entering,       ///< from outside nothing may, but for port maps
    itself,         ///< by a port map back to who sends
    not_own,        ///< the source address is not the sender's
    cable,          ///< what passes from bridge to bridge by a cable keeps to no policy
    unfiltered,     ///< no filter of the topology is on the way
    lost            ///< it does not arrive; the loss tells
  };
  Kind kind = Kind::unfiltered;
  std::size_t index = none;
  auto operator<=>(const Reason&) const = default;
};

struct Ruled {
  Verdict verdict = Verdict::allowed;
  Reason reason;
  auto operator<=>(const Ruled&) const = default;
};

/// Services and what becomes of each. The last has the protocol `any`: whatever none before it is about.
struct Span {
  PortRange service;
  Ruled ruled;
  bool operator==(const Span& other) const { return service == other.service && ruled == other.ruled; }
};
using Spans = std::vector<Span>;

/// What holds of all services: a partition of the ports of tcp and udp, and the two kinds of traffic that have none.
class Rulings {
 public:
  explicit Rulings(const Ruled& all = {});
  [[nodiscard]] Spans spans() const;
  [[nodiscard]] const Ruled& of(Protocol protocol, std::uint16_t port) const;
  /// First this, then, of what it allows, `next`.
  void refine(const Rulings& next);

 private:
  friend class Judge;
  struct Range {
    std::uint32_t first = 0;  ///< up to the next one's
    Ruled ruled;
  };
  using Ranges = std::vector<Range>;
  static Ranges refined(const Ranges& before, const Ranges& next);
  Ranges tcp_, udp_;
  Ruled icmp_, rest_;
};

class Judge {
 public:
  /// `relations` must outlive it.
  explicit Judge(const policy::Relations& relations);
  [[nodiscard]] Rulings judge(const Crossing& crossing) const;
  /// Decisions (indices into Relations::decisions) that name the member as receiver, and not its whole segment too.
  [[nodiscard]] const policy::Decisions& to_member(std::size_t member) const { return to_member_[member]; }

 private:
  /// Who one side of a crossing is.
  struct Side {
    std::vector<const policy::Decisions*> lists;  ///< that may name it
    std::size_t size = 0;
  };
  [[nodiscard]] std::vector<std::size_t> matching(const Crossing& crossing) const;
  [[nodiscard]] Side sender(const Crossing& crossing) const;
  [[nodiscard]] Side receiver(const Crossing& crossing) const;
  [[nodiscard]] bool names_sender(const policy::Ends& ends, const Crossing& crossing) const;
  [[nodiscard]] bool names_receiver(const policy::Ends& ends, const Crossing& crossing) const;
  [[nodiscard]] Ruled otherwise(const Crossing& crossing) const;
  [[nodiscard]] Ruled way_out(const Crossing& crossing) const;
  [[nodiscard]] Rulings::Ranges ranges(const std::vector<std::size_t>& ids, Protocol protocol, const Ruled& otherwise) const;
  [[nodiscard]] Ruled first(const std::vector<std::size_t>& ids, Protocol protocol, const Ruled& otherwise) const;
  [[nodiscard]] Ruled ruled_by(std::size_t id) const;
  [[nodiscard]] std::size_t segment_of_sender(const Crossing& crossing) const;

  const policy::Relations& relations_;
  const policy::Intent& intent_;
  std::vector<policy::Decisions> to_segment_, to_member_;
  policy::Decisions from_outside_, to_outside_, from_host_, to_host_, to_any_;
};

}  // namespace topo::reach
