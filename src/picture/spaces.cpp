// The namespaces of a scene: replicas that nothing tells apart become one.
#include <algorithm>
#include <tuple>

#include "picture/draft.hpp"
#include "topo/names.hpp"

namespace topo::picture {
namespace {

/// As many replicas are drawn one by one.
constexpr std::size_t most_unfolded = 3;

/// eth2 before eth10, lo first.
bool interface_less(const std::string& a, const std::string& b) {
  return std::tuple(a != "lo", a.size(), a) < std::tuple(b != "lo", b.size(), b);
}

/// An interface of a namespace.
struct Interface {
  const VethEnd* end = nullptr;  ///< nullptr: lo
  std::string bridge{};          ///< where its cable leads, if to a bridge
};

/// A namespace, of the file or of the kernel alone.
struct Space {
  std::string name;
  std::string base;  ///< of replicas
  const NamespaceSpec* spec = nullptr;
  const Namespace* resource = nullptr;
  Drift drift = Drift::none;
  bool alone = false;  ///< may not stand with others
  std::map<std::string, Interface> interfaces{};
};

class Spaces {
 public:
  explicit Spaces(Draft& draft) : draft_(draft), subject_(draft.subject) {}

  void add_all() {
    collect();
    read_cables();
    read_drift();
    find_named();
    std::map<std::string, std::vector<const Space*>> groups;
    std::vector<std::string> order;
    for (const Space& space : spaces_) {
      std::string key = space.alone || space.base.empty() ? space.name : space.base + "[*]" + to_text(space.drift);
      for (const auto& [name, interface] : space.interfaces) key += space.alone ? "" : " " + interface.bridge;
      auto& group = groups[key];
      if (group.empty()) order.push_back(key);
      group.push_back(&space);
    }
    for (const std::string& key : order) {
      const auto& group = groups.at(key);
      if (group.size() > most_unfolded) {
        add_node(group);
      } else {
        for (const Space* space : group) add_node({space});
      }
    }
  }

