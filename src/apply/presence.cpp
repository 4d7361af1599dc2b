#include "apply/presence.hpp"

#include <set>
#include <utility>
#include <variant>

#include "firewall/backend.hpp"
#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "resources/kernel_kinds.hpp"
#include "resources/link/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

/// A link says whose it is by its alias; the group alone proves nothing, and the alias alone may be anybody's words.
void note(std::set<std::string>& names, const kernel::LinkRecord& link) {
  const auto owner = owner_of(link.alias);
  if (owner && (link.group == link_group(*owner) || link.group == link::scratch_group(*owner))) names.insert(*owner);
}

/// A topology whose links and namespaces are gone may have left its rules, if whoever removed them did not know topo.
Result<void> note_chains(std::set<std::string>& names, int home_fd) {
  const auto found = firewall::topologies_in(firewall::Place{"", home_fd, home_fd});
  if (!found) return found.error();
  names.insert(found->begin(), found->end());
  return {};
}

/// What kinds have that leave other traces than links, namespaces and rules.
template <class... Kinds>
void note_kinds(const std::variant<Kinds...>*, std::set<std::string>& names) {
  const auto note_one = [&]<class T>(KernelHalf<T>) {
    if constexpr (requires { KernelHalf<T>::owners(); }) {
      for (auto& topology : KernelHalf<T>::owners()) names.insert(std::move(topology));
    }
  };
  (note_one(KernelHalf<Kinds>{}), ...);
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
  if (auto noted = note_chains(names, home->get()); !noted) return std::move(noted).error();

  note_kinds(static_cast<Resource*>(nullptr), names);

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
