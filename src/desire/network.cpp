#include "desire/network.hpp"

#include <algorithm>

namespace topo::network {
namespace {

constexpr std::string_view all_of_them = "[*]";

}  // namespace

void Mistakes::refuse(const Position& at, std::string message, std::string hint, std::size_t length) {
  if (at.line != 0 && !said_.insert(at).second) return;
  const auto columns = static_cast<std::uint16_t>(std::clamp<std::size_t>(length, 1, 200));
  found_.push_back({at, std::move(message), std::move(hint), columns});
}

const Name* Network::find(const std::string& name) const {
  const auto found = names.find(name);
  return found == names.end() ? nullptr : &found->second;
}

std::optional<EndRef> Network::interface(const Space& space, const std::string& name) const {
  const auto found = std::find_if(space.interfaces.begin(), space.interfaces.end(), [&](const EndRef& ref) { return end(ref).name == name; });
  return found == space.interfaces.end() ? std::nullopt : std::optional(*found);
}

std::optional<Span> spaces_named(const Network& network, const std::string& text) {
  const bool all = std::string_view(text).ends_with(all_of_them);
  const Name* name = network.find(all ? text.substr(0, text.size() - all_of_them.size()) : text);
  if (name == nullptr || name->kind != (all ? Name::Kind::replicas : Name::Kind::space)) return std::nullopt;
  return Span{name->index, name->count};
}

bool has_gateway(const policy::Segment& segment, Family family) {
  return std::any_of(segment.gateway.begin(), segment.gateway.end(), [&](const Cidr& address) { return address.family() == family; });
}

bool has_family(const Network& network, const Space& space, Family family) {
  const auto of_family = [&](const auto& address) { return address.value.family() == family; };
  const auto on_interface = [&](const EndRef& ref) {
    const auto& addresses = network.end(ref).addresses;
    return std::any_of(addresses.begin(), addresses.end(), of_family);
  };
  return std::any_of(space.loopback.begin(), space.loopback.end(), of_family) ||
         std::any_of(space.interfaces.begin(), space.interfaces.end(), on_interface);
}

std::string interfaces_hint(const Network& network, const Space& space) {
  std::string names;
  for (const auto& ref : space.interfaces) {
    if (names.size() > 60) {
      names += ", ...";
      break;
    }
    names += (names.empty() ? "" : ", ") + network.end(ref).name;
  }
  return names.empty() ? "it has none but lo" : "it has " + names;
}

bool is_v6_link_local(const IpAddress& address) {
  return address.family() == Family::v6 && address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0U) == 0x80;
}

std::string in_quotes(std::string_view name) { return '"' + std::string(name) + '"'; }
std::string_view family_name(Family family) { return family == Family::v4 ? "IPv4" : "IPv6"; }

}  // namespace topo::network
