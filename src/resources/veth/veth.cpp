#include "resources/veth/veth.hpp"

namespace topo {
namespace {

const char* on_off(bool on) { return on ? "on" : "off"; }

/// An end by the name a file knows it by: a port's is its bridge.
std::string end_title(const VethEnd& end) { return (end.bridge.empty() ? place_title(end.ns) : end.bridge) + ":" + end.name; }

/// The end that the title is about, where the cable ties one namespace to a bridge; nullptr for a cable between equals.
const VethEnd* member_of(const Veth& cable) {
  const auto& [first, second] = cable.ends;
  if (!first.bridge.empty() && second.bridge.empty() && !second.ns.empty()) return &second;
  if (!second.bridge.empty() && first.bridge.empty() && !first.ns.empty()) return &first;
  return nullptr;
}

/// Differences of one end's `attribute`, or one of the whole cable where both ends change alike.
template <class Text>
void compare_ends(Differences& out, const std::string& attribute, const Veth& before, const Veth& after, Text text) {
  const std::array<std::string, 2> was{text(before.ends[0]), text(before.ends[1])};
  const std::array<std::string, 2> is{text(after.ends[0]), text(after.ends[1])};
  if (was[0] == was[1] && is[0] == is[1]) return compare(out, attribute.c_str(), was[0], is[0]);
  for (std::size_t i = 0; i < 2; ++i) {
    const VethEnd& end = after.ends[i];
    compare(out, (attribute + " of " + place_title(end.ns) + ":" + end.name).c_str(), was[i], is[i]);
  }
}

}  // namespace

std::string Veth::key() const { return ends[0].ns + ":" + ends[0].name + "=" + ends[1].ns + ":" + ends[1].name; }

std::vector<std::string> Veth::needs() const {
  std::vector<std::string> names;
  for (const VethEnd& end : ends) {
    if (!end.ns.empty()) names.push_back(namespace_need(end.ns));
  }
  return names;
}

std::vector<std::string> Veth::provides() const { return {interface_need(ends[0].ns, ends[0].name), interface_need(ends[1].ns, ends[1].name)}; }

Circumstances Veth::spoils(Turn turn) const {
  if (turn == Turn::goes) return {};
  Circumstances spoilt{{"cables " + ends[0].ns, ""}, {"cables " + ends[1].ns, ""}};
  // Any change of it writes its MAC, with which the kernel forgets all that is known there.
  for (const VethEnd& end : ends) spoilt.push_back({"neighbours " + end.ns + ":" + end.name, ""});
  return spoilt;
}

std::string Veth::title() const {
  if (const VethEnd* member = member_of(*this)) return member->ns + ":" + member->name;
  return end_title(ends[0]) + " <-> " + end_title(ends[1]);
}

std::string Veth::summary() const {
  const VethEnd* member = member_of(*this);
  if (member == nullptr) return "cable";
  return "on " + (member == &ends[0] ? ends[1] : ends[0]).bridge;
}

Differences differences(const Veth& before, const Veth& after) {
  Differences found;
  for (std::size_t i = 0; i < 2; ++i) {
    const VethEnd& end = after.ends[i];
    const bool member = member_of(after) != nullptr;
    compare(found, member ? "bridge" : ("bridge of " + place_title(end.ns) + ":" + end.name).c_str(), before.ends[i].bridge, end.bridge);
  }
  compare_ends(found, "mtu", before, after, [](const VethEnd& end) { return std::to_string(end.mtu); });
  for (std::size_t i = 0; i < 2; ++i) {
    const VethEnd& end = after.ends[i];
    compare(found, ("mac of " + place_title(end.ns) + ":" + end.name).c_str(), before.ends[i].mac.to_string(), end.mac.to_string());
  }
  compare_ends(found, "hairpin", before, after, [](const VethEnd& end) { return std::string(on_off(end.hairpin)); });
  compare_ends(found, "gateway for IPv4", before, after, [](const VethEnd& end) { return std::string(on_off(end.gateway_v4)); });
  compare_ends(found, "route_localnet", before, after, [](const VethEnd& end) { return std::string(on_off(end.route_localnet)); });
  compare_ends(found, "ipv6", before, after, [](const VethEnd& end) { return std::string(on_off(end.ipv6)); });
  compare_ends(found, "state", before, after, [](const VethEnd& end) { return end.amiss; });
  return found;
}

}  // namespace topo
