// What may not be twice where networks meet: in one namespace, on one Ethernet, at the gateway.
#include <algorithm>
#include <map>
#include <set>

#include "desire/network.hpp"
#include "desire/prefix_table.hpp"

namespace topo::network {
namespace {

constexpr std::uint32_t least_mtu_v6 = 1280;  // RFC 8200, section 5

/// Whose address it is, in words that a message needs only when there is something to say.
struct Owner {
  const Network* network = nullptr;
  std::optional<EndRef> interface;
  std::size_t bridge = nowhere;  ///< the gateway's own address on it
  Position at;

  [[nodiscard]] std::string to_string() const {
    if (bridge != nowhere) return "the gateway's address on bridge " + in_quotes(network->switches[bridge].spec->name);
    if (!interface) return "an address of `lo`";
    const End& end = network->end(*interface);
    return (end.netns == nowhere ? "host" : network->spaces[end.netns].name) + ":" + end.name;
  }
};

class Meetings {
 public:
  explicit Meetings(Network& network) : network_(network) {}

  void run() {
    for (const auto& space : network_.spaces) check_space(space);
    check_gateway();
    check_ethernets();
    check_sizes();
    check_mtus();
  }

 private:
  /// Each address once, in what `addresses_` holds so far.
  void claim(const IpAddress& address, const Owner& owner) {
    const auto [there, added] = addresses_.emplace(address, owner);
    if (added) return;
    refuse_pair(owner.at, address.to_string() + " is used twice", there->second, address.to_string().size());
  }

  void refuse_pair(const Position& at, const std::string& message, const Owner& other, std::size_t length) {
    std::string hint = "by " + other.to_string();
    if (other.at.line != 0) hint += ", line " + std::to_string(other.at.line);
    network_.mistakes.refuse(at, message, std::move(hint), length);
  }

  /// A subnet that an interface is in; only cables of one Ethernet may share it.
  void claim_subnet(PrefixTable<Owner>& subnets, const Located<Cidr>& cidr, const Owner& owner, bool same_ethernet_may) {
    if (cidr.value.prefix() == cidr.value.address().bits() || is_v6_link_local(cidr.value.address())) return;
    if (const auto* met = subnets.overlapping(cidr.value)) {
      const bool same_interface = owner.interface && met->second.interface == owner.interface;
      const bool same_ethernet =
          same_ethernet_may && network_.cables[met->second.interface->cable].domain == network_.cables[owner.interface->cable].domain;
      if (!same_interface && !same_ethernet) {
        const std::string text = cidr.value.network().to_string();
        refuse_pair(cidr.at, "the subnet " + text + " overlaps " + met->first.to_string(), met->second, cidr.value.to_string().size());
      }
    }
    subnets.add(cidr.value, owner);
  }

  void check_space(const Space& space) {
    addresses_.clear();
    PrefixTable<Owner> subnets;
    for (const auto& address : space.loopback) claim(address.value.address(), {&network_, {}, nowhere, address.at});
    for (const auto& ref : space.interfaces) {
      for (const auto& address : network_.end(ref).addresses) {
        const Owner owner{&network_, ref, nowhere, address.at};
        claim_subnet(subnets, address, owner, true);
        if (!is_v6_link_local(address.value.address())) claim(address.value.address(), owner);
      }
    }
    for (const auto& address : space.loopback) check_loopback(subnets, address);
  }

  /// All of a network on `lo` is the namespace itself: nobody in it could be reached elsewhere.
  void check_loopback(const PrefixTable<Owner>& subnets, const Located<Cidr>& cidr) {
    const std::uint8_t bits = cidr.value.address().bits();
    const auto* met = cidr.value.prefix() == bits ? nullptr : subnets.overlapping(cidr.value);
    if (met == nullptr) return;
    network_.mistakes.refuse(cidr.at,
                             "the network " + cidr.value.network().to_string() + " of lo overlaps " + met->first.to_string() + " of " +
                                 network_.end(*met->second.interface).name + ": all of it would be local",
                             "for the address alone: " + Cidr(cidr.value.address(), bits).to_string(), cidr.value.to_string().size());
  }

  void check_gateway() {
    addresses_.clear();
    PrefixTable<Owner> subnets;
    for (std::size_t i = 0; i < network_.switches.size(); ++i) {
      for (const auto& address : network_.switches[i].gateway) {
        const Owner owner{&network_, {}, i, address.at};
        claim_subnet(subnets, address, owner, false);
        claim(address.value.address(), owner);
      }
    }
    for (std::size_t i = 0; i < network_.cables.size(); ++i) {
      for (std::size_t side = 0; side < 2; ++side) {
        if (!network_.cables[i].ends[side].is_host()) continue;
        for (const auto& address : network_.cables[i].ends[side].addresses) {
          const Owner owner{&network_, EndRef{i, side}, nowhere, address.at};
          claim_subnet(subnets, address, owner, false);
          if (!is_v6_link_local(address.value.address())) claim(address.value.address(), owner);
        }
      }
    }
  }

