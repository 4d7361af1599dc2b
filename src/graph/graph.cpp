#include "graph/graph.hpp"

namespace topo {
namespace {

std::string id_of_kind(std::string_view kind, const std::string& key) {
  std::string id;
  id.reserve(kind.size() + 1 + key.size());
  id.append(kind).append(1, ' ').append(key);
  return id;
}

}  // namespace

Id id_of(const Resource& resource) {
  return std::visit([](const auto& it) { return id_of_kind(it.kind, it.key()); }, resource);
}

std::string_view kind_of(const Resource& resource) {
  return std::visit([](const auto& it) { return std::string_view(it.kind); }, resource);
}

int rank_of(const Resource& resource) {
  return std::visit([](const auto& it) { return it.rank; }, resource);
}

int order_of(const Resource& resource) {
  return std::visit(
      [](const auto& it) {
        if constexpr (requires { it.order(); }) {
          return it.order();
        } else {
          return 0;
        }
      },
      resource);
}

std::vector<std::string> needs_of(const Resource& resource) {
  return std::visit([](const auto& it) { return it.needs(); }, resource);
}

std::vector<std::string> provides_of(const Resource& resource) {
  std::vector<std::string> names{id_of(resource)};
  std::visit(
      [&](const auto& it) {
        if constexpr (requires { it.provides(); }) {
          for (std::string& name : it.provides()) names.push_back(std::move(name));
        }
      },
      resource);
  return names;
}

bool lingers(const Resource& resource) {
  return std::visit(
      [](const auto& it) {
        return requires { it.lingers; };
      },
      resource);
}

std::string_view lost_by_itself(const Resource& resource) {
  return std::visit(
      [](const auto& it) -> std::string_view {
        if constexpr (requires { it.lost; }) {
          return it.lost;
        } else {
          return {};
        }
      },
      resource);
}

Circumstances spoilt_by(const Resource& resource, Turn turn) {
  return std::visit(
      [turn](const auto& it) -> Circumstances {
        if constexpr (requires { it.spoils(turn); }) {
          return it.spoils(turn);
        } else {
          return {};
        }
      },
      resource);
}

Circumstances relied_on_by(const Resource& resource) {
  return std::visit(
      [](const auto& it) -> Circumstances {
        if constexpr (requires { it.relies_on(); }) {
          return it.relies_on();
        } else {
          return {};
        }
      },
      resource);
}

std::string title_of(const Resource& resource) {
  return std::visit([](const auto& it) { return it.title(); }, resource);
}

std::string summary_of(const Resource& resource) {
  return std::visit([](const auto& it) { return it.summary(); }, resource);
}

Differences differences_of(const Resource& before, const Resource& after) {
  return std::visit(
      [&](const auto& it) -> Differences {
        const auto* other = std::get_if<std::decay_t<decltype(it)>>(&after);
        return other == nullptr ? Differences{} : differences(it, *other);
      },
      before);
}

void Graph::put(Resource resource, Position origin) {
  Id id = id_of(resource);
  nodes_.insert_or_assign(std::move(id), Node{std::move(resource), origin});
}

const Node* Graph::find(const Id& id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second;
}

std::unordered_map<std::string, Id> Graph::providers() const {
  std::unordered_map<std::string, Id> found;
  found.reserve(nodes_.size());
  for (const auto& [id, node] : nodes_) {
    for (std::string& name : provides_of(node.resource)) found.emplace(std::move(name), id);
  }
  return found;
}

}  // namespace topo
