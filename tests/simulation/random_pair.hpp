// Topology files at random: what the language can say, of few names and addresses, so that two of them meet often.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "graph/graph.hpp"

namespace topo::test {

struct RandomFile {
  std::string text;
  Graph graph;  ///< what the text asks for
};

/// A file and, most often, what somebody might make of it by changing some of its sections; the same for the same seed. Both are without mistakes.
[[nodiscard]] std::pair<RandomFile, RandomFile> random_pair(std::uint64_t seed);

}  // namespace topo::test
