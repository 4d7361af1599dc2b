// Namespaces that are equal in everything that decides who reaches them and whom they reach.
#pragma once

#include <vector>

#include "reach/judge.hpp"
#include "reach/network.hpp"

namespace topo::reach {

/// A partition of the stations, without the gateway.
struct Partition {
  std::vector<std::vector<std::size_t>> classes;
  std::vector<std::size_t> of_station;  ///< none: the gateway
};

/// Stations by the ways that packets take from and to them. Those of one class have equally many interfaces, and equally many addresses on each.
/// Routers, who are on the ways of others, are each a class of their own.
struct Kinds : Partition {
  /// Of a station that is on one Ethernet alone and sends by its gateway what is for others: that Ethernet. Its kind does not tell which one; what
  /// holds between two of such kinds depends on whether they share it. none: of any other, whose kind tells all.
  std::vector<std::size_t> home;
};
[[nodiscard]] Kinds kinds_of(const Network& network, const policy::Relations& relations);

/// What of a station's part in the policy is to be equal.
struct Roles {
  bool sender = false;    ///< the statements that name it as sender
  bool receiver = false;  ///< as receiver
};
/// Stations of one kind and home that the same statements name.
[[nodiscard]] Partition classes_of(const Network& network, const policy::Relations& relations, const Judge& judge, const Kinds& kinds, Roles roles);

}  // namespace topo::reach
