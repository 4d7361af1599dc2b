// The nat table of one family: port maps, their hairpins, and the source addresses of what leaves.
#pragma once

#include <string>
#include <vector>

#include "policy/iptables/chains.hpp"
#include "policy/relations.hpp"

namespace topo::policy {

class Translation {
 public:
  Translation(const Intent& intent, Chains& chains);
  /// Writes no chain where there is nothing to translate.
  void write();

 private:
  using Rules = std::vector<Rule>;
  /// A port map as it is in this family.
  struct Map {
    const PortMap* map = nullptr;
    IpAddress target;
  };

  void write_maps();
  void write_ways_in();
  void write_way_back(Rules& rules);
  void write_ways_out(Rules& rules);
  [[nodiscard]] Rule translated(const Map& map) const;

  const Intent& intent_;
  Chains& chains_;
  Family family_;
  std::string mark_;
  std::vector<Map> maps_;
};

}  // namespace topo::policy
