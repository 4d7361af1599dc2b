// What a person finds behind each thing of a scene.
#include "picture/draft.hpp"
#include "topo/names.hpp"

namespace topo::picture {
namespace {

/// The namespaces that a resource is in: one, or two of a cable; "" is the host's.
std::vector<std::string> places_of(const Resource& resource) {
  return std::visit(
      [](const auto& it) -> std::vector<std::string> {
        if constexpr (requires { it.ends; }) {
          if (it.ends[0].ns == it.ends[1].ns) return {it.ends[0].ns};
          return {it.ends[0].ns, it.ends[1].ns};
        } else if constexpr (requires { it.ns; }) {
          return {it.ns};
        } else {
          return {it.name};
        }
      },
      resource);
}

/// Title and summary, without the namespace that it stands under anyway.
std::string text_of(const Resource& resource, const std::string& place) {
  std::string title = title_of(resource);
  if (!place.empty() && title.starts_with(place) && title.size() > place.size()) title.erase(0, place.size() + 1);
  const std::string summary = summary_of(resource);
  return title == place ? summary : title + (summary.empty() ? "" : " " + summary);
}

std::size_t node_of(const Draft& draft, const std::string& place, const Resource& resource) {
  if (const auto* bridge = std::get_if<Bridge>(&resource)) return draft.bridges.at(bridge->name);
  if (const auto* address = std::get_if<Address>(&resource); address != nullptr && place.empty()) {
    const auto bridge = draft.bridges.find(address->interface);
    if (bridge != draft.bridges.end()) return bridge->second;
  }
  if (place.empty()) return draft.host;
  const auto space = draft.spaces.find(place);
  return space == draft.spaces.end() ? nowhere : space->second;
}

void add_fact(Draft& draft, const Id& id, const topo::Node& from) {
  for (const std::string& place : places_of(from.resource)) {
    const std::size_t index = node_of(draft, place, from.resource);
    if (index == nowhere) continue;
    Node& node = draft.scene.nodes[index];
    // The host's end of an attachment is the namespace's cable and tells nothing more.
    const auto* veth = std::get_if<Veth>(&from.resource);
    if (veth != nullptr && place.empty() && veth->ends[0].ns != veth->ends[1].ns && !veth->ends[0].bridge.empty()) continue;
    Fact fact{{}, std::string(kind_of(from.resource)), printable(text_of(from.resource, place)), draft.where(from.origin), draft.drift_of(id)};
    if (node.spaces.size() > 1) fact.of = printable(place);
    if (!fact.text.empty()) node.facts.push_back(std::move(fact));
  }
}

}  // namespace

void add_facts(Draft& draft) {
  const Subject& subject = draft.subject;
  for (const auto& [id, node] : subject.desired.nodes()) add_fact(draft, id, node);
  if (subject.live == nullptr) return;
  for (const auto& [id, node] : subject.live->nodes()) {
    if (subject.desired.find(id) == nullptr) add_fact(draft, id, node);
  }
}

}  // namespace topo::picture
