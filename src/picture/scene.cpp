#include "picture/scene.hpp"

#include <algorithm>

#include "graph/gateway.hpp"
#include "picture/draft.hpp"
#include "topo/names.hpp"

namespace topo::picture {

const char* to_text(Drift drift) {
  switch (drift) {
    case Drift::none:
      return "";
    case Drift::missing:
      return "missing";
    case Drift::changed:
      return "changed";
    case Drift::extra:
      return "extra";
  }
  return "";
}

const char* to_text(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::internet:
      return "internet";
    case Node::Kind::outside:
      return "outside";
    case Node::Kind::anyone:
      return "any";
    case Node::Kind::host:
      return "host";
    case Node::Kind::bridge:
      return "bridge";
    case Node::Kind::space:
      return "namespace";
  }
  return "";
}

const char* to_text(Flow::Kind kind) {
  switch (kind) {
    case Flow::Kind::allow:
      return "allow";
    case Flow::Kind::deny:
      return "deny";
    case Flow::Kind::port:
      return "port";
    case Flow::Kind::way_out:
      return "nat";
  }
  return "";
}

Drift Draft::drift_of(const Id& id) const {
  const auto found = drift.find(id);
  return found == drift.end() ? Drift::none : found->second;
}

std::string Draft::where(const Position& at) const {
  return at.line == 0 ? std::string() : printable(to_string({at.line, 0, at.source}, subject.topology.sources));
}

std::vector<std::string> spaces_named(const Topology& topology, const std::string& text) {
  if (!text.ends_with("[*]")) return {text};
  const std::string base = text.substr(0, text.size() - 3);
  std::vector<std::string> names;
  for (const NamespaceSpec& spec : topology.namespaces) {
    for (std::uint32_t i = 1; spec.name == base && spec.replicas && i <= spec.replicas->value; ++i) names.push_back(base + std::to_string(i));
  }
  return names;
}

std::vector<Cidr> addresses_on(const Graph& graph, const std::string& ns, const std::string& interface, const Mac& mac) {
  std::vector<Cidr> found;
  const std::string prefix = "address " + ns + ":" + interface + " ";
  for (auto it = graph.nodes().lower_bound(prefix); it != graph.nodes().end() && it->first.starts_with(prefix); ++it) {
    const auto* address = std::get_if<Address>(&it->second.resource);
    if (address != nullptr && address->address != mac.link_local()) found.push_back(address->address);
  }
  std::stable_sort(found.begin(), found.end(), [](const Cidr& a, const Cidr& b) { return a.family() < b.family(); });
  return found;
}

void read_drift(Draft& draft) {
  if (draft.subject.plan == nullptr) return;
  draft.scene.live = true;
  for (const Change& change : draft.subject.plan->changes) {
    // What is made again as it was is as the file says.
    if (change.before == change.after) continue;
    const Drift drift = !change.before ? Drift::missing : !change.after ? Drift::extra : Drift::changed;
    draft.drift[id_of(change.after ? *change.after : *change.before)] = drift;
  }
}

namespace {

Scene draw_on_host(const Subject& subject) {
  Draft draft{subject};
  draft.scene.topology = printable(subject.topology.name.value);
  read_drift(draft);
  add_outside(draft);
  add_bridges(draft);
  add_spaces(draft);
  add_cables(draft);
  add_facts(draft);
  add_zones(draft);
  add_flows(draft);
  return std::move(draft.scene);
}

}  // namespace

Scene draw_up(const Subject& subject) {
  // A gateway of its own is the host to all others, and so it is drawn.
  const auto desired = with_bridges_on_host(subject.desired);
  const auto live = subject.live != nullptr ? with_bridges_on_host(*subject.live) : std::nullopt;
  if (!desired && !live) return draw_on_host(subject);
  Subject moved{subject.topology, desired ? *desired : subject.desired, live ? &*live : subject.live, nullptr, subject.live_topology};
  if (subject.plan == nullptr) return draw_on_host(moved);
  const Plan plan = diff(*moved.live, moved.desired);
  moved.plan = &plan;
  return draw_on_host(moved);
}

}  // namespace topo::picture