 private:
  void collect() {
    std::map<std::string, const Namespace*> resources;
    for (const Namespace* resource : all_of<Namespace>(subject_)) resources[resource->name] = resource;
    const auto put = [&](const std::string& name, const std::string& base, const NamespaceSpec* spec) {
      const auto found = resources.find(name);
      if (found == resources.end()) return;
      index_[name] = spaces_.size();
      spaces_.push_back({name, base, spec, found->second});
      resources.erase(found);
    };
    for (const NamespaceSpec& spec : subject_.topology.namespaces) {
      const std::uint32_t count = spec.replicas ? spec.replicas->value : 0;
      if (count == 0) put(spec.name, "", &spec);
      for (std::uint32_t i = 1; i <= count; ++i) put(spec.name + std::to_string(i), spec.name, &spec);
    }
    std::vector<std::string> rest;
    for (const auto& [name, resource] : resources) rest.push_back(name);
    std::stable_sort(rest.begin(), rest.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    for (const std::string& name : rest) put(name, name.substr(0, name.find_last_not_of("0123456789") + 1), nullptr);
  }

  void read_cables() {
    for (const Veth* cable : all_of<Veth>(subject_)) {
      for (std::size_t side = 0; side < 2; ++side) {
        const VethEnd &here = cable->ends[side], &there = cable->ends[1 - side];
        const auto found = index_.find(here.ns);
        if (found == index_.end()) continue;
        Space& space = spaces_[found->second];
        space.interfaces[here.name] = {&here, there.bridge};
        if (there.bridge.empty()) space.alone = true;
      }
    }
  }

  void read_drift() {
    for (Space& space : spaces_) space.drift = draft_.drift_of(id_of(*space.resource));
    const auto touch = [&](const Resource& resource) {
      std::visit(
          [&](const auto& it) {
            if constexpr (requires { it.ns; }) {
              const auto found = index_.find(it.ns);
              if (found != index_.end() && spaces_[found->second].drift == Drift::none) spaces_[found->second].drift = Drift::changed;
            }
          },
          resource);
    };
    for (const auto& [id, drift] : draft_.drift) {
      const topo::Node* wanted = subject_.desired.find(id);
      touch((wanted != nullptr ? wanted : subject_.live->find(id))->resource);
    }
  }

  /// Whoever is named by itself stands by itself.
  void find_named() {
    const auto name_one = [&](const std::string& name) {
      const auto found = index_.find(name);
      if (found != index_.end()) spaces_[found->second].alone = true;
    };
    each_flow(subject_, [&](const FlowSpec& flow) {
      name_one(flow.from.value);
      name_one(flow.to.value);
    });
    for (const PortMapSpec& port : subject_.topology.ports) name_one(port.target);
    for (const ZoneSpec& zone : subject_.topology.zones) {
      for (const auto& member : zone.members) {
        if (const auto* name = std::get_if<std::string>(&member.value)) name_one(*name);
      }
    }
  }

  void add_node(const std::vector<const Space*>& group) {
    const Space& first = *group.front();
    Node node{Node::Kind::space, printable(first.name)};
    if (group.size() > 1) {
      node.name = printable(first.base + "[*]");
      node.tags.push_back("×" + std::to_string(group.size()));
    }
    if (first.resource->forwards) node.tags.emplace_back("router");
    if (first.spec != nullptr) {
      for (const auto& [interface, nat] : first.spec->nat) node.tags.push_back(printable("nat " + interface.value));
      node.where = draft_.where(first.spec->at);
    }
    node.drift = first.drift;
    node.lines = lines_of(group);
    for (const Space* space : group) {
      node.spaces.push_back(printable(space->name));
      draft_.spaces[space->name] = draft_.scene.nodes.size();
    }
    draft_.scene.nodes.push_back(std::move(node));
  }

  [[nodiscard]] const Graph& graph_of(const Space& space) const {
    return subject_.desired.find(id_of(*space.resource)) != nullptr ? subject_.desired : *subject_.live;
  }

  [[nodiscard]] std::vector<std::string> texts_of(const Space& space, const std::string& name, const Interface& interface) const {
    const Graph& graph = graph_of(space);
    std::vector<Cidr> subnets;
    if (!interface.bridge.empty()) {
      for (const Cidr& address : addresses_on(graph, "", interface.bridge, {})) subnets.push_back(address.network());
    }
    std::vector<std::string> texts;
    for (const Cidr& address : addresses_on(graph, space.name, name, interface.end != nullptr ? interface.end->mac : Mac())) {
      // The bridge's own line tells the length of its subnets' prefixes.
      const bool known = std::find(subnets.begin(), subnets.end(), address.network()) != subnets.end();
      texts.push_back(known ? address.address().to_string() : address.to_string());
    }
    return texts;
  }

  /// "eth0 10.0.0.2", and where several stand together "eth0 10.0.0.2 … 10.0.0.9".
  [[nodiscard]] std::vector<std::string> lines_of(const std::vector<const Space*>& group) const {
    std::map<std::string, Interface> interfaces = group.front()->interfaces;
    if (!addresses_on(graph_of(*group.front()), group.front()->name, "lo", {}).empty()) interfaces["lo"];
    std::vector<std::string> names;
    for (const auto& [name, interface] : interfaces) names.push_back(name);
    std::sort(names.begin(), names.end(), interface_less);
    std::size_t width = 0;
    for (const std::string& name : names) width = std::max(width, printable(name).size());
    std::vector<std::string> lines;
    for (const std::string& name : names) {
      std::vector<std::string> texts = texts_of(*group.front(), name, interfaces[name]);
      const auto last = group.size() > 1 ? texts_of(*group.back(), name, interfaces[name]) : texts;
      for (std::size_t i = 0; i < texts.size() && i < last.size(); ++i) {
        if (texts[i] != last[i]) texts[i] += " … " + last[i];
      }
      const std::string shown = printable(name);
      if (texts.empty()) lines.push_back(shown);
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::string lead = i == 0 ? shown : "";
        lines.push_back(lead + std::string(width - lead.size() + 1, ' ') + texts[i]);
      }
    }
    return lines;
  }

  Draft& draft_;
  const Subject& subject_;
  std::vector<Space> spaces_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

void add_spaces(Draft& draft) { Spaces(draft).add_all(); }

}  // namespace topo::picture
