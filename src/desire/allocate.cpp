// Every address: those given, those that follow from replicas and carved subnets, and the next free ones.
#include <algorithm>
#include <limits>

#include "desire/network.hpp"

namespace topo::network {
namespace {

/// The lowest address of `network` that a host may have.
IpAddress first_host(const Cidr& network) {
  const IpAddress base = network.network().address();
  return network.usable_by_host(base) ? base : *base.plus(1);
}

bool host_only(const Cidr& cidr) { return cidr.prefix() == cidr.address().bits(); }

class Allocation {
 public:
  explicit Allocation(Network& network) : network_(network) {}

  void run() {
    for (auto& bridge : network_.switches) place_gateway(bridge);
    for (auto& cable : network_.cables) {
      if (cable.attachment != nullptr) place_given(cable);
      if (cable.link != nullptr) place_link(cable);
    }
    for (auto& space : network_.spaces) place_loopback(space);
    collect_used();
    place_automatic();
  }

 private:
  void refuse(const Position& at, std::string message, std::string hint = {}, std::size_t length = 1) {
    network_.mistakes.refuse(at, std::move(message), std::move(hint), length);
  }

  /// Its namespace lacks an address: what would follow from that is not told.
  void doubt(const End& end) {
    if (end.netns != nowhere) network_.spaces[end.netns].doubtful = true;
  }

  bool fits(const Cidr& network, const IpAddress& address, const Position& at) {
    if (network.usable_by_host(address)) return true;
    const std::string text = address.to_string();
    const bool lowest = address == network.network().address();
    refuse(at, text + " is the " + (lowest ? "network" : "broadcast") + " address of " + network.network().to_string(),
           "give the address of a host there", text.size());
    return false;
  }

  /// The addresses given are load's to check; of those it refuses the last stands here.
  static void place_gateway(Switch& bridge) {
    if (bridge.spec->plain) return;
    for (const auto& subnet : bridge.spec->subnets) {
      Located<Cidr> own{Cidr(first_host(subnet.value), subnet.value.prefix()), subnet.at};
      for (const auto& given : bridge.spec->addresses) {
        if (subnet.value.contains(given.value)) own = {Cidr(given.value, subnet.value.prefix()), given.at};
      }
      bridge.gateway.push_back(own);
    }
  }

  void refuse_outside(const Switch& bridge, const IpAddress& address, const Position& at) {
    const std::string text = address.to_string();
    std::string subnets;
    for (const auto& subnet : bridge.spec->subnets) subnets += (subnets.empty() ? "" : ", ") + subnet.value.to_string();
    refuse(at, text + " is outside the subnet of bridge " + in_quotes(bridge.spec->name), "its subnet is " + subnets, text.size());
  }

  /// The address with its prefix length on that bridge, or a refusal.
  std::optional<Cidr> on_bridge(const Switch& bridge, const IpAddress& address, std::optional<std::uint8_t> prefix, const Position& at) {
    if (bridge.doubtful) return Cidr(address, prefix.value_or(address.bits()));
    const std::string text = address.to_string();
    bool family_has_subnet = false;
    for (const auto& subnet : bridge.spec->subnets) {
      if (subnet.value.family() != address.family()) continue;
      family_has_subnet = true;
      if (!subnet.value.contains(address)) continue;
      if (prefix && *prefix != subnet.value.prefix()) {
        refuse(at,
               text + "/" + std::to_string(*prefix) + " has another prefix length than the subnet " + subnet.value.to_string() + " of bridge " +
                   in_quotes(bridge.spec->name),
               "leave the prefix length out", text.size());
        return std::nullopt;
      }
      if (!fits(subnet.value, address, at)) return std::nullopt;
      return Cidr(address, subnet.value.prefix());
    }
    // A link-local address has its own network beside any subnet.
    if (family_has_subnet && !(is_v6_link_local(address) && prefix)) {
      refuse_outside(bridge, address, at);
      return std::nullopt;
    }
    if (!prefix) {
      refuse(at,
             text + " needs a prefix length: bridge " + in_quotes(bridge.spec->name) + " has no " + std::string(family_name(address.family())) +
                 " subnet",
             "as in " + text + (address.family() == Family::v4 ? "/24" : "/64"), text.size());
      return std::nullopt;
    }
    const Cidr own(address, *prefix);
    return fits(own, address, at) ? std::optional(own) : std::nullopt;
  }

