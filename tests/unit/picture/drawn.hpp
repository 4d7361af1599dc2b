// A scene of a file's text, for tests.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>

#include "desire/desire.hpp"
#include "picture/layout.hpp"
#include "topo/load.hpp"

namespace topo::test {

struct File {
  Topology topology;
  Graph graph;
};

inline File file(const std::string& text) {
  Loaded loaded = load_text("topology: lab\n" + text, "lab.yaml");
  Desired desired = desire(loaded.topology);
  for (const auto* diagnostics : {&loaded.diagnostics, &desired.diagnostics}) {
    for (const auto& diagnostic : *diagnostics) FAIL(render(diagnostic, loaded.topology.sources));
  }
  return {std::move(loaded.topology), std::move(desired.graph)};
}

inline picture::Scene scene(const std::string& text) {
  const File it = file(text);
  return picture::draw_up({it.topology, it.graph});
}

/// The scene of `wanted` where the kernel has what `live` asks for.
inline picture::Scene live_scene(const std::string& wanted, const std::string& live) {
  const File a = file(wanted), b = file(live);
  const Plan plan = diff(b.graph, a.graph);
  return picture::draw_up({a.topology, a.graph, &b.graph, &plan, &b.topology});
}

inline const picture::Node& node(const picture::Scene& scene, const std::string& name) {
  const auto found = std::find_if(scene.nodes.begin(), scene.nodes.end(), [&](const picture::Node& it) { return it.name == name; });
  if (found == scene.nodes.end()) FAIL("no node " + name);
  return *found;
}

/// "a:eth0 - b" of each cable.
inline std::vector<std::string> cables(const picture::Scene& scene) {
  std::vector<std::string> texts;
  for (const picture::Cable& cable : scene.cables) {
    std::string text;
    for (const picture::CableEnd& end : cable.ends)
      text += (text.empty() ? "" : " - ") + scene.nodes[end.node].name + (end.interface.empty() ? "" : ":" + end.interface);
    texts.push_back(text + (cable.drift == picture::Drift::none ? "" : std::string(" ") + to_text(cable.drift)));
  }
  return texts;
}

/// "allow a, zone b -> c [80]" of each flow.
inline std::vector<std::string> flows(const picture::Scene& scene) {
  const auto name = [&](const picture::Terminal& it) { return it.zone ? "zone " + scene.zones[it.index].name : scene.nodes[it.index].name; };
  const auto names = [&](const std::vector<picture::Terminal>& list) {
    std::string text;
    for (const auto& it : list) text += (text.empty() ? "" : ", ") + name(it);
    return text;
  };
  std::vector<std::string> texts;
  for (const picture::Flow& flow : scene.flows) {
    texts.push_back(std::string(to_text(flow.kind)) + " " + names(flow.from) + (flow.both_ways ? " <-> " : " -> ") + names(flow.to) +
                    (flow.label.empty() ? "" : " [" + flow.label + "]") + (flow.drift == picture::Drift::none ? "" : std::string(" ") + to_text(flow.drift)));
  }
  return texts;
}

}  // namespace topo::test
