// Who can open connections to whom, as a table of the parties that the model of reachability tells apart.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "picture/scene.hpp"
#include "policy/intent.hpp"

namespace topo::picture {

/// One side: the things of the scene it is, under one name.
struct MatrixParty {
  std::string name;
  std::vector<std::size_t> nodes{};
};

/// What one may open to another.
struct MatrixEntry {
  enum class Extent : std::uint8_t { none, some, all } extent = Extent::none;
  std::string services{};          ///< "all", "5432, icmp", "all but 25", "none"
  std::vector<std::string> why{};  ///< what decides, a sentence each
  auto operator<=>(const MatrixEntry&) const = default;
};

struct Matrix {
  std::vector<MatrixParty> from{}, to{};
  std::vector<MatrixEntry> entries{};               ///< each different one once
  std::vector<std::vector<std::size_t>> entry_of{};  ///< by `from` and `to`; nowhere: there is nobody else there to send to
};

/// Of the desired graph and what its gateway's policy means. Deterministic.
[[nodiscard]] Matrix matrix_of(const Scene& scene, const Graph& desired, const policy::Intent& intent);

}  // namespace topo::picture
