#include "apply/presence.hpp"

#include <set>

#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

/// A link says whose it is by its alias; the group alone proves nothing, and the alias alone may be anybody's words.
void note(std::set<std::string>& names, const kernel::LinkRecord& link) {
  const auto owner = owner_of(link.alias);
  if (owner && link.group == link_group(*owner)) names.insert(*owner);
}

}  // namespace

Result<std::vector<std::string>> topologies_present() {
  std::set<std::string> names;
  auto home = kernel::own_namespace();
  if (!home) return std::move(home).error();
  kernel::Channel channel(home->get(), home->get());
  kernel::Snapshot host;
  if (auto dumped = kernel::dump_links(channel, host); !dumped) return std::move(dumped).error();
  for (const auto& link : host.links) note(names, link);

  auto entries = kernel::namespace_names();
  if (!entries) return std::move(entries).error();
  for (const auto& name : *entries) {
    auto entry = kernel::open_named(name);
    if (!entry) return std::move(entry).error();
    if (!*entry) continue;
    if ((*entry)->leftover) {
      if (const auto owner = owner_of((*entry)->content)) names.insert(*owner);
    }
    if (!(*entry)->netns) continue;
    kernel::Channel inside((*entry)->netns.get(), home->get());
    auto loopback = kernel::read_link(inside, "lo");
    if (!loopback) return std::move(loopback).error();
    if (*loopback) note(names, **loopback);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace topo
