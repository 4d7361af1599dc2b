// What a picture shows, before anything in it has a place: things, cables between them, flows that are allowed and denied, zones.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "diff/plan.hpp"
#include "graph/graph.hpp"
#include "topo/topology.hpp"

namespace topo::picture {

inline constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

/// How the kernel differs from the file in one thing.
enum class Drift : std::uint8_t { none, missing, changed, extra };
[[nodiscard]] const char* to_text(Drift drift);  ///< "" for none

/// What there is to know about a thing, a line each: "route", "default via 10.0.0.1 dev eth0", "lab.yaml:7".
struct Fact {
  std::string of;  ///< the namespace, where the thing stands for several
  std::string kind;
  std::string text;
  std::string where;
  Drift drift = Drift::none;
};

struct Node {
  enum class Kind : std::uint8_t { internet, outside, anyone, host, bridge, space };
  Kind kind = Kind::space;
  std::string name;
  std::vector<std::string> spaces{};  ///< the namespaces it stands for: more than one where replicas are folded
  std::vector<std::string> lines{};   ///< addresses
  std::vector<std::string> tags{};    ///< "router", "nat"
  Drift drift = Drift::none;
  std::string where{};
  std::vector<Fact> facts{};
};
[[nodiscard]] const char* to_text(Node::Kind kind);

struct CableEnd {
  std::size_t node = nowhere;
  std::string interface{};  ///< empty: nothing that has a name of its own (a bridge's port, the host's foot on a bridge)
};

struct Cable {
  std::array<CableEnd, 2> ends;
  Drift drift = Drift::none;
  std::string where{};
};

/// One end of a flow: a node, or a zone.
struct Terminal {
  bool zone = false;
  std::size_t index = nowhere;
  auto operator<=>(const Terminal&) const = default;
};

struct Flow {
  enum class Kind : std::uint8_t { allow, deny, port, way_out } kind = Kind::allow;
  std::vector<Terminal> from{}, to{};  ///< every one of `from` with every one of `to`
  bool both_ways = false;
  std::string label{};  ///< which packets: "3306", "53/udp"; empty: all
  std::string text{};   ///< as the file says it
  std::string where{};
  Drift drift = Drift::none;
};
[[nodiscard]] const char* to_text(Flow::Kind kind);

struct Zone {
  std::string name;
  std::vector<std::size_t> nodes{};
  std::string where{};
};

/// Every text is printable. Nodes, cables, flows and zones are in the file's order; what only the kernel has comes after.
struct Scene {
  std::string topology;
  std::vector<Node> nodes{};
  std::vector<Cable> cables{};
  std::vector<Flow> flows{};
  std::vector<Zone> zones{};
  std::vector<std::string> notes{};  ///< what holds for the whole: "between bridges everything passes unless denied"
  bool live = false;                 ///< drift is told
};

/// What a picture is drawn of. Of the pointers all are set, or none: with them the picture tells drift.
struct Subject {
  const Topology& topology;
  const Graph& desired;
  const Graph* live = nullptr;
  const Plan* plan = nullptr;               ///< from live to desired
  const Topology* live_topology = nullptr;  ///< what a file would say for `live` to be what it asks for
};

/// Replicas that nothing tells apart become one node where there are more than three. Deterministic.
[[nodiscard]] Scene draw_up(const Subject& subject);

}  // namespace topo::picture
