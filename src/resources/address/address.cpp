#include "resources/address/address.hpp"

namespace topo {
namespace {

std::string routes_through(const Address& address) { return "routes " + address.ns + ":" + address.interface; }

std::string subnet_of(const Address& address) {
  return "subnet " + address.ns + ":" + address.interface + " " + address.address.network().to_string();
}

}  // namespace

std::vector<std::string> Address::needs() const { return {interface_need(ns, interface)}; }

Circumstances Address::spoils(Turn turn) const {
  const bool v4 = address.family() == Family::v4;
  if (turn == Turn::comes) return v4 ? Circumstances{{subnet_of(*this), key()}} : Circumstances{};
  Circumstances spoilt{{"source " + ns + " " + address.address().to_string(), ""}};
  if (v4) {
    spoilt.push_back({routes_through(*this), ""});
    spoilt.push_back({subnet_of(*this), ""});
  }
  return spoilt;
}

Circumstances Address::relies_on() const {
  if (address.family() == Family::v6) return {};
  return {{subnet_of(*this), key()}};
}

std::string Address::title() const { return ns.empty() ? interface : ns + ":" + interface; }

std::string Address::summary() const { return address.to_string(); }

Differences differences(const Address&, const Address&) { return {}; }

}  // namespace topo
