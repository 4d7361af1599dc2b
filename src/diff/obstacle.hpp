// What stands in the way of a plan, as data.
#pragma once

#include <string>
#include <vector>

#include "topo/error.hpp"

namespace topo {

/// Something that is not this topology's and holds a name, an address or a port that it wants.
struct Obstacle {
  std::string what;       ///< "interface frontend", "port 80/tcp"
  std::string why;        ///< "is not made by topo", "belongs to topology lab", "the host itself listens on it"
  bool listener = false;  ///< a program listening on a mapped port: `--take-port` goes over it
};

struct Hindrances {
  std::vector<Obstacle> obstacles;
  std::vector<Warning> warnings;  ///< a FORWARD policy that drops
};

}  // namespace topo
