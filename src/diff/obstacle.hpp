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

/// An interface that the host does not have yet.
struct NewInterface {
  std::string name;
  std::string kind;  ///< as ip-link(8) names it: "bridge", "veth"
};

struct Hindrances {
  std::vector<Obstacle> obstacles;
  std::vector<Warning> warnings;  ///< a FORWARD policy that drops, a daemon that would change new interfaces
  std::vector<NewInterface> new_interfaces;
};

}  // namespace topo
