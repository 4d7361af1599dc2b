#include "resources/sysctl/kernel.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>

#include "kernel/netns.hpp"
#include "kernel/sysctl.hpp"
#include "resources/link/kernel.hpp"

namespace topo {
namespace {

using kernel::Work;

constexpr const char* unreadable = "";  // no value that a file can want

kernel::Message memo_message(int type, int flags, const std::string& sysctl) {
  ifinfomsg fixed{};
  fixed.ifi_index = 1;
  kernel::Message message(type, flags, fixed, 256);
  message.nest(IFLA_PROP_LIST, [&] { message.put_text(IFLA_ALT_IFNAME, link::memo_of(sysctl)); });
  return message;
}

}  // namespace

Result<void> KernelHalf<Sysctl>::create(const Sysctl& wanted, Execution& execution) {
  // The memo first: a value without one would outlive its line in the file.
  execution.work.batch(Work::Step::configure, wanted.ns)
      .add(memo_message(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, wanted.name), "cannot remember sysctl " + wanted.name, {EEXIST});
  return execution.work.set_sysctl(wanted.ns, wanted.name, wanted.value);
}

Result<void> KernelHalf<Sysctl>::update(const Sysctl&, const Sysctl& after, Execution& execution) {
  return execution.work.set_sysctl(after.ns, after.name, after.value);
}

Result<void> KernelHalf<Sysctl>::remove(const Sysctl& live, Execution& execution) {
  const auto fresh = execution.work.fresh_sysctl(live.name);
  // What cannot be read now either was never set.
  if (!fresh && live.value != unreadable) {
    return Error{Exit::rolled_back,
                 "cannot unset sysctl " + live.name,
                 "in namespace " + live.ns,
                 "a fresh namespace has no value, and one once set stays: " + fresh.error().kernel,
                 "leave it in the file, or destroy the topology and apply it again",
                 {}};
  }
  if (fresh && *fresh) {
    if (auto set = execution.work.set_sysctl(live.ns, live.name, **fresh); !set) return set;
  }
  execution.work.batch(Work::Step::configure, live.ns)
      .add(memo_message(RTM_DELLINKPROP, 0, live.name), "cannot forget sysctl " + live.name, {ENOENT});
  return {};
}

Result<void> KernelHalf<Sysctl>::observe(const Reading& reading, Graph& live) {
  for (const auto& [ns, place] : reading.places) {
    if (ns.empty()) continue;
    const auto names = link::remembered_sysctls(*place);
    if (names.empty()) continue;
    const auto inside = kernel::Inside::enter(place->netns.get(), place->home_fd);
    if (!inside) return inside.error();
    for (const std::string& name : names) {
      auto value = kernel::read_sysctl(name);
      // Some values cannot be read, or not before they are set; that is no reason to see nothing at all.
      if (!value) value = std::optional(std::string(unreadable));
      if (*value) live.put(Sysctl{ns, name, std::move(**value)});
    }
  }
  return {};
}

}  // namespace topo
