// Random scenes: all that draw_up could make, and more.
#pragma once

#include <rapidcheck.h>

#include <algorithm>

#include "picture/scene.hpp"

namespace topo::test {

class RandomScene {
 public:
  /// Of at most `most` nodes.
  picture::Scene operator()(int most) {
    using Kind = picture::Node::Kind;
    scene_.topology = word(12);
    const int bridges = between(0, std::max(1, most / 8)), spaces = between(1, most);
    if (chance(2)) add(Kind::anyone);
    if (chance(2)) add(Kind::internet);
    if (chance(3)) add(Kind::outside);
    const bool host = chance(4) || scene_.nodes.size() > 1;
    if (host) add(Kind::host);
    for (int i = 0; i < bridges; ++i) add(Kind::bridge);
    for (int i = 0; i < spaces; ++i) add(Kind::space);
    first_bridge_ = scene_.nodes.size() - static_cast<std::size_t>(bridges + spaces);
    first_space_ = scene_.nodes.size() - static_cast<std::size_t>(spaces);
    add_cables(host);
    add_zones();
    add_flows();
    return std::move(scene_);
  }

 private:
  static int between(int low, int high) { return *rc::gen::inRange(low, high + 1); }
  static bool chance(int in) { return between(0, in - 1) != 0; }
  static std::string word(int longest) { return std::string(static_cast<std::size_t>(between(1, longest)), static_cast<char>('a' + between(0, 25))); }

  void add(picture::Node::Kind kind) {
    picture::Node node{kind, word(between(0, 9) == 0 ? 64 : 12)};
    for (int i = between(0, 3); i > 0; --i) node.lines.push_back("eth" + std::to_string(i) + " 10.0.0." + std::to_string(i));
    if (between(0, 5) == 0) node.tags.push_back(word(8));
    if (kind == picture::Node::Kind::space) {
      if (between(0, 4) == 0) node.tags.emplace_back("router");
      node.spaces.push_back(node.name);
    }
    node.drift = between(0, 9) == 0 ? picture::Drift::changed : picture::Drift::none;
    scene_.nodes.push_back(std::move(node));
  }

  std::size_t any_node(std::size_t from) { return *rc::gen::inRange(from, scene_.nodes.size()); }

  void add_cables(bool host) {
    const std::size_t host_node = first_bridge_ - 1;
    for (std::size_t i = 0; host && i < host_node; ++i) {
      if (scene_.nodes[i].kind != picture::Node::Kind::anyone) scene_.cables.push_back({{{{i}, {host_node}}}});
    }
    for (std::size_t i = first_bridge_; host && i < first_space_; ++i) {
      if (chance(4)) scene_.cables.push_back({{{{host_node}, {i}}}});
    }
    for (std::size_t i = first_space_; i < scene_.nodes.size(); ++i) {
      const int cables = between(0, 9) < 7 ? 1 : between(0, 3);
      for (int k = 0; k < cables; ++k) {
        const bool to_bridge = first_bridge_ < first_space_ && chance(4);
        const std::size_t other = to_bridge ? *rc::gen::inRange(first_bridge_, first_space_) : any_node(host ? host_node : first_space_);
        picture::Cable cable{{{{other, to_bridge ? "" : "eth" + std::to_string(k)}, {i, "eth" + std::to_string(k)}}}};
        if (other != i) scene_.cables.push_back(std::move(cable));
      }
    }
  }

  void add_zones() {
    for (int i = between(0, 3); i > 0; --i) {
      picture::Zone zone{word(12)};
      for (int k = between(1, 5); k > 0; --k) zone.nodes.push_back(any_node(first_bridge_));
      std::sort(zone.nodes.begin(), zone.nodes.end());
      zone.nodes.erase(std::unique(zone.nodes.begin(), zone.nodes.end()), zone.nodes.end());
      scene_.zones.push_back(std::move(zone));
    }
  }

  picture::Terminal terminal() {
    if (!scene_.zones.empty() && between(0, 4) == 0) return {true, *rc::gen::inRange<std::size_t>(0, scene_.zones.size())};
    return {false, any_node(0)};
  }

  void add_flows() {
    for (int i = between(0, 8); i > 0; --i) {
      picture::Flow flow{static_cast<picture::Flow::Kind>(between(0, 1)), {terminal()}, {terminal()}, between(0, 3) == 0};
      if (chance(2)) flow.label = std::to_string(between(1, 65535));
      flow.text = "a rule";
      scene_.flows.push_back(std::move(flow));
    }
    const std::size_t host = first_bridge_ - 1;
    const bool has_host = first_bridge_ > 0 && scene_.nodes[host].kind == picture::Node::Kind::host;
    for (int i = has_host ? between(0, 4) : 0; i > 0; --i) {
      picture::Flow flow{picture::Flow::Kind::port, {{false, host}}, {{false, any_node(first_space_)}}};
      flow.label = std::to_string(between(1, 65535)) + " → 80";
      flow.text = "a port";
      scene_.flows.push_back(std::move(flow));
    }
  }

  picture::Scene scene_;
  std::size_t first_bridge_ = 0, first_space_ = 0;
};

}  // namespace topo::test
