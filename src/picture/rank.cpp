#include "picture/rank.hpp"

#include <algorithm>
#include <deque>
#include <numeric>

namespace topo::picture {
namespace {

using Neighbours = std::vector<std::vector<std::size_t>>;

/// Distance of every block of `blocks` from the nearest of `sources`, by cables.
std::vector<std::size_t> distances(const Neighbours& neighbours, const std::vector<std::size_t>& sources) {
  std::vector<std::size_t> distance(neighbours.size(), nowhere);
  std::deque<std::size_t> next(sources.begin(), sources.end());
  for (const std::size_t source : sources) distance[source] = 0;
  while (!next.empty()) {
    const std::size_t block = next.front();
    next.pop_front();
    for (const std::size_t other : neighbours[block]) {
      if (distance[other] != nowhere) continue;
      distance[other] = distance[block] + 1;
      next.push_back(other);
    }
  }
  return distance;
}

bool is_outside(Node::Kind kind) { return kind == Node::Kind::internet || kind == Node::Kind::outside || kind == Node::Kind::anyone; }

class Ranking {
 public:
  Ranking(const Scene& scene, const std::vector<Block>& blocks, const std::vector<Tie>& ties)
      : scene_(scene), blocks_(blocks), neighbours_(blocks.size()) {
    for (const Tie& tie : ties) {
      if (!tie.cable || tie.a == tie.b) continue;
      neighbours_[tie.a].push_back(tie.b);
      neighbours_[tie.b].push_back(tie.a);
    }
  }

  std::vector<Component> run() {
    std::vector<std::size_t> component(blocks_.size(), nowhere);
    std::vector<Component> found;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (component[i] != nowhere) continue;
      const auto distance = distances(neighbours_, {i});
      Component& made = found.emplace_back();
      for (std::size_t j = 0; j < blocks_.size(); ++j) {
        if (distance[j] == nowhere) continue;
        component[j] = found.size() - 1;
        made.blocks.push_back(j);
      }
    }
    join_outside(found);
    for (Component& it : found) rank(it);
    return found;
  }

 private:
  [[nodiscard]] Node::Kind kind(std::size_t block) const { return scene_.nodes[blocks_[block].hub].kind; }

  /// "any" has no cable; it stands with whatever of the outside world there is, or with the first.
  void join_outside(std::vector<Component>& found) const {
    const auto has_anyone = [&](const Component& it) { return it.blocks.size() == 1 && kind(it.blocks.front()) == Node::Kind::anyone; };
    const auto lone = std::find_if(found.begin(), found.end(), has_anyone);
    if (lone == found.end() || found.size() == 1) return;
    const std::size_t anyone = lone->blocks.front();
    found.erase(lone);
    const auto has_host = [&](const Component& it) {
      return std::any_of(it.blocks.begin(), it.blocks.end(), [&](std::size_t block) { return kind(block) == Node::Kind::host; });
    };
    auto home = std::find_if(found.begin(), found.end(), has_host);
    if (home == found.end()) home = found.begin();
    home->blocks.insert(home->blocks.begin(), anyone);
  }

  /// Who sends packets of its own rather than others': routers stand above.
  [[nodiscard]] bool is_end(std::size_t block) const {
    const Node& hub = scene_.nodes[blocks_[block].hub];
    const bool router = std::find(hub.tags.begin(), hub.tags.end(), "router") != hub.tags.end();
    return !router || blocks_[block].nodes.size() > 1;
  }

  void rank(Component& component) const {
    std::vector<std::size_t> outside, host, ends;
    for (const std::size_t block : component.blocks) {
      if (is_outside(kind(block))) outside.push_back(block);
      if (kind(block) == Node::Kind::host) host.push_back(block);
      if (is_end(block)) ends.push_back(block);
    }
    const bool downwards = !host.empty() || !outside.empty() || ends.empty();
    std::vector<std::size_t> sources = !host.empty() ? host : downwards ? outside : ends;
    if (sources.empty()) sources.push_back(component.blocks.front());
    const auto distance = distances(neighbours_, sources);
    std::size_t farthest = 0;
    for (const std::size_t block : component.blocks) {
      if (distance[block] != nowhere) farthest = std::max(farthest, distance[block]);
    }
    component.rows.resize(farthest + 2);
    for (const std::size_t block : component.blocks) {
      const std::size_t away = distance[block] == nowhere ? 0 : distance[block];
      component.rows[is_outside(kind(block)) ? 0 : downwards ? away + 1 : farthest - away + 1].push_back(block);
    }
    std::erase_if(component.rows, [](const auto& row) { return row.empty(); });
  }

  const Scene& scene_;
  const std::vector<Block>& blocks_;
  Neighbours neighbours_;
};

}  // namespace

std::vector<Component> components_of(const Scene& scene, const std::vector<Block>& blocks, const std::vector<Tie>& ties) {
  return Ranking(scene, blocks, ties).run();
}

}  // namespace topo::picture