  /// The address of a replica: the first one's and as many further.
  std::optional<IpAddress> following(const Located<InterfaceAddress>& first, std::size_t replica, const std::optional<Cidr>& within) {
    const auto address = first.value.address.plus(replica);
    if (address && (!within || replica == 0 || within->usable_by_host(*address))) return address;
    const std::string end = within ? "the end of the subnet " + within->network().to_string() : "the last address there is";
    refuse(first.at, "replica " + std::to_string(replica + 1) + " would be past " + end, "a larger subnet, or fewer replicas",
           first.value.address.to_string().size());
    return std::nullopt;
  }

  void place_given(Cable& cable) {
    End& end = cable.ends[1];
    const Space& space = network_.spaces[end.netns];
    const Switch& bridge = network_.switches[cable.ends[0].bridge];
    for (const auto& given : cable.attachment->addresses) {
      std::optional<Cidr> within;
      if (given.value.prefix) within = Cidr(given.value.address, *given.value.prefix);
      for (const auto& subnet : bridge.spec->subnets) {
        if (subnet.value.contains(given.value.address)) within = subnet.value;
      }
      const auto address = following(given, space.replica, within);
      const auto placed = address ? on_bridge(bridge, *address, given.value.prefix, given.at) : std::nullopt;
      if (placed) {
        end.addresses.push_back({*placed, given.at});
      } else {
        doubt(end);
      }
    }
  }

  void place_loopback(Space& space) {
    for (const auto& given : space.spec->loopback_addresses) {
      const std::uint8_t prefix = given.value.prefix.value_or(given.value.address.bits());
      const Cidr network(given.value.address, prefix);
      const auto address = following(given, space.replica, host_only(network) ? std::nullopt : std::optional(network));
      if (address) space.loopback.push_back({Cidr(*address, prefix), given.at});
    }
  }

  void place_link(Cable& cable) {
    const LinkSpec& link = *cable.link;
    for (std::size_t side = 0; side < 2; ++side) {
      if (cable.ends[side].bridge != nowhere) continue;
      for (const auto& address : link.ends[side].addresses) {
        if (!place_link_address(cable, side, address)) doubt(cable.ends[side]);
      }
    }
    for (const auto& subnet : link.subnets) {
      if (carve(cable, subnet)) continue;
      for (const End& end : cable.ends) doubt(end);
    }
  }

  /// False where it is refused.
  bool place_link_address(Cable& cable, std::size_t side, const Located<Cidr>& given) {
    End& end = cable.ends[side];
    const End& other = cable.ends[1 - side];
    IpAddress address = given.value.address();
    if (cable.carved) {
      // With a bridge at the other end the replicas are neighbours on one network, as attachments are; else each cable needs networks of its own.
      if (other.bridge == nowhere || end.netns == nowhere) {
        refuse(given.at, "one address cannot be given to the cables of all replicas", "say `subnet`, of which each cable gets its own part",
               given.value.to_string().size());
        return false;
      }
      const auto next = following({{address, given.value.prefix()}, given.at}, network_.spaces[end.netns].replica, given.value);
      if (!next) return false;
      address = *next;
    }
    if (other.bridge != nowhere && end.netns != nowhere) {
      const auto placed = on_bridge(network_.switches[other.bridge], address, given.value.prefix(), given.at);
      if (placed) end.addresses.push_back({*placed, given.at});
      return placed.has_value();
    }
    const Cidr placed(address, given.value.prefix());
    if (!fits(placed, address, given.at)) return false;
    end.addresses.push_back({placed, given.at});
    return true;
  }

  bool carve(Cable& cable, const Located<Cidr>& subnet) {
    const std::string text = subnet.value.to_string();
    if (cable.ends[0].bridge != nowhere || cable.ends[1].bridge != nowhere) {
      refuse(subnet.at, "a link with a bridge for an end takes no subnet", "say `addresses`; the subnet is the bridge's", text.size());
      return false;
    }
    const auto bits = subnet.value.address().bits();
    const auto prefix = cable.carved ? static_cast<std::uint8_t>(bits - 1) : subnet.value.prefix();
    const auto first = cable.carved ? subnet.value.address().plus(2 * cable.turn) : std::optional(first_host(subnet.value));
    if (!first || !subnet.value.contains(*first)) {
      const std::string each = "/" + std::to_string(bits - 1);
      refuse(subnet.at, text + " holds too few " + each + " for the link's combinations", "each of them takes a " + each, text.size());
      return false;
    }
    const auto second = first->plus(1);
    cable.ends[0].addresses.push_back({Cidr(*first, prefix), subnet.at});
    cable.ends[1].addresses.push_back({Cidr(*second, prefix), subnet.at});
    return true;
  }

