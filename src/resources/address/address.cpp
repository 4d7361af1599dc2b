#include "resources/address/address.hpp"

namespace topo {
namespace {

std::string routes_through(const Address& address) { return "routes " + address.ns + ":" + address.interface; }

std::string subnet_of(const Address& address) {
  return "subnet " + address.ns + ":" + address.interface + " " + address.address.network().to_string();
}

/// Of an address within its subnet.
std::string place_of(const Address& address) { return address.secondary ? "2" : "1"; }

}  // namespace

std::vector<std::string> Address::needs() const { return {interface_need(ns, interface)}; }

Circumstances Address::spoils(Turn turn) const {
  const bool v4 = address.family() == Family::v4;
  const bool first = v4 && !secondary;
  if (turn == Turn::comes) return first ? Circumstances{{subnet_of(*this), place_of(*this)}} : Circumstances{};
  Circumstances spoilt{{"source " + ns + " " + address.address().to_string(), ""}};
  if (first) {
    spoilt.push_back({routes_through(*this), ""});
    spoilt.push_back({subnet_of(*this), ""});
    // With an interface's last address of IPv4 the kernel forgets what is set of neighbours there.
    spoilt.push_back({"addresses " + ns + ":" + interface, ""});
  }
  return spoilt;
}

Circumstances Address::relies_on() const {
  if (address.family() == Family::v6) return {};
  return {{subnet_of(*this), place_of(*this)}};
}

std::string Address::title() const { return ns.empty() ? interface : ns + ":" + interface; }

std::string Address::summary() const { return address.to_string(); }

Differences differences(const Address& before, const Address& after) {
  if (before.secondary == after.secondary) return {};
  const auto told = [](const Address& address) { return address.secondary ? "another" : "this"; };
  return {{"first of its subnet", told(before), told(after), true}};
}

}  // namespace topo
