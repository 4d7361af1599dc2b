// Replicas and `[*]` unfolded; every interface and every cable with its name, MTU and MAC.
#include <algorithm>
#include <map>
#include <numeric>

#include "desire/network.hpp"
#include "topo/names.hpp"

namespace topo::network {
namespace {

constexpr std::uint32_t usual_mtu = 1500;

/// What a link's end may be put on.
struct Place {
  std::size_t space = nowhere;
  std::size_t bridge = nowhere;
};

struct Places {
  std::vector<Place> all;
  bool many = false;  ///< written as NAME[*]
};

class Expansion {
 public:
  explicit Expansion(Network& network) : network_(network) {}

  bool run() {
    add_bridges();
    if (!add_spaces()) return false;
    add_zones();
    for (std::size_t i = 0; i < network_.spaces.size(); ++i) attach(i);
    for (const auto& link : network_.topology.links) connect(link);
    spread_doubt();
    join_domains();
    derive_macs();
    check_interface_names();
    check_gateway_names();
    check_gateway_namespace();
    return true;
  }

 private:
  /// A name that is taken is load's to refuse.
  void claim(const std::string& name, Name what) { network_.names.emplace(name, what); }

  void add_bridges() {
    for (const auto& spec : network_.topology.bridges) {
      Switch bridge;
      bridge.spec = &spec;
      bridge.doubtful = spec.doubtful || network_.topology.doubtful;
      bridge.mtu = spec.mtu ? spec.mtu->value : usual_mtu;
      bridge.mac = spec.mac ? spec.mac->value : derived_mac({}, spec.name);
      claim(spec.name, {Name::Kind::bridge, network_.switches.size()});
      network_.switches.push_back(std::move(bridge));
    }
  }

  bool add_spaces() {
    for (const auto& spec : network_.topology.namespaces) {
      const std::size_t first = network_.spaces.size();
      const std::size_t count = spec.replicas ? spec.replicas->value : 1;
      if (first + count > most_namespaces) return false;
      if (!spec.replicas) {
        claim(spec.name, {Name::Kind::space, first});
        network_.spaces.push_back({spec.name, &spec});
        continue;
      }
      claim(spec.name, {Name::Kind::replicas, first, count});
      for (std::size_t k = 0; k < count; ++k) {
        std::string name = spec.name + std::to_string(k + 1);
        claim(name, {Name::Kind::space, first + k});
        network_.spaces.push_back({std::move(name), &spec, k});
      }
    }
    return true;
  }

  void add_zones() {
    for (std::size_t i = 0; i < network_.topology.zones.size(); ++i) claim(network_.topology.zones[i].name, {Name::Kind::zone, i});
  }

  std::string interface_name(std::size_t space, const std::optional<Located<std::string>>& given) {
    return given ? given->value : "eth" + std::to_string(network_.spaces[space].automatic_names++);
  }

  void attach(std::size_t index) {
    for (const auto& spec : network_.spaces[index].spec->attach) {
      const Name* bridge = network_.find(spec.bridge.value);
      if (bridge == nullptr || bridge->kind != Name::Kind::bridge) {
        network_.spaces[index].doubtful = true;
        continue;
      }
      Cable cable;
      cable.at = spec.at;
      cable.attachment = &spec;
      cable.mtu = spec.mtu ? spec.mtu->value : network_.switches[bridge->index].mtu;
      cable.mtu_at = spec.mtu ? spec.mtu->at : spec.at;
      End& inside = cable.ends[1];
      inside.netns = index;
      inside.at = spec.at;
      inside.name = interface_name(index, spec.name);
      inside.name_at = spec.name ? spec.name->at : spec.at;
      if (spec.mac) set_mac(inside, *spec.mac, network_.spaces[index].spec->replicas.has_value());
      End& port = cable.ends[0];
      port.bridge = bridge->index;
      port.at = spec.at;
      port.name_at = inside.name_at;
      port.name = host_end_name(network_.spaces[index].name, inside.name);
      add(std::move(cable));
    }
  }

  void set_mac(End& end, const Located<Mac>& mac, bool many) {
    end.mac = mac.value;
    end.mac_at = mac.at;
    if (many) network_.mistakes.refuse(mac.at, "a fixed MAC cannot be given to replicas", "leave it out: each replica gets one of its own", 17);
  }

