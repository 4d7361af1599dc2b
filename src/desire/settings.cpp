// Checks of what a file sets by names of interfaces: NAT and sysctls.
#include <algorithm>
#include <array>

#include "desire/network.hpp"

namespace topo::network {
namespace {

constexpr std::uint32_t least_mtu_v6 = 1280;  // RFC 8200, section 5
constexpr std::array<std::string_view, 3> forwarding{"net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding", "net/ipv6/conf/all/forwarding"};

bool has_family(const std::vector<Located<Cidr>>& addresses, Family family) {
  return std::any_of(addresses.begin(), addresses.end(), [&](const auto& it) { return it.value.family() == family; });
}

void check_snat(Network& network, const Nat& nat, const std::vector<Located<Cidr>>& addresses, const std::string& place) {
  if (nat.kind != Nat::Kind::snat || has_family(addresses, nat.to.family())) return;
  network.mistakes.refuse(nat.at,
                          "snat to " + nat.to.to_string() + ", but " + place + " has no " + std::string(family_name(nat.to.family())) + " address",
                          {}, nat.to.to_string().size());
}

/// Answers come to the namespace by an address of its own alone.
void check_snat_is_own(Network& network, const Space& space, const Nat& nat) {
  if (nat.kind != Nat::Kind::snat) return;
  std::string own;
  bool found = false;
  const auto look = [&](const std::vector<Located<Cidr>>& addresses) {
    for (const auto& [address, at] : addresses) {
      if (address.family() != nat.to.family()) continue;
      found = found || address.address() == nat.to;
      own += (own.empty() ? "" : ", ") + address.address().to_string();
    }
  };
  for (const EndRef& ref : space.interfaces) look(network.end(ref).addresses);
  look(space.loopback);
  if (found) return;
  network.mistakes.refuse(nat.at, "snat to " + nat.to.to_string() + ", which namespace " + in_quotes(space.name) + " does not have",
                          "its addresses: " + own, nat.to.to_string().size());
}

void check_bridge(Network& network, const Switch& bridge) {
  const Nat& nat = bridge.spec->nat;
  if (nat.kind == Nat::Kind::none || bridge.spec->plain) return;
  if (bridge.gateway.empty()) {
    network.mistakes.refuse(nat.at, "nat on bridge " + in_quotes(bridge.spec->name) + ", which has no subnet", "give it a `subnet`");
    return;
  }
  check_snat(network, nat, bridge.gateway, "bridge " + in_quotes(bridge.spec->name));
}

void check_interface_nat(Network& network, const Space& space) {
  for (const auto& [interface, nat] : space.spec->nat) {
    const auto ref = network.interface(space, interface.value);
    if (!ref) {
      network.mistakes.refuse(interface.at, "namespace " + in_quotes(space.name) + " has no interface " + in_quotes(interface.value),
                              "`nat` names the interface that packets leave by", interface.value.size());
    } else {
      check_snat(network, nat, network.end(*ref).addresses, space.name + ":" + interface.value);
      check_snat_is_own(network, space, nat);
    }
  }
}

/// "eth0/rp_filter" of "net/ipv4/conf/eth0/rp_filter", or nothing.
std::string below_interfaces(const std::string& sysctl) {
  for (const std::string_view prefix : {"net/ipv4/conf/", "net/ipv6/conf/", "net/ipv4/neigh/", "net/ipv6/neigh/"}) {
    if (sysctl.starts_with(prefix)) return sysctl.substr(prefix.size());
  }
  return {};
}

/// "net.ipv4.conf.eth0.5.rp_filter" where there is an interface "eth0.5".
bool refuse_dotted(Network& network, const Space& space, const Located<std::string>& sysctl) {
  const std::string below = below_interfaces(sysctl.value);
  for (const auto& ref : space.interfaces) {
    const std::string& name = network.end(ref).name;
    std::string apart = name + '/';
    std::replace(apart.begin(), apart.end(), '.', '/');
    if (name.find('.') == std::string::npos || !below.starts_with(apart)) continue;
    const std::string meant = sysctl.value.substr(0, sysctl.value.size() - below.size()) + name + below.substr(name.size());
    network.mistakes.refuse(sysctl.at, "the dots of " + in_quotes(name) + " are taken for those of the sysctl",
                            "with dots in a name use slashes: " + meant, sysctl.value.size());
    return true;
  }
  return false;
}

/// "net/ipv6/conf/eth0/disable_ipv6: 1", where the file gives eth0 an IPv6 address.
bool kills_addresses(const Network& network, const Space& space, const std::string& sysctl, const std::string& interface) {
  if (!sysctl.starts_with("net/ipv6/conf/") || !sysctl.ends_with("/disable_ipv6") || interface == "default") return false;
  const bool all = interface == "all";
  if ((all || interface == "lo") && has_family(space.loopback, Family::v6)) return true;
  return std::any_of(space.interfaces.begin(), space.interfaces.end(), [&](const EndRef& ref) {
    const End& end = network.end(ref);
    return (all || end.name == interface) && has_family(end.addresses, Family::v6);
  });
}

/// The kernel has no IPv6 on an interface of less than its least MTU, and so none of its sysctls either.
void refuse_without_ipv6(Network& network, const EndRef& ref, const Located<std::string>& sysctl) {
  const std::uint32_t mtu = network.cables[ref.cable].mtu;
  if (mtu >= least_mtu_v6 || !sysctl.value.starts_with("net/ipv6/")) return;
  network.mistakes.refuse(
      sysctl.at, "an MTU of " + std::to_string(mtu) + " is too small for IPv6, so that " + in_quotes(network.end(ref).name) + " has no such sysctl",
      "IPv6 needs 1280 at least", sysctl.value.size());
}

void check_sysctls(Network& network, const Space& space) {
  for (const auto& [name, value] : space.spec->sysctls) {
    const bool forwards = std::find(forwarding.begin(), forwarding.end(), name.value) != forwarding.end();
    if (forwards && (value != "0") != space.spec->router) {
      network.mistakes.refuse(
          name.at, "this contradicts `router: " + std::string(space.spec->router ? "true" : "false") + "` of namespace " + in_quotes(space.name),
          space.spec->router ? "leave one of them out" : "say `router: true` instead", name.value.size());
    }
    if (refuse_dotted(network, space, name)) continue;
    const std::string below = below_interfaces(name.value);
    const std::string interface = below.substr(0, below.find('/'));
    if (value != "0" && kills_addresses(network, space, name.value, interface)) {
      network.mistakes.refuse(name.at, "this takes away the IPv6 addresses of namespace " + in_quotes(space.name), {}, name.value.size());
    }
    if (interface.empty() || interface == "all" || interface == "default" || interface == "lo") continue;
    if (const auto ref = network.interface(space, interface)) {
      refuse_without_ipv6(network, *ref, name);
      continue;
    }
    network.mistakes.refuse(name.at, "namespace " + in_quotes(space.name) + " has no interface " + in_quotes(interface),
                            interfaces_hint(network, space), name.value.size());
  }
}

}  // namespace

void check_settings(Network& network) {
  for (const auto& bridge : network.switches) {
    if (!bridge.doubtful) check_bridge(network, bridge);
  }
  for (const auto& space : network.spaces) {
    if (space.doubtful) continue;
    check_interface_nat(network, space);
    check_sysctls(network, space);
  }
}

}  // namespace topo::network
