#include "picture/legend.hpp"

#include <algorithm>

#include "picture/text.hpp"
#include "report/rows.hpp"

namespace topo::picture {
namespace {

constexpr int left = 40;
constexpr int sample_width = 40;
constexpr int least_width = 480;

using Sign = LegendEntry::Sign;

struct Meaning {
  Sign sign;
  const char* text;
};

std::vector<Meaning> meanings(const Scene& scene) {
  std::vector<Meaning> found;
  const auto flows = [&](Flow::Kind kind) { return std::any_of(scene.flows.begin(), scene.flows.end(), [&](const Flow& it) { return it.kind == kind; }); };
  const auto drifts = [&](Drift drift) {
    const auto is = [&](const auto& it) { return it.drift == drift; };
    return std::any_of(scene.nodes.begin(), scene.nodes.end(), is) || std::any_of(scene.cables.begin(), scene.cables.end(), is) ||
           std::any_of(scene.flows.begin(), scene.flows.end(), is);
  };
  if (!scene.cables.empty()) found.push_back({Sign::cable, "cable"});
  if (flows(Flow::Kind::allow)) found.push_back({Sign::allow, "may open connections"});
  if (flows(Flow::Kind::deny)) found.push_back({Sign::deny, "may not"});
  if (flows(Flow::Kind::port)) found.push_back({Sign::port, "port of the host"});
  if (flows(Flow::Kind::way_out)) found.push_back({Sign::way_out, "way out by nat"});
  if (!scene.zones.empty()) found.push_back({Sign::zone, "zone"});
  if (drifts(Drift::missing)) found.push_back({Sign::missing, "missing in the kernel"});
  if (drifts(Drift::changed)) found.push_back({Sign::changed, "changed in the kernel"});
  if (drifts(Drift::extra)) found.push_back({Sign::extra, "not in the file"});
  return found;
}

}  // namespace

std::string count_of(const Scene& scene) {
  std::size_t bridges = 0, spaces = 0;
  for (const Node& node : scene.nodes) {
    bridges += node.kind == Node::Kind::bridge ? 1 : 0;
    spaces += node.spaces.size();
  }
  std::string text = report::counted(spaces, "namespace");
  if (bridges > 0) text = report::counted(bridges, "bridge") + ", " + text;
  if (!scene.zones.empty()) text += ", " + report::counted(scene.zones.size(), "zone");
  if (!scene.live) return text;
  std::size_t differences = 0;
  for (const Node& node : scene.nodes) differences += node.drift != Drift::none ? 1 : 0;
  for (const Cable& cable : scene.cables) differences += cable.drift != Drift::none ? 1 : 0;
  for (const Flow& flow : scene.flows) differences += flow.drift != Drift::none ? 1 : 0;
  return text + (differences == 0 ? "; as the file says" : "; " + report::counted(differences, "difference") + " from the file");
}

void add_legend(const Scene& scene, Layout& layout, const std::set<std::size_t>& untold) {
  layout.texts.push_back(text_at(left, 28, scene.topology, Text::Style::title));
  layout.texts.push_back(text_at(left, 58, count_of(scene), Text::Style::subtitle));
  int widest = least_width;
  for (const Text& text : layout.texts) widest = std::max(widest, text.box.right() + left);
  layout.width = snapped(std::max(layout.width, widest));
  int x = left, y = layout.height - 10;
  for (const Meaning& meaning : meanings(scene)) {
    Text text = text_at(0, 0, meaning.text, Text::Style::legend);
    if (x > left && x + sample_width + 8 + text.box.w > layout.width - left) {
      x = left;
      y += 22;
    }
    text.box.x = x + sample_width + 8;
    text.box.y = y;
    layout.legend.push_back({meaning.sign, {x, y, sample_width, text.box.h}});
    x = text.box.right() + 24;
    layout.texts.push_back(std::move(text));
  }
  y += 22;
  std::vector<std::string> lines = scene.notes;
  for (const std::size_t flow : untold) lines.push_back(scene.flows[flow].text);
  for (std::string& line : lines) {
    layout.texts.push_back(text_at(left, y, std::move(line), Text::Style::legend));
    layout.width = std::max(layout.width, snapped(layout.texts.back().box.right() + left));
    y += 20;
  }
  layout.height = snapped(y + 10);
}

}  // namespace topo::picture
