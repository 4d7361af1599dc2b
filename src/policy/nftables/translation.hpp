// Port maps, their hairpins, and the source addresses of what leaves, in the terms of nf_tables.
#pragma once

#include <map>
#include <string>

#include "policy/nftables/lookups.hpp"
#include "policy/relations.hpp"

namespace topo::policy::nft {

class Translation {
 public:
  Translation(const Intent& intent, Table& table) : intent_(intent), table_(table) {}
  /// Writes no chain where there is nothing to translate.
  void write();

 private:
  using Rules = std::vector<Rule>;

  void write_maps();
  void add_map(const std::string& name, const Part& front, const PortMap& map, const IpAddress& target);
  void write_ways_in(bool any_outside);
  void write_way_back(Rules& rules);
  void write_ways_out(Rules& rules);
  void add_lookups(Rules& rules, const std::string& name, bool by_address) const;
  [[nodiscard]] Rules& hook(const std::string& name, const char* where, int priority);

  const Intent& intent_;
  Table& table_;
};

}  // namespace topo::policy::nft
