#include "graph/gateway.hpp"

#include <tuple>
#include <utility>

namespace topo {
namespace {

bool is_uplink(const Veth& cable, const std::string& gateway) {
  const auto& [host, own] = cable.ends;
  return host.ns.empty() && host.bridge.empty() && own.ns == gateway && own.bridge.empty();
}

class Move {
 public:
  Move(const Graph& graph, const std::string& gateway) : graph_(graph), gateway_(gateway), moved_(graph.topology()) {}

  Graph run() {
    for (const auto& [id, node] : graph_.nodes()) {
      at_ = node.origin;
      std::visit([&](const auto& it) { put(it); }, node.resource);
    }
    return std::move(moved_);
  }

 private:
  /// What else a namespace has: the gateway's is not told.
  template <class T>
  void put(const T& it) {
    if (it.ns != gateway_) moved_.put(it, at_);
  }
  void put(const Namespace& it) {
    if (it.name != gateway_) moved_.put(it, at_);
  }
  /// The link-local address that belongs to a bridge's MAC, instead of that of its uplink.
  void put(Address it) {
    const bool link_local = it.address.family() == Family::v6 && it.address.address().is_link_local();
    if (it.ns == gateway_ && !(link_local && is_bridge(it.interface))) return;
    if (it.ns.empty() && link_local && is_bridge(it.interface)) return;
    if (it.ns == gateway_) it.ns.clear();
    moved_.put(std::move(it), at_);
  }
  /// Of the host's routes all are to bridges.
  void put(const Route& it) {
    if (it.ns != gateway_ && !it.ns.empty()) moved_.put(it, at_);
  }
  void put(Bridge it) {
    if (it.ns == gateway_) it.ns.clear();
    moved_.put(std::move(it), at_);
  }
  void put(Veth it) {
    if (is_uplink(it, gateway_)) return;
    for (VethEnd& end : it.ends) {
      if (end.ns == gateway_) end.ns.clear();
    }
    const auto place = [](const VethEnd& end) { return std::tie(end.ns, end.name); };
    if (place(it.ends[1]) < place(it.ends[0])) std::swap(it.ends[0], it.ends[1]);
    moved_.put(std::move(it), at_);
  }
  void put(Firewall it) {
    const bool is_gateways = it.ns == gateway_;
    if (is_gateways) it.ns.clear();
    if (!is_gateways || graph_.find(id_of(it)) == nullptr) moved_.put(std::move(it), at_);
  }

  [[nodiscard]] bool is_bridge(const std::string& interface) const {
    Bridge bridge;
    bridge.ns = gateway_;
    bridge.name = interface;
    return graph_.find(id_of(bridge)) != nullptr;
  }

  const Graph& graph_;
  const std::string& gateway_;
  Graph moved_;
  Position at_;
};

}  // namespace

std::optional<std::string> own_gateway_in(const Graph& graph) {
  for (const Bridge* bridge : graph.all<Bridge>()) {
    if (!bridge->ns.empty()) return bridge->ns;
  }
  return std::nullopt;
}

std::optional<Graph> with_bridges_on_host(const Graph& graph) {
  const auto gateway = own_gateway_in(graph);
  if (!gateway) return std::nullopt;
  return Move(graph, *gateway).run();
}

}  // namespace topo