  /// Addresses and MACs on each Ethernet: bridges with all that cables join to them, and each cable between two namespaces.
  void check_ethernets() {
    std::vector<EndRef> by_ethernet;
    for (std::size_t i = 0; i < network_.cables.size(); ++i) {
      by_ethernet.push_back({i, 0});
      by_ethernet.push_back({i, 1});
    }
    const auto domain = [&](const EndRef& ref) { return network_.cables[ref.cable].domain; };
    std::stable_sort(by_ethernet.begin(), by_ethernet.end(), [&](const EndRef& a, const EndRef& b) { return domain(a) < domain(b); });
    std::multimap<std::size_t, std::size_t> bridges;
    for (std::size_t i = 0; i < network_.switches.size(); ++i) bridges.emplace(network_.switches[i].domain, i);

    for (std::size_t begin = 0; begin < by_ethernet.size();) {
      const std::size_t here = domain(by_ethernet[begin]);
      addresses_.clear();
      macs_.clear();
      const auto [first, last] = bridges.equal_range(here);
      for (auto bridge = first; bridge != last; ++bridge) claim_bridge(bridge->second);
      std::set<std::size_t> spaces;
      for (; begin < by_ethernet.size() && domain(by_ethernet[begin]) == here; ++begin) {
        claim_end(by_ethernet[begin]);
        spaces.insert(network_.end(by_ethernet[begin]).netns);
      }
      spaces.erase(nowhere);
      for (const std::size_t space : spaces) check_neighbours(space);
    }
  }

  void claim_bridge(std::size_t index) {
    const Switch& bridge = network_.switches[index];
    for (const auto& address : bridge.gateway) claim(address.value.address(), {&network_, {}, index, address.at});
    claim_mac(bridge.mac, bridge.spec->mac ? bridge.spec->mac->at : bridge.spec->at, "bridge " + in_quotes(bridge.spec->name));
  }

  void claim_end(const EndRef& ref) {
    const End& end = network_.end(ref);
    const Owner owner{&network_, ref, nowhere, end.mac_at};
    claim_mac(end.mac, end.mac_at, owner.to_string());
    for (const auto& address : end.addresses) claim(address.value.address(), {&network_, ref, nowhere, address.at});
  }

  /// An address of `lo` that a neighbour has; several namespaces may share one on their `lo`, as anycast does.
  void check_neighbours(std::size_t space) {
    for (const auto& address : network_.spaces[space].loopback) {
      const auto there = addresses_.find(address.value.address());
      if (there == addresses_.end() || (there->second.interface && network_.end(*there->second.interface).netns == space)) continue;
      refuse_pair(address.at, there->first.to_string() + " is used twice", there->second, address.value.to_string().size());
    }
  }

  void claim_mac(const Mac& mac, const Position& at, std::string owner) {
    const auto [there, added] = macs_.emplace(mac, std::move(owner));
    if (!added) network_.mistakes.refuse(at, "the MAC " + mac.to_string() + " is used twice on one network", "by " + there->second, 17);
  }

  void check_sizes() {
    for (const auto& bridge : network_.switches) {
      if (bridge.ports <= most_members) continue;
      network_.mistakes.refuse(bridge.spec->at, "bridge " + in_quotes(bridge.spec->name) + " would have " + std::to_string(bridge.ports) + " members",
                               "the kernel allows " + std::to_string(most_members) + "; use several bridges", bridge.spec->name.size());
    }
  }

  void check_mtus() {
    for (const auto& cable : network_.cables) {
      if (cable.mtu >= least_mtu_v6) continue;
      for (const auto& end : cable.ends) {
        const bool v6 = std::any_of(end.addresses.begin(), end.addresses.end(), [](const auto& it) { return it.value.family() == Family::v6; });
        if (!v6) continue;
        network_.mistakes.refuse(cable.mtu_at, "an MTU of " + std::to_string(cable.mtu) + " is too small for IPv6", "IPv6 needs 1280 at least");
      }
    }
  }

  Network& network_;
  std::map<IpAddress, Owner> addresses_;
  std::map<Mac, std::string> macs_;
};

}  // namespace

void check_meetings(Network& network) { Meetings(network).run(); }

}  // namespace topo::network
