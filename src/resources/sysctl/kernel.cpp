#include "resources/sysctl/kernel.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>

#include "kernel/dump.hpp"
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

/// What there will be by that key once the plan is performed; nullptr: nothing.
template <class T>
const T* outcome_of(const std::string& key, const Execution& execution) {
  const Node* const live = execution.live.find(std::string(T::kind) + " " + key);
  const T* found = live != nullptr ? &std::get<T>(live->resource) : nullptr;
  for (const Change& change : execution.plan.changes) {
    const T* const one = std::get_if<T>(change.after ? &*change.after : &*change.before);
    // What is made again is removed first.
    if (one != nullptr && one->key() == key) found = change.after ? one : nullptr;
  }
  return found;
}

/// Where setting it for interfaces to come sets it for those that are there as well, "net/ipv4/conf/"; else empty. The kernel does so
/// where an interface has no address yet, and neither its own setting nor, before it was made, this one was ever written (devinet_copy_dflt_conf,
/// neigh_copy_dflt_parms), as it is with all when their namespace is made; `lo` always has an address.
std::string copying_folder(const std::string& name) {
  for (const std::string folder : {"net/ipv4/conf/", "net/ipv4/neigh/", "net/ipv6/neigh/"}) {
    if (name.starts_with(folder) && name != "net/ipv4/conf/default/forwarding") return folder;
  }
  return {};
}

/// The value that topo chooses of every cable's end (link::Settings), or nothing.
std::optional<std::string> choice_of(const std::string& name) {
  if (name.starts_with("net/ipv4/conf/") && name.ends_with("/rp_filter")) return "0";
  if (name.starts_with("net/ipv6/conf/") && name.ends_with("/addr_gen_mode")) return std::to_string(IN6_ADDR_GEN_MODE_NONE);
  return std::nullopt;
}

/// Sets it, and for interfaces that the file does not set it for does what the kernel would have done had they all been new.
Result<void> set(const Sysctl& sysctl, const std::string& value, Execution& execution) {
  if (auto done = execution.work.set_sysctl(sysctl.ns, sysctl.name, value); !done) return done;
  const std::string folder = copying_folder(sysctl.name);
  if (folder.empty() || !sysctl.name.starts_with(folder + "default/") || choice_of(sysctl.name)) return {};
  const std::string setting = sysctl.name.substr(folder.size() + std::string_view("default/").size());
  auto place = execution.work.place(sysctl.ns);
  if (!place) return std::move(place).error();
  kernel::Snapshot now;
  if (auto read = kernel::dump_links((*place)->channel, now); !read) return read;
  for (const auto& link : now.links) {
    const std::string name = folder + link.name + "/" + setting;
    if (link.name == "lo" || outcome_of<Sysctl>(sysctl.ns + ":" + name, execution) != nullptr) continue;
    if (auto done = execution.work.set_sysctl(sysctl.ns, name, value); !done) return done;
  }
  return {};
}

/// The value that there would be had the file never had the sysctl: topo's own choice where it has one.
Result<std::optional<std::string>> value_without(const Sysctl& sysctl, Execution& execution) {
  const bool is_own = sysctl.order() == 2 && sysctl.name.find("/lo/") == std::string::npos;
  if (auto choice = choice_of(sysctl.name); is_own && choice) return choice;
  const std::string folder = copying_folder(sysctl.name);
  if (is_own && !folder.empty() && !sysctl.name.ends_with("/forwarding"))
    return execution.work.sysctl(sysctl.ns, folder + "default" + sysctl.name.substr(sysctl.name.find('/', folder.size())));
  const auto* const ns = outcome_of<Namespace>(sysctl.ns, execution);
  return execution.work.fresh_sysctl(sysctl.name, ns != nullptr && ns->forwards);
}

}  // namespace

Result<void> KernelHalf<Sysctl>::create(const Sysctl& wanted, Execution& execution) {
  // The memo first: a value without one would outlive its line in the file.
  execution.work.batch(Work::Step::configure, wanted.ns)
      .add(memo_message(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, wanted.name), "cannot remember sysctl " + wanted.name, {EEXIST});
  return set(wanted, wanted.value, execution);
}

Result<void> KernelHalf<Sysctl>::update(const Sysctl&, const Sysctl& after, Execution& execution) { return set(after, after.value, execution); }

Result<void> KernelHalf<Sysctl>::remove(const Sysctl& live, Execution& execution) {
  if (const auto place = execution.work.place(live.ns); !place) return place.error();
  const auto fresh = value_without(live, execution);
  // What cannot be read now either was never set.
  if (!fresh && live.value != unreadable) {
    return Error{Exit::rolled_back,
                 "cannot unset sysctl " + live.name,
                 "namespace " + live.ns,
                 "a fresh namespace has no value, and one once set stays: " + fresh.error().kernel,
                 "leave it in the file, or destroy the topology and apply it again",
                 {}};
  }
  const auto now = execution.work.sysctl(live.ns, live.name);
  const bool is_there = !now || *now;  // else its interface is gone, and left to do is to forget it
  if (fresh && *fresh && is_there) {
    if (auto done = set(live, **fresh, execution); !done) return done;
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
      if (!value && !kernel::has_no_value(value.error())) return std::move(value).error();
      // That one has no value, or its interface is gone, is no reason to see nothing at all.
      live.put(Sysctl{ns, name, value && *value ? std::move(**value) : std::string(unreadable)});
    }
  }
  return {};
}

}  // namespace topo
