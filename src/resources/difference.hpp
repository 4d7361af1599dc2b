// How two values of one kind differ, told so that a person can read it.
#pragma once

#include <string>
#include <vector>

namespace topo {

struct Difference {
  std::string attribute;  ///< "mtu"
  std::string before;     ///< as printed, empty where it is absent
  std::string after;
  bool recreate = false;  ///< the kernel cannot change it in place
  bool operator==(const Difference&) const = default;
};
using Differences = std::vector<Difference>;

/// Adds a difference of `attribute` where the two texts differ.
inline void compare(Differences& out, const char* attribute, const std::string& before, const std::string& after) {
  if (before != after) out.push_back({attribute, before, after, false});
}

}  // namespace topo
