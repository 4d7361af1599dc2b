// The ends of flows in two models, matched by name.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "reach/fold.hpp"
#include "reach/names.hpp"

namespace topo::reach {

/// One of two models.
enum Side : std::size_t { before, after };
inline constexpr std::array<Side, 2> sides{before, after};

/// Somebody who may send, in either model or in both.
struct Sender {
  std::string name;
  std::array<std::size_t, 2> numbers{none, none};  ///< index into senders()
  std::array<std::size_t, 2> stations{none, none}, regions{none, none};
};

/// Somebody's addresses that can be reached and are told together: what he has on one of the gateway's networks, or all the rest.
struct Unit {
  std::string owner, interface;  ///< the latter empty: all that the owner has
  std::array<std::size_t, 2> stations{none, none}, regions{none, none};
  std::array<std::vector<std::size_t>, 2> interfaces;  ///< their places in Station::interfaces
  std::array<std::vector<std::size_t>, 2> targets;
};

/// Equals in both models and in whatever has a name: rows and columns of a table.
template <class T>
struct Groups {
  std::vector<std::vector<std::size_t>> members;  ///< indices into the senders or units
  std::vector<Heading> headings;                  ///< names: the places in Names::sets of the side that was asked for
};

class Comparison {
 public:
  Comparison(const Names* before, const Names* after);

  [[nodiscard]] const Names* names(Side side) const { return names_[side]; }
  [[nodiscard]] const std::vector<Sender>& senders() const { return senders_; }
  [[nodiscard]] const std::vector<Unit>& units() const { return units_; }
  /// Grouped for names as `side` means them. `lasting`: only those that are in both.
  [[nodiscard]] Groups<Sender> group_senders(Side side, bool lasting) const;
  [[nodiscard]] Groups<Unit> group_units(Side side, bool lasting) const;

 private:
  void add_namespaces();
  void add_units(const std::string& name, const std::array<std::size_t, 2>& stations);
  void add_others();
  void add_regions();

  std::array<const Names*, 2> names_;
  std::vector<Sender> senders_;
  std::vector<Unit> units_;
};

}  // namespace topo::reach
