// What stands in the way of a plan, as data.
#pragma once

#include <string>
#include <vector>

namespace topo {

/// Something that is not this topology's and holds a name, an address or a port that it wants.
struct Obstacle {
  std::string what;       ///< "interface frontend", "port 80/tcp"
  std::string why;        ///< "is not made by topo", "belongs to topology lab", "the host itself listens on it"
  bool listener = false;  ///< a program listening on a mapped port: `--take-port` goes over it
};

struct Hindrances {
  std::vector<Obstacle> obstacles;
  std::vector<std::string> warnings;  ///< what will not work although all is applied: a FORWARD policy that drops, with its remedy
};

}  // namespace topo
