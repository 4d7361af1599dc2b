// What a namespace has in its /etc.
#include "desire/inside.hpp"

#include <algorithm>
#include <memory>

#include "resources/etc/etc.hpp"

namespace topo::network {
namespace {

/// The addresses that `space` answers at, those of a network that `asker` is in as well first, since a program may try but one.
std::vector<IpAddress> addresses_of(const Network& network, const Space& space, const Space& asker) {
  std::vector<IpAddress> near, far;
  const auto is_near = [&](const Cidr& address) {
    return std::any_of(asker.interfaces.begin(), asker.interfaces.end(), [&](const EndRef& ref) {
      const auto& own = network.end(ref).addresses;
      return std::any_of(own.begin(), own.end(), [&](const auto& it) { return it.value.network() == address.network(); });
    });
  };
  for (const EndRef& ref : space.interfaces) {
    for (const auto& [address, at] : network.end(ref).addresses) (is_near(address) ? near : far).push_back(address.address());
  }
  for (const auto& [address, at] : space.loopback) {
    if (!address.address().is_loopback()) far.push_back(address.address());
  }
  std::erase_if(far, is_v6_link_local);
  std::erase_if(near, is_v6_link_local);
  near.insert(near.end(), far.begin(), far.end());
  return near;
}

bool has_one_address(const Network& network, const Space& space) {
  std::size_t count = space.loopback.size();
  for (const EndRef& ref : space.interfaces) count += network.end(ref).addresses.size();
  return count <= 1;
}

}  // namespace

Inside::Inside(const Network& network) : network_(network) {
  // Where no namespace has several addresses, there is no order in which they could come, and one text for all.
  is_alike_ = std::all_of(network.spaces.begin(), network.spaces.end(), [&](const Space& space) { return has_one_address(network, space); });
}

std::shared_ptr<const std::string> Inside::hosts_of(const Space& asker) {
  const HostsSpec& spec = *asker.spec->hosts;
  const std::string& topology = network_.topology.name.value;
  if (!spec.all) return std::make_shared<const std::string>(hosts_text(topology, spec.names, false));
  if (is_alike_ && hosts_of_all_) return hosts_of_all_;
  HostNames names;
  for (const Space& space : network_.spaces) names.emplace_back(space.name, addresses_of(network_, space, asker));
  hosts_of_all_ = std::make_shared<const std::string>(hosts_text(topology, names, true));
  return hosts_of_all_;
}

std::optional<Etc> Inside::etc_of(const Space& space) {
  const NamespaceSpec& spec = *space.spec;
  if (spec.dns.empty() && !spec.hosts && !spec.etc) return std::nullopt;
  Etc etc{space.name, {}, {}, {}};
  if (spec.etc) {
    etc.files = spec.etc->files;
    etc.folder = spec.etc->folder;
  }
  if (!spec.dns.empty()) {
    std::vector<IpAddress> servers;
    for (const auto& server : spec.dns) servers.push_back(server.value);
    etc.files[resolver_file] = {0644, std::make_shared<const std::string>(resolver_text(network_.topology.name.value, servers))};
  }
  if (spec.hosts) etc.files[hosts_file] = {0644, hosts_of(space)};
  return etc;
}

void check_inside(Network& network) {
  for (const Space& space : network.spaces) {
    const NamespaceSpec& spec = *space.spec;
    if (!spec.etc) continue;
    const auto refuse = [&](const Position& at, const char* key, const char* file) {
      if (!spec.etc->files.contains(file)) return;
      network.mistakes.refuse(at, "namespace " + in_quotes(space.name) + " gets its " + file + " from `etc` already",
                              "leave `" + std::string(key) + "` out, or take the file out of " + spec.etc->folder);
    };
    if (!spec.dns.empty()) refuse(spec.dns.front().at, "dns", resolver_file);
    if (spec.hosts) refuse(spec.hosts->at, "hosts", hosts_file);
  }
}

}  // namespace topo::network
