#include "resources/firewall/ways.hpp"

#include <algorithm>

namespace topo {
namespace {

bool is_v6_link_local(const IpAddress& address) { return address.family() == Family::v6 && address.is_link_local(); }

std::string key_of(const std::string& ns, const std::string& interface) { return ns + ':' + interface; }

}  // namespace

Ways::Ways(const std::string& ns, std::uint32_t group, const Layout& layout)
    : ns_(ns), group_(group), routers_(layout.routers), switches_(layout.switches), foreign_(layout.foreign) {
  add_seats(layout);
  add_steps(layout);
}

void Ways::add_seats(const Layout& layout) {
  std::multimap<std::string, IpAddress> addresses;
  std::set<std::string> addressed;
  for (const Address& address : layout.addresses) {
    addresses.emplace(key_of(address.ns, address.interface), address.address.address());
    if (!is_v6_link_local(address.address.address())) addressed.insert(key_of(address.ns, address.interface));
  }
  for (const Veth& cable : layout.cables) {
    for (std::size_t i = 0; i < 2; ++i) {
      const VethEnd& here = cable.ends[i];
      const VethEnd& there = cable.ends[1 - i];
      if (here.ns != ns_) continue;
      const bool is_port = !here.bridge.empty();
      const std::string key = key_of(there.ns, there.name);
      Seat seat{{is_port ? here.bridge : here.name, group_, is_port ? here.name : std::string()}, there.ns, there.name, false};
      seat.loose = routers_.contains(there.ns) || !there.bridge.empty() || !addressed.contains(key);
      const auto [first, last] = addresses.equal_range(key);
      if (routers_.contains(there.ns) && !is_switch(seat.way.interface)) router_seats_.push_back(seats_.size());
      for (auto address = first; address != last; ++address) seat_by_address_.emplace(address->second, seats_.size());
      seats_.push_back(std::move(seat));
    }
  }
}

void Ways::add_steps(const Layout& layout) {
  for (const Address& address : layout.addresses) {
    if (address.ns == ns_) here_.emplace(address.address.address(), address.interface);
    if (!is_v6_link_local(address.address.address())) steps_[address.ns].push_back({address.address.network(), address.interface, {}});
  }
  // Of every table: which one routing rules choose depends on more than the address.
  for (const Route& route : layout.routes) {
    for (const NextHop& hop : route.next_hops) steps_[route.ns].push_back({route.destination, hop.interface, hop.via});
  }
  for (auto& [ns, steps] : steps_) {
    std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.network.prefix() > b.network.prefix(); });
  }
}

bool Ways::is_switch(const std::string& interface) const {
  return std::any_of(switches_.begin(), switches_.end(), [&](const auto& each) { return each.second == interface; });
}

Ways::Steps Ways::steps(const std::string& ns, const IpAddress& address) const {
  Steps found;
  const auto known = steps_.find(ns);
  if (known == steps_.end()) return found;
  for (const Step& step : known->second) {
    if (!found.empty() && step.network.prefix() < found.front().network.prefix()) break;
    if (step.network.contains(address)) found.push_back(step);
  }
  return found;
}

const Ways::Seat* Ways::seat_of(const IpAddress& address, const std::string& bridge) const {
  const auto [first, last] = seat_by_address_.equal_range(address);
  for (auto each = first; each != last; ++each) {
    const Seat& seat = seats_[each->second];
    if (bridge.empty() ? !is_switch(seat.way.interface) : seat.way.interface == bridge) return &seat;
  }
  return nullptr;
}

Way Ways::way_by(const Step& step) const {
  if (const auto foreign = foreign_.find(step.interface); foreign != foreign_.end()) return {step.interface, foreign->second, {}};
  if (step.via) {
    if (const Seat* seat = seat_of(*step.via, step.interface)) return seat->way;
  }
  return {step.interface, group_, {}};
}

