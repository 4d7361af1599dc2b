#include "resources/neighbour/neighbour.hpp"

namespace topo {

std::string Neighbour::key() const { return ns + ":" + interface + " " + address.to_string() + (mac ? "" : " proxy"); }

Circumstances Neighbour::relies_on() const {
  const std::string place = ns + ":" + interface;
  Circumstances circumstances;
  if (mac) circumstances.push_back({"neighbours " + place, key()});
  if (address.family() == Family::v4) circumstances.push_back({"addresses " + place, key()});
  return circumstances;
}

std::string Neighbour::title() const { return (ns.empty() ? interface : ns + ":" + interface) + " " + address.to_string(); }

std::string Neighbour::summary() const { return mac ? "at " + mac->to_string() : "proxy"; }

Differences differences(const Neighbour& before, const Neighbour& after) {
  Differences found;
  compare(found, "mac", before.mac ? before.mac->to_string() : "", after.mac ? after.mac->to_string() : "");
  return found;
}

}  // namespace topo