  void add(Cable cable) {
    for (std::size_t side = 0; side < 2; ++side) {
      const End& end = cable.ends[side];
      if (end.netns != nowhere) network_.spaces[end.netns].interfaces.push_back({network_.cables.size(), side});
      if (end.bridge != nowhere) ++network_.switches[end.bridge].ports;
    }
    network_.cables.push_back(std::move(cable));
  }

  [[nodiscard]] std::optional<Places> places_of(const LinkEndSpec& end) const {
    if (end.node == "host") return Places{{Place{}}, false};
    if (const Name* name = network_.find(end.node); name != nullptr && name->kind == Name::Kind::bridge)
      return Places{{Place{nowhere, name->index}}, false};
    const auto span = spaces_named(network_, end.node);
    if (!span) return std::nullopt;
    Places places;
    places.many = std::string_view(end.node).ends_with("[*]");
    for (std::size_t i = 0; i < span->count; ++i) places.all.push_back({span->first + i, nowhere});
    return places;
  }

  void connect(const LinkSpec& link) {
    const auto first = places_of(link.ends[0]);
    const auto second = places_of(link.ends[1]);
    if (!first || !second || link.ends[0].node == link.ends[1].node) {
      for (const auto* places : {&first, &second}) {
        if (*places) doubt(**places);
      }
      return;
    }
    if (network_.cables.size() + first->all.size() * second->all.size() > most_cables) {
      network_.mistakes.refuse(link.at, "more than " + std::to_string(most_cables) + " cables in all");
      return;
    }
    const bool carved = first->many || second->many;
    std::size_t turn = 0;
    for (const Place& one : first->all) {
      for (const Place& other : second->all) add(cable_of(link, {one, other}, turn++, carved));
    }
  }

  void doubt(const Places& places) {
    for (const Place& place : places.all) {
      if (place.space != nowhere) network_.spaces[place.space].doubtful = true;
    }
  }

  /// A namespace is no surer than what it is attached to.
  void spread_doubt() {
    for (auto& space : network_.spaces) space.doubtful = space.doubtful || space.spec->doubtful || network_.topology.doubtful;
    const auto on_doubtful = [&](const End& end) { return end.bridge != nowhere && network_.switches[end.bridge].doubtful; };
    for (const auto& cable : network_.cables) {
      const bool sure = (cable.link == nullptr || !cable.link->doubtful) && !on_doubtful(cable.ends[0]) && !on_doubtful(cable.ends[1]);
      for (const End& end : cable.ends) {
        if (!sure && end.netns != nowhere) network_.spaces[end.netns].doubtful = true;
      }
    }
  }

  Cable cable_of(const LinkSpec& link, const std::array<Place, 2>& places, std::size_t turn, bool carved) {
    Cable cable;
    cable.at = link.at;
    cable.link = &link;
    cable.turn = turn;
    cable.carved = carved;
    cable.mtu_at = link.mtu ? link.mtu->at : link.at;
    for (std::size_t side = 0; side < 2; ++side) {
      const LinkEndSpec& spec = link.ends[side];
      End& end = cable.ends[side];
      end.netns = places[side].space;
      end.bridge = places[side].bridge;
      end.at = spec.at;
      end.name_at = spec.interface ? spec.interface->at : spec.at;
      if (spec.interface) end.name = spec.interface->value;
      if (end.netns != nowhere) end.name = interface_name(end.netns, spec.interface);
      if (spec.mac) set_mac(end, *spec.mac, carved);
    }
    cable.mtu = link.mtu ? link.mtu->value : mtu_between(cable.ends);
    for (std::size_t side = 0; side < 2; ++side) {
      if (cable.ends[side].name.empty()) cable.ends[side].name = derived_name(cable, side);
    }
    return cable;
  }

  /// That of the bridge at one end, or the smaller of two.
  [[nodiscard]] std::uint32_t mtu_between(const std::array<End, 2>& ends) const {
    std::optional<std::uint32_t> mtu;
    for (const End& end : ends) {
      if (end.bridge != nowhere) mtu = std::min(mtu.value_or(network_.switches[end.bridge].mtu), network_.switches[end.bridge].mtu);
    }
    return mtu.value_or(usual_mtu);
  }

