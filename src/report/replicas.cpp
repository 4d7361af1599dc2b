#include "report/replicas.hpp"

#include <algorithm>

#include "resources/etc/etc.hpp"

namespace topo::report {
namespace {

using Replicas = std::vector<const NamespaceSpec*>;
using Addresses = std::vector<Located<InterfaceAddress>>;

auto place_of(std::vector<NamespaceSpec>& namespaces, const std::string& name) {
  return std::lower_bound(namespaces.begin(), namespaces.end(), name,
                          [](const NamespaceSpec& ns, const std::string& wanted) { return ns.name < wanted; });
}

const NamespaceSpec* find(Topology& topology, const std::string& name) {
  const auto found = place_of(topology.namespaces, name);
  return found != topology.namespaces.end() && found->name == name ? &*found : nullptr;
}

bool is_linked(const Topology& topology, const std::string& ns) {
  return std::any_of(topology.links.begin(), topology.links.end(),
                     [&](const LinkSpec& link) { return link.ends[0].node == ns || link.ends[1].node == ns; });
}

/// Whether the addresses of attachment `i` are those that replicas get where the file gives none: one after another, without those in use.
bool is_allocated(const Replicas& all, std::size_t i, const BridgeSpec& bridge, std::set<IpAddress> used) {
  for (const NamespaceSpec* ns : all) {
    if (i >= ns->attach.size() || ns->attach[i].addresses.size() != bridge.subnets.size()) return false;
    for (const auto& address : ns->attach[i].addresses) used.erase(address.value.address);
  }
  for (const auto& subnet : bridge.subnets) {
    std::optional<IpAddress> next = subnet.value.address().plus(1);
    for (const NamespaceSpec* ns : all) {
      while (next && used.contains(*next)) next = next->plus(1);
      const Addresses& own = ns->attach[i].addresses;
      if (!next || std::none_of(own.begin(), own.end(), [&](const auto& it) { return it.value.address == *next; })) return false;
      next = next->plus(1);
    }
  }
  return !bridge.subnets.empty();
}

bool follow(const Addresses& first, const Addresses& other, std::size_t k) {
  return std::equal(first.begin(), first.end(), other.begin(), other.end(),
                    [k](const auto& a, const auto& b) { return a.value.address.plus(k) == b.value.address && a.value.prefix == b.value.prefix; });
}

bool follow(const AttachmentSpec& first, const AttachmentSpec& other, std::size_t k) {
  const auto name = [](const AttachmentSpec& it) { return it.name ? it.name->value : std::string(); };
  const auto mtu = [](const AttachmentSpec& it) { return it.mtu ? it.mtu->value : 0; };
  const bool automatic = first.addresses.empty() && !first.no_address;
  return first.bridge.value == other.bridge.value && name(first) == name(other) && mtu(first) == mtu(other) && !first.mac && !other.mac &&
         (automatic || follow(first.addresses, other.addresses, k));
}

/// All that replicas share, as one text.
std::string shared(const NamespaceSpec& ns) {
  std::string text = std::to_string(ns.router);
  for (const auto& [setting, value] : ns.sysctls) text += "\n" + setting.value + "=" + value;
  for (const auto& address : ns.gateway.addresses) text += "\ngateway " + address.value.to_string();
  for (const auto& server : ns.dns) text += "\ndns " + server.value.to_string();
  if (ns.hosts) text += ns.hosts->all ? "\nhosts: true" : "\n" + hosts_text("replicas", ns.hosts->names, false);
  if (ns.etc) text += "\netc " + ns.etc->folder;
  for (const auto& command : ns.run) {
    text += "\nrun " + command.name + (command.ready ? std::to_string(command.ready->tcp) + " " + std::to_string(command.ready->within_s) : "");
    for (const auto& word : command.words) text += "\nword " + word;
    for (const auto& after : command.after) text += "\nafter " + after.value;
  }
  return text;
}

/// Whether `other` is what replica number `k` of `first` would be. Replicas with routes of their own are rare: they are written one by one.
bool follow(const NamespaceSpec& first, const NamespaceSpec& other, std::size_t k) {
  const auto plain = [](const NamespaceSpec& ns) { return ns.routes.empty() && ns.rules.empty() && ns.nat.empty(); };
  return plain(first) && plain(other) && shared(first) == shared(other) && follow(first.loopback_addresses, other.loopback_addresses, k) &&
         std::equal(first.attach.begin(), first.attach.end(), other.attach.begin(), other.attach.end(),
                    [k](const AttachmentSpec& a, const AttachmentSpec& b) { return follow(a, b, k); });
}

/// The one entry for all; nullopt where it would not say the same.
std::optional<NamespaceSpec> folded(Topology& topology, const std::string& name, const std::vector<std::string>& names,
                                    const std::set<IpAddress>& used) {
  Replicas all;
  for (const std::string& replica : names) {
    all.push_back(find(topology, replica));
    if (all.back() == nullptr || is_linked(topology, replica)) return std::nullopt;
  }
  NamespaceSpec one = *all.front();
  one.name = name;
  one.replicas = Located<std::uint32_t>{static_cast<std::uint32_t>(names.size()), {}};
  for (std::size_t i = 0; i < one.attach.size(); ++i) {
    const auto bridge =
        std::find_if(topology.bridges.begin(), topology.bridges.end(), [&](const BridgeSpec& it) { return it.name == one.attach[i].bridge.value; });
    bool as_written = true;
    for (std::size_t k = 0; k < all.size(); ++k) as_written = as_written && i < all[k]->attach.size() && follow(one.attach[i], all[k]->attach[i], k);
    if (!as_written && bridge != topology.bridges.end() && is_allocated(all, i, *bridge, used)) one.attach[i].addresses.clear();
  }
  for (std::size_t k = 0; k < all.size(); ++k) {
    if (!follow(one, *all[k], k)) return std::nullopt;
  }
  return one;
}

Located<std::variant<std::string, Cidr>> member(const std::string& name) { return {name, {}}; }

void name_all(Topology& topology, const std::string& name, const std::vector<std::string>& names) {
  const std::string pattern = name + "[*]";
  for (ZoneSpec& zone : topology.zones) {
    const auto found =
        std::find_if(zone.members.begin(), zone.members.end(), [&](const auto& it) { return std::get<std::string>(it.value) == pattern; });
    if (found == zone.members.end()) continue;
    zone.members.erase(found);
    for (const std::string& one : names) zone.members.push_back(member(one));
  }
  const std::string zone_name = name + "-all";
  bool used = false;
  for (std::vector<FlowSpec>* flows : {&topology.policy.allow, &topology.policy.deny}) {
    for (FlowSpec& flow : *flows) {
      for (std::size_t at = flow.text.find(pattern); at != std::string::npos; at = flow.text.find(pattern)) {
        used = true;
        flow.text.replace(at, pattern.size(), zone_name);
      }
    }
  }
  if (!used) return;
  ZoneSpec& zone = topology.zones.emplace_back();
  zone.name = zone_name;
  for (const std::string& one : names) zone.members.push_back(member(one));
}

}  // namespace

void write_as_replicas(Topology& topology, const std::string& name, std::size_t count, const std::set<IpAddress>& used) {
  std::vector<std::string> names;
  for (std::size_t k = 0; k < std::min(count, topology.namespaces.size()); ++k) names.push_back(name + std::to_string(k + 1));
  if (names.empty() || find(topology, name) != nullptr) return;
  auto one = names.size() == count ? folded(topology, name, names, used) : std::nullopt;
  if (!one) return name_all(topology, name, names);
  const std::set<std::string> gone(names.begin(), names.end());
  std::erase_if(topology.namespaces, [&](const NamespaceSpec& ns) { return gone.contains(ns.name); });
  topology.namespaces.insert(place_of(topology.namespaces, name), *std::move(one));
}

}  // namespace topo::report