  void use(const std::optional<Cidr>& cidr) {
    if (cidr && host_only(*cidr)) used_.insert(cidr->address());
  }
  void use(const Nat& nat) {
    if (nat.kind == Nat::Kind::snat) used_.insert(nat.to);
  }

  /// "Every address given explicitly anywhere in the file, next hops and what replicas derive included."
  void collect_used() {
    for (const auto& bridge : network_.switches) {
      use(bridge.spec->nat);
      for (const auto& address : bridge.gateway) used_.insert(address.value.address());
      for (const auto& address : bridge.spec->addresses) used_.insert(address.value);
    }
    for (const auto& cable : network_.cables) {
      for (const auto& end : cable.ends) {
        for (const auto& address : end.addresses) used_.insert(address.value.address());
      }
    }
    for (const auto& space : network_.spaces) {
      for (const auto& address : space.loopback) used_.insert(address.value.address());
    }
    for (const auto& spec : network_.topology.namespaces) {
      for (const auto& address : spec.gateway.addresses) used_.insert(address.value);
      for (const auto& [interface, nat] : spec.nat) use(nat);
      for (const auto& route : spec.routes) {
        use(route.destination);
        if (route.src) used_.insert(route.src->value);
        if (!route.via) continue;
        if (const auto* via = std::get_if<IpAddress>(&route.via->value)) used_.insert(*via);
      }
      for (const auto& rule : spec.rules) {
        use(rule.from);
        use(rule.to);
      }
    }
    for (const auto& port : network_.topology.ports) {
      if (port.address) used_.insert(*port.address);
    }
  }

  struct Cursor {
    std::optional<IpAddress> next;
    bool exhausted = false;
  };

  void place_automatic() {
    std::vector<std::vector<Cursor>> cursors(network_.switches.size());
    for (std::size_t i = 0; i < cursors.size(); ++i) {
      for (const auto& subnet : network_.switches[i].spec->subnets) cursors[i].push_back({first_host(subnet.value.network()), false});
    }
    for (auto& cable : network_.cables) {
      if (cable.attachment == nullptr || !cable.attachment->addresses.empty() || cable.attachment->no_address) continue;
      const std::size_t index = cable.ends[0].bridge;
      const auto& subnets = network_.switches[index].spec->subnets;
      for (std::size_t i = 0; i < subnets.size(); ++i) {
        const auto address = next_free(cursors[index][i], subnets[i].value, cable.domain);
        if (address) {
          cable.ends[1].addresses.push_back({Cidr(*address, subnets[i].value.prefix()), cable.at});
          continue;
        }
        doubt(cable.ends[1]);
        if (!cursors[index][i].exhausted) {
          cursors[index][i].exhausted = true;
          refuse(cable.at,
                 "the subnet " + subnets[i].value.to_string() + " of bridge " + in_quotes(network_.switches[index].spec->name) +
                     " has no free address left",
                 "a larger `subnet`");
        }
      }
    }
  }

  /// Only ever upwards: a number passed over stays taken.
  std::optional<IpAddress> next_free(Cursor& cursor, const Cidr& subnet, std::size_t domain) {
    while (cursor.next && subnet.usable_by_host(*cursor.next)) {
      const IpAddress address = *cursor.next;
      cursor.next = address.plus(1);
      if (!used_.contains(address) && placed_.emplace(domain, address).second) return address;
    }
    return std::nullopt;
  }

  Network& network_;
  std::set<IpAddress> used_;
  std::set<std::pair<std::size_t, IpAddress>> placed_;  ///< automatic ones, by Ethernet: bridges that a cable joins may share a subnet
};

}  // namespace

void allocate(Network& network) { Allocation(network).run(); }

}  // namespace topo::network
