// What in a table is whose: chains by their names, jumps by their target and comment together.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "firewall/iptables/table.hpp"

namespace topo::firewall {

/// A jump in a built-in chain, and its place there, from 0.
struct Jump {
  std::size_t index = 0;
  Entry entry;
  netfilter::Rule rule;
};

/// What of one table belongs to a topology.
struct Owned {
  std::map<std::string, std::vector<Entry>> chains;
  std::map<std::string, std::vector<Jump>> jumps;  ///< by built-in chain
  bool flushed = false;  ///< shared_in: the chain is empty, and so are the chains of topologies that are there: `iptables -F` leaves them so
};

/// Whether `chain` is the topology's: its prefix, alone or followed by '-'.
[[nodiscard]] bool owns_chain(const std::string& topology, const std::string& chain);
/// The chains and jumps of `topology` in `table`.
[[nodiscard]] Owned owned_by(const std::string& topology, const Table& table);
/// The shared chain and the jumps to it.
[[nodiscard]] Owned shared_in(const Table& table);
/// Chain prefix -> topology, of all topologies that have a jump in a built-in chain of `table`.
[[nodiscard]] std::map<std::string, std::string> topologies_in(const Table& table);

}  // namespace topo::firewall