Way Ways::to(const IpAddress& address) const {
  if (address.is_loopback() || here_.contains(address)) return {};
  if (const Seat* seat = seat_of(address)) return seat->way;
  const Steps found = steps(ns_, address);
  return found.empty() ? Way{"?", 0, {}} : way_by(found.front());
}

bool Ways::is_own(const IpAddress& address) const {
  if (address.is_loopback()) return false;
  if (const auto here = here_.find(address); here != here_.end()) return is_own_interface(here->second);
  if (seat_of(address) != nullptr) return true;
  const Steps found = steps(ns_, address);
  return !found.empty() && found.front().network.prefix() != 0 && is_own_interface(found.front().interface);
}

std::vector<Way> Ways::inside(const std::string& bridge, const IpAddress& address) const {
  if (const Seat* seat = seat_of(address, bridge)) return {seat->way};
  std::vector<Way> found;
  for (const Seat& seat : seats_) {
    if (seat.loose && seat.way.interface == bridge) found.push_back(seat.way);
  }
  return found;
}

std::vector<Way> Ways::behind_routers(const IpAddress& address) const {
  std::vector<Way> found;
  for (const std::size_t index : router_seats_) {
    const Seat& seat = seats_[index];
    const Steps onwards = steps(seat.ns, address);
    const bool leads_on =
        std::any_of(onwards.begin(), onwards.end(), [&](const Step& step) { return step.network.prefix() != 0 && step.interface != seat.interface; });
    if (leads_on) found.push_back(seat.way);
  }
  return found;
}

/// Where the topology knows the address to be behind a router, a default route of the namespace says nothing.
std::vector<Way> Ways::ends(const IpAddress& address) const {
  if (address.is_loopback() || here_.contains(address)) return {{}};
  if (const Seat* seat = seat_of(address)) return {seat->way};
  std::vector<Way> found = behind_routers(address);
  const bool known = !found.empty();
  for (const Step& step : steps(ns_, address)) {
    if (known && step.network.prefix() == 0) continue;
    found.push_back(way_by(step));
    if (step.via || !is_own_interface(step.interface)) continue;
    const std::vector<Way> ports = inside(step.interface, address);
    found.insert(found.end(), ports.begin(), ports.end());
  }
  if (found.empty()) found.push_back({"?", 0, {}});
  return found;
}

std::vector<Way> Ways::next_hops(const Seat& sender, const IpAddress& destination) const {
  std::vector<Way> found;
  for (const Step& step : steps(sender.ns, destination)) {
    if (!step.via || step.interface != sender.interface) continue;
    const Seat* const hop = seat_of(*step.via, sender.way.interface);
    if (hop != nullptr && hop != &sender) found.push_back(hop->way);
  }
  return found;
}

std::vector<Crossing> Ways::between(const IpAddress& source, const IpAddress& destination, std::uint16_t zone) const {
  std::vector<Way> ins, outs;
  if (const auto own = switches_.find(zone); own != switches_.end()) {
    ins = inside(own->second, source);
    outs = inside(own->second, destination);
    if (ins.empty()) ins.push_back({own->second, group_, {}});
    if (outs.empty()) outs.push_back({own->second, group_, {}});
  } else {
    ins = ends(source);
    outs = ends(destination);
    const Seat *const sender = seat_of(source), *const receiver = seat_of(destination);
    if (sender != nullptr) {
      auto hops = next_hops(*sender, destination);
      if (!hops.empty()) outs = std::move(hops);
    } else if (receiver != nullptr) {
      const auto hops = next_hops(*receiver, source);
      ins.insert(ins.end(), hops.begin(), hops.end());
    }
  }
  std::vector<Crossing> found;
  for (const Way& in : ins) {
    for (const Way& out : outs) {
      if (in.port.empty() || in != out) found.push_back({in, out});
    }
  }
  if (found.empty()) found.push_back({ins.front(), outs.front()});
  return found;
}

}  // namespace topo
