#include <algorithm>
#include <map>
#include <unordered_map>

#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

/// What a word in the file names.
enum class Named : std::uint8_t { nothing, bridge, single, replicated, replica, all_replicas, zone };

struct Declared {
  Named kind = Named::nothing;
  Position at;
  std::uint32_t replicas = 0;
  bool doubtful = false;
};

constexpr std::string_view all_suffix = "[*]";

bool ends_in_all(std::string_view name) { return name.size() > all_suffix.size() && name.substr(name.size() - all_suffix.size()) == all_suffix; }

/// "eth0", "enp3s0", "wlan0" ...: what people call the machine's own interfaces.
bool looks_physical(std::string_view name) {
  for (const std::string_view prefix : {"eth", "ens", "eno", "enp", "enx", "em", "wlan", "wlp", "wlo", "wwan", "bond", "team", "usb", "ib"}) {
    if (name.size() > prefix.size() && name.substr(0, prefix.size()) == prefix && name[prefix.size()] >= '0' && name[prefix.size()] <= '9')
      return true;
  }
  return false;
}

class Names {
 public:
  Names(const Topology& topology, bool all_names, Mistakes& mistakes) : mistakes_(mistakes), all_names_(all_names) {
    for (const auto& bridge : topology.bridges) declare(bridge.name, {Named::bridge, bridge.at});
    for (const auto& ns : topology.namespaces) {
      const std::uint32_t replicas = ns.replicas ? ns.replicas->value : 0;
      declare(ns.name, {replicas > 0 ? Named::replicated : Named::single, ns.at, replicas, ns.doubtful});
      total_ += std::max<std::uint32_t>(replicas, 1);
      if (replicas > 0 && ns.name.size() + std::to_string(replicas).size() > namespace_name_max) {
        mistakes.add(ns.at, ns.name, "the names of its replicas are longer than " + std::to_string(namespace_name_max) + " characters");
      }
      if (total_ > namespaces_max && !told_total_) {
        told_total_ = true;
        const Position at = ns.replicas ? ns.replicas->at : ns.at;
        mistakes.add(at, {}, "more than " + std::to_string(namespaces_max) + " namespaces, replicas included");
      }
    }
    for (const auto& zone : topology.zones) declare(zone.name, {Named::zone, zone.at});
    if (!told_total_) check_replica_names(topology);
  }

  [[nodiscard]] Declared find(std::string_view name) const {
    if (const auto found = declared_.find(name); found != declared_.end()) return found->second;
    if (ends_in_all(name)) {
      const auto base = declared_.find(name.substr(0, name.size() - all_suffix.size()));
      if (base != declared_.end() && base->second.kind == Named::replicated)
        return {Named::all_replicas, base->second.at, base->second.replicas, false};
    }
    return replica(name);
  }

  /// Says that `name` does not fit where it stands: what it is, or what is near it. `wanted` is what would fit, as "a namespace".
  void refuse(std::string_view name, const Position& at, const std::string& wanted, std::initializer_list<Named> fitting, std::string hint = {}) {
    const Declared found = find(name);
    const std::string text = in_quotes(name);
    switch (found.kind) {
      case Named::bridge:
        return mistakes_.add(at, name, text + " is a bridge, not " + wanted, std::move(hint));
      case Named::zone:
        return mistakes_.add(at, name, text + " is a zone, not " + wanted, std::move(hint));
      case Named::single:
        return mistakes_.add(at, name, text + " is a namespace, not " + wanted, std::move(hint));
      case Named::replica:
        return mistakes_.add(at, name, text + " is a namespace, not " + wanted, std::move(hint));
      case Named::all_replicas:
        return mistakes_.add(at, name, text + " is many namespaces, where one is needed", one_of(base_of(name), found.replicas));
      case Named::replicated: {
        const bool many = std::find(fitting.begin(), fitting.end(), Named::all_replicas) != fitting.end();
        std::string names = many ? "all of them are " + in_quotes(std::string(name) + "[*]") + "; " : std::string();
        return mistakes_.add(at, name, text + " has replicas and cannot stand alone", names + one_of(name, found.replicas));
      }
      case Named::nothing:
        return refuse_unknown(name, at, wanted, fitting, std::move(hint));
    }
  }

 private:
  static std::string_view base_of(std::string_view name) { return name.substr(0, name.size() - all_suffix.size()); }

  static std::string one_of(std::string_view base, std::uint32_t replicas) {
    return "one of them is " + std::string(base) + "1 to " + std::string(base) + std::to_string(replicas);
  }

  void declare(const std::string& name, const Declared& what) {
    const auto [earlier, is_new] = declared_.emplace(name, what);
    if (is_new) return;
    mistakes_.add(what.at, name, "the name " + in_quotes(name) + " is taken",
                  "bridges, namespaces and zones share one space of names; first in " + mistakes_.line_of(earlier->second.at));
  }

