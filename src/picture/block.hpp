// What moves as one: a thing and all that hangs on it alone (a bridge's members, a leaf's servers), laid out about its own origin.
#pragma once

#include <vector>

#include "picture/layout.hpp"

namespace topo::picture {

/// A node with its rectangle, relative to its block.
struct PlacedNode {
  std::size_t node = nowhere;
  Rect box;
};

struct Block {
  std::size_t hub = nowhere;
  int w = 0, h = 0;                ///< multiples of two pitches and of one
  std::vector<PlacedNode> nodes{}; ///< the hub first
  std::vector<Text> texts{};
  std::vector<ZoneFrame> zones{};
  std::vector<Bus> buses{};
  std::vector<Wire> wires{};       ///< the cables inside
  std::size_t zone = nowhere;      ///< that the hub stands in
};

/// The text that stands on a flow's wire; empty: none.
[[nodiscard]] std::string label_on(const Flow& flow);

/// The ports of the host that are written on its card, each in a place of its own from which its arrow leaves; none where they are too many.
[[nodiscard]] std::vector<std::size_t> ports_on_host(const Scene& scene);
/// How much of the card's width one takes, a multiple of two pitches.
[[nodiscard]] int port_width(const Flow& port);

/// The first zone that has each node, by node.
[[nodiscard]] std::vector<std::size_t> zone_of_nodes(const Scene& scene);

/// By their hubs.
[[nodiscard]] std::vector<Block> blocks_of(const Scene& scene);

}  // namespace topo::picture
