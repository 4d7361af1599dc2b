// Namespaces written one by one, written as replicas again.
#pragma once

#include <set>
#include <string>

#include "topo/topology.hpp"

namespace topo::report {

/// In a topology whose namespaces are sorted by name, makes NAME1 ... NAMEn one entry with `replicas`, where n replicas would have just what they
/// have. Where not, a zone of them takes the place of NAME[*] in zones and policy, whose members and texts are all that is read of them. `used` are
/// all addresses there are.
void write_as_replicas(Topology& topology, const std::string& name, std::size_t count, const std::set<IpAddress>& used);

}  // namespace topo::report
