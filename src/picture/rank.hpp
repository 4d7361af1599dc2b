// In which row a block belongs: by what it is cabled to.
#pragma once

#include <vector>

#include "picture/rows.hpp"

namespace topo::picture {

/// Blocks that cables tie together, each with its place from the top.
struct Component {
  std::vector<std::size_t> blocks{};           ///< in their order
  std::vector<std::vector<std::size_t>> rows{};  ///< none empty
};

/// The outside world is on top, below it the host, then what is nearest to it. Without a host: routers above what they serve.
[[nodiscard]] std::vector<Component> components_of(const Scene& scene, const std::vector<Block>& blocks, const std::vector<Tie>& ties);

}  // namespace topo::picture
