#include "kernel/records.hpp"

#include <linux/if.h>
#include <sys/socket.h>

#include <algorithm>

namespace topo::kernel {
namespace {

std::uint32_t setting(const std::vector<std::uint32_t>& settings, int number) {
  const auto at = static_cast<std::size_t>(number);
  return at < settings.size() ? settings[at] : 0;
}

}  // namespace

std::uint32_t LinkRecord::ipv4_setting(int number) const { return setting(ipv4, number - 1); }
std::uint32_t LinkRecord::ipv6_setting(int number) const { return setting(ipv6, number); }
bool LinkRecord::is_up() const { return (flags & IFF_UP) != 0; }
bool LinkRecord::is_running() const { return (flags & IFF_RUNNING) != 0; }

void Snapshot::index_links() {
  std::sort(links.begin(), links.end(), [](const LinkRecord& a, const LinkRecord& b) { return a.index < b.index; });
  by_name_.clear();
  for (std::size_t i = 0; i < links.size(); ++i) {
    by_name_[links[i].name] = i;
    for (const auto& name : links[i].alternative_names) by_name_.emplace(name, i);
  }
}

const LinkRecord* Snapshot::link(int index) const {
  const auto found = std::lower_bound(links.begin(), links.end(), index, [](const LinkRecord& link, int wanted) { return link.index < wanted; });
  return found != links.end() && found->index == index ? &*found : nullptr;
}

const LinkRecord* Snapshot::link(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &links[found->second];
}

}  // namespace topo::kernel
