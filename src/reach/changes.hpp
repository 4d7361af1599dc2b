// Who can reach whom before and after a change, and what of it is new.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reach/names.hpp"
#include "reach/services.hpp"

namespace topo::reach {

/// One side of flows, by name.
struct Crowd {
  std::string text;                  ///< "frontend", "web, api", "n2, n3 and 247 more"
  std::vector<std::string> members;  ///< all of it: namespaces ("router:wan" where not all of its addresses), "host", "internet", zones outside
};

struct Change {
  enum class Kind : std::uint8_t {
    allowed,      ///< could not be reached before
    moved,        ///< a published port: `from` are its two targets or outside ports
    denied,       ///< can be reached no more
    still_denied  ///< told where something else comes to reach the same
  };
  Kind kind = Kind::allowed;
  Crowd from, to;
  bool both_ways = false;
  Services services;               ///< that are newly so
  std::optional<Family> family;    ///< of that family alone; nullopt: of all that both ends have
  std::string by;                  ///< published: "port 8080", moved: "port 8080 -> 80"
  Verdict now = Verdict::allowed;  ///< of what is denied: whether the policy says so, or the way is gone
  std::string why;                 ///< what decides now; empty where it is nothing that could be told
  Position at;                     ///< where the file says so, if it does
};

struct Changes {
  std::vector<Change> changes;  ///< by kind, then in the order of the file's names
  bool cuts = false;            ///< the policy denies something, or a port map no longer leads there, between ends that are still there
  bool breaks = false;          ///< the way of something is gone, between ends that are still there
};

/// "a, b" or "a, b and 7 more".
[[nodiscard]] std::string listed(std::vector<std::string> names);

/// nullptr: nothing is there. What only goes with one of its ends is not told. Positions are those of `after`.
[[nodiscard]] Changes compare(const Names* before, const Names* after);

}  // namespace topo::reach