  /// NAME[*] or NAMEk of a namespace whose number of replicas may be what was refused.
  [[nodiscard]] bool may_be_replica(std::string_view name) const {
    const auto base = ends_in_all(name) ? base_of(name) : name.substr(0, name.find_last_not_of("0123456789") + 1);
    const auto found = declared_.find(base);
    return found != declared_.end() && found->second.doubtful && base.size() != name.size();
  }

  /// NAMEk of a namespace NAME with at least k replicas.
  [[nodiscard]] Declared replica(std::string_view name) const {
    for (std::size_t digits = 1; digits < name.size() && digits <= 5; ++digits) {
      const std::string_view tail = name.substr(name.size() - digits);
      if (tail.front() < '0' || tail.front() > '9') break;
      const auto number = decimal(tail);
      if (!number || *number == 0) continue;
      const auto base = declared_.find(name.substr(0, name.size() - digits));
      if (base == declared_.end() || base->second.kind != Named::replicated || *number > base->second.replicas) continue;
      return {Named::replica, base->second.at, base->second.replicas, false};
    }
    return {};
  }

  /// A final name must not be somebody else's name: bounded, because the total of namespaces is.
  void check_replica_names(const Topology& topology) {
    std::unordered_map<std::string, const NamespaceSpec*> final_names;
    for (const auto& ns : topology.namespaces) {
      for (std::uint32_t i = 1; ns.replicas && i <= ns.replicas->value; ++i) {
        const std::string name = ns.name + std::to_string(i);
        const auto declared = declared_.find(name);
        const auto [other, is_new] = final_names.emplace(name, &ns);
        if (declared == declared_.end() && is_new) continue;
        const Position at = is_new ? declared->second.at : other->second->at;
        mistakes_.add(ns.at, ns.name, "its replica " + in_quotes(name) + " has a name that is taken", "it is that of " + mistakes_.line_of(at));
        break;
      }
    }
  }

  void refuse_unknown(std::string_view name, const Position& at, const std::string& wanted, std::initializer_list<Named> fitting, std::string hint) {
    if (may_be_replica(name)) return;
    if (ends_in_all(name)) {
      const auto base = declared_.find(base_of(name));
      if (base != declared_.end()) return mistakes_.add(at, name, in_quotes(base_of(name)) + " has no replicas", "write " + in_quotes(base_of(name)));
    }
    if (IpAddress::parse(name) || Cidr::parse(name)) {
      if (hint.empty()) hint = "networks outside are named under \"zones\"";
      return mistakes_.add(at, name, in_quotes(name) + " is an address, not " + wanted, std::move(hint));
    }
    if (looks_physical(name)) hint = "physical interfaces are not supported";
    const bool flows = std::find(fitting.begin(), fitting.end(), Named::zone) != fitting.end();
    const std::string near = name == "*" && flows ? "everything is \"any\"" : mistakes_.suggestion(name, candidates(fitting));
    if (near.empty() && !all_names_ && !looks_physical(name) && !namespace_name_problem(name)) return;
    mistakes_.add(at, name, in_quotes(name) + " is not " + wanted, near.empty() ? std::move(hint) : near);
  }

  std::vector<std::string> candidates(std::initializer_list<Named> fitting) const {
    std::vector<std::string> names;
    const auto fits = [&](Named kind) { return std::find(fitting.begin(), fitting.end(), kind) != fitting.end(); };
    if (fits(Named::zone)) names = {"internet", "host", "any"};
    for (const auto& [name, declared] : declared_) {
      if (declared.kind == Named::replicated) {
        if (fits(Named::all_replicas)) names.push_back(std::string(name) + std::string(all_suffix));
        for (std::uint32_t i = 1; fits(Named::replica) && i <= std::min<std::uint32_t>(declared.replicas, 9); ++i)
          names.push_back(std::string(name) + std::to_string(i));
      } else if (fits(declared.kind)) {
        names.emplace_back(name);
      }
    }
    return names;
  }

  Mistakes& mistakes_;
  bool all_names_;
  std::map<std::string_view, Declared> declared_;  ///< ordered, so that suggestions do not depend on the run
  std::uint64_t total_ = 0;
  bool told_total_ = false;
};

class References {
 public:
  References(const Topology& topology, bool all_names, Mistakes& mistakes)
      : topology_(topology), mistakes_(mistakes), names_(topology, all_names, mistakes) {}

  void check() {
    for (const auto& ns : topology_.namespaces) check(ns);
    for (const auto& link : topology_.links) check(link);
    for (const auto& map : topology_.ports) one_namespace(map.target, map.target_at, {});
    for (const auto& zone : topology_.zones) check(zone);
    for (const auto* flows : {&topology_.policy.allow, &topology_.policy.deny, &topology_.expect.allow, &topology_.expect.deny}) {
      for (const auto& flow : *flows) check(flow);
    }
  }