  /// The name of the gateway's end of a link that the file does not name.
  std::string derived_name(const Cable& cable, std::size_t side) {
    const End& own = cable.ends[side];
    const End& other = cable.ends[1 - side];
    if (other.netns != nowhere) return host_end_name(network_.spaces[other.netns].name, other.name);
    const std::string from = own.is_host() ? "host" : network_.switches[own.bridge].spec->name;
    const std::string to = other.is_host() ? "host" : network_.switches[other.bridge].spec->name;
    const std::size_t before = named_alike_[{from, to}]++;
    return host_end_name(from, before == 0 ? to : to + "-" + std::to_string(before + 1));
  }

  /// Bridges that cables join are one Ethernet.
  void join_domains() {
    std::vector<std::size_t> root(network_.switches.size());
    std::iota(root.begin(), root.end(), std::size_t{0});
    const auto find = [&](std::size_t i) {
      while (root[i] != i) i = root[i] = root[root[i]];
      return i;
    };
    for (const auto& cable : network_.cables) {
      const std::size_t a = cable.ends[0].bridge;
      const std::size_t b = cable.ends[1].bridge;
      if (a != nowhere && b != nowhere) root[std::max(find(a), find(b))] = std::min(find(a), find(b));
    }
    for (std::size_t i = 0; i < network_.switches.size(); ++i) network_.switches[i].domain = find(i);
    for (std::size_t i = 0; i < network_.cables.size(); ++i) {
      Cable& cable = network_.cables[i];
      const std::size_t bridge = cable.ends[0].bridge != nowhere ? cable.ends[0].bridge : cable.ends[1].bridge;
      cable.domain = bridge != nowhere ? network_.switches[bridge].domain : network_.switches.size() + i;
    }
  }

  [[nodiscard]] Mac derived_mac(const std::string& ns, const std::string& interface) const {
    return Mac::derived_from(network_.topology.name.value + "\n" + ns + "\n" + interface);
  }

  void derive_macs() {
    for (auto& cable : network_.cables) {
      for (auto& end : cable.ends) {
        if (end.mac_at != Position{} || !end.mac.is_zero()) continue;
        end.mac = derived_mac(end.netns == nowhere ? std::string() : network_.spaces[end.netns].name, end.name);
        end.mac_at = end.name_at;
      }
    }
  }

  void check_interface_names() {
    std::set<std::string> taken;
    for (const auto& space : network_.spaces) {
      taken.clear();
      for (const auto& ref : space.interfaces) {
        const End& end = network_.end(ref);
        if (taken.insert(end.name).second) continue;
        network_.mistakes.refuse(end.name_at, "namespace " + in_quotes(space.name) + " has two interfaces " + in_quotes(end.name), "name them apart");
      }
    }
  }

  /// The gateway's interfaces: the bridges and the ends there, whether named or derived. With a gateway of its own the ends of links to the host are
  /// there, beside the uplinks' ends, which have the bridges' names.
  void check_gateway_names() {
    const bool own = network_.topology.own_gateway;
    std::unordered_map<std::string, const char*> gateway, on_host;
    for (const auto& bridge : network_.switches) {
      gateway.emplace(bridge.spec->name, "a bridge");
      if (own) on_host.emplace(bridge.spec->name, "a bridge's uplink");
    }
    for (const auto& cable : network_.cables) {
      for (const auto& end : cable.ends) {
        if (end.netns != nowhere) continue;
        const auto [there, added] = (own && end.bridge == nowhere ? on_host : gateway).emplace(end.name, "another cable's end");
        if (added) continue;
        network_.mistakes.refuse(end.name_at, "this cable's end in the gateway is to be " + in_quotes(end.name) + ", as " + there->second + " is",
                                 cable.attachment != nullptr ? "name its interface otherwise" : "name the ends apart");
      }
    }
  }

  void check_gateway_namespace() {
    const std::string own = network_.gateway_ns();
    for (const auto& space : network_.spaces) {
      if (own.empty() || space.name != own) continue;
      network_.mistakes.refuse(space.spec->at, "namespace " + in_quotes(own) + " is the topology's gateway",
                               "name this one otherwise, or say gateway: host", space.spec->name.size());
    }
  }

  Network& network_;
  std::map<std::pair<std::string, std::string>, std::size_t> named_alike_;
};

}  // namespace

bool expand(Network& network) { return Expansion(network).run(); }

}  // namespace topo::network
