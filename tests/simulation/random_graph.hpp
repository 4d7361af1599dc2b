// Graphs at random, of few names so that two of them meet often. Each is one that a kernel takes.
#pragma once

#include "graph/graph.hpp"
#include "simulation/choices.hpp"

namespace topo::test {

[[nodiscard]] Graph random_graph(Choices& choices, const std::string& topology = "lab");

/// The graph without some of what is in it, and without what cannot be without that; where something is left of it, each once.
[[nodiscard]] std::vector<Graph> smaller_graphs(const Graph& graph);

/// One line for each resource.
[[nodiscard]] std::string to_text(const Graph& graph);

/// What strangers may have on a machine beside it.
[[nodiscard]] std::vector<Resource> random_strangers(Choices& choices);

}  // namespace topo::test
