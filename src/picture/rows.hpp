// Where blocks stand: in rows, near what they are tied to.
#pragma once

#include <vector>

#include "picture/block.hpp"

namespace topo::picture {

/// What ties two blocks together and so wants them near each other.
struct Tie {
  std::size_t a = nowhere, b = nowhere;  ///< blocks
  bool cable = true;
  bool straight = false;                 ///< a cable that may slope from one namespace to another
  int label = 0;                         ///< width in pixels of what is to be written on it
  std::size_t net = nowhere;             ///< ties of one net run together
};

/// Where each block's origin is, and the zones' frames around blocks; multiples of `pitch`, from (0, 0) on.
struct Placement {
  std::vector<Point> origins{};
  std::vector<ZoneFrame> frames{};
  int width = 0, height = 0;
};

[[nodiscard]] Placement place(const Scene& scene, const std::vector<Block>& blocks, const std::vector<Tie>& ties);

}  // namespace topo::picture