 private:
  void one_namespace(std::string_view name, const Position& at, std::string hint) {
    const Named kind = names_.find(name).kind;
    if (kind != Named::single && kind != Named::replica) names_.refuse(name, at, "a namespace", {Named::single, Named::replica}, std::move(hint));
  }

  void check(const NamespaceSpec& ns) {
    for (const auto& attachment : ns.attach) {
      const auto& [bridge, at] = attachment.bridge;
      const Named kind = names_.find(bridge).kind;
      if (kind == Named::bridge) continue;
      const bool cable = kind == Named::single || kind == Named::replica || bridge == "host";
      names_.refuse(bridge, at, "a bridge", {Named::bridge}, cable ? "a cable without a bridge is written under \"links\"" : "");
    }
    for (const auto& route : ns.routes) {
      if (!route.via || !std::holds_alternative<std::string>(route.via->value)) continue;
      one_namespace(std::get<std::string>(route.via->value), route.via->at, "a next hop is an address or a namespace");
    }
  }

  void check(const LinkSpec& link) {
    for (const auto& end : link.ends) {
      if (end.node.empty() || end.node == "host") continue;
      const Named kind = names_.find(end.node).kind;
      const auto& mistakes_hint = "a link joins namespaces, bridges and \"host\"; physical interfaces are not supported";
      if (kind == Named::nothing || kind == Named::zone || kind == Named::replicated) {
        names_.refuse(end.node, end.at, "a namespace or a bridge", {Named::single, Named::replica, Named::all_replicas, Named::bridge},
                      mistakes_hint);
      } else if (kind == Named::bridge && !end.addresses.empty()) {
        const auto& [address, at] = end.addresses.front();
        mistakes_.add(at, address.to_string(), "a bridge's end of a cable has no address", "a bridge's address is that of its subnet");
      }
    }
    const auto& [a, b] = link.ends;
    const auto is_replica_of = [&](const LinkEndSpec& one, const LinkEndSpec& many) {
      return names_.find(many.node).kind == Named::all_replicas && names_.find(one.node).kind == Named::replica &&
             names_.find(one.node).at == names_.find(many.node).at;
    };
    if (is_replica_of(a, b) || is_replica_of(b, a)) mistakes_.add(b.at, b.node, "a link from " + in_quotes(a.node) + " to itself");
  }

  void check(const ZoneSpec& zone) {
    for (const auto& [member, at] : zone.members) {
      if (const auto* network = std::get_if<Cidr>(&member)) {
        check_outside(*network, at);
        continue;
      }
      const auto& name = std::get<std::string>(member);
      const Named kind = names_.find(name).kind;
      if (kind == Named::zone) {
        mistakes_.add(at, name, in_quotes(name) + " is a zone: zones of zones are not supported", "list its members");
      } else if (kind == Named::nothing || kind == Named::replicated) {
        names_.refuse(name, at, "a bridge or a namespace", {Named::bridge, Named::single, Named::replica, Named::all_replicas});
      }
    }
  }

  /// A zone's network is outside: no bridge's subnet may meet it. Subnets that contain it are found by their prefixes, others by order.
  void check_outside(const Cidr& network, const Position& at) {
    if (subnets_.empty()) {
      for (const auto& bridge : topology_.bridges) {
        for (const auto& subnet : bridge.subnets) subnets_.emplace(subnet.value, &bridge);
      }
    }
    auto found = subnets_.lower_bound(Cidr(network.address(), 0));
    const bool inside = found != subnets_.end() && network.contains(found->first.address());
    for (int prefix = network.prefix(); prefix >= 0 && !inside; --prefix) {
      found = subnets_.find(Cidr(network.address(), static_cast<std::uint8_t>(prefix)).network());
      if (found != subnets_.end()) break;
    }
    if (found == subnets_.end()) return;
    const std::string text = network.to_string();
    mistakes_.add(at, text, text + " overlaps subnet " + found->first.to_string() + " of bridge " + in_quotes(found->second->name),
                  "networks in a zone are outside; name the bridge instead");
  }

  void check(const FlowSpec& flow) {
    for (const auto* side : {&flow.from, &flow.to}) {
      const auto& [name, at] = *side;
      if (name == "internet" || name == "host" || name == "any") continue;
      const Named kind = names_.find(name).kind;
      if (kind != Named::nothing && kind != Named::replicated) continue;
      names_.refuse(name, at, "a zone, bridge or namespace", {Named::zone, Named::bridge, Named::single, Named::replica, Named::all_replicas});
    }
  }

  const Topology& topology_;
  Mistakes& mistakes_;
  Names names_;
  std::map<Cidr, const BridgeSpec*> subnets_;
};

}  // namespace

void check_names(const Topology& topology, bool all_names, Mistakes& mistakes) { References(topology, all_names, mistakes).check(); }

}  // namespace topo::reading
