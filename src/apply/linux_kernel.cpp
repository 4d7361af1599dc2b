#include "apply/linux_kernel.hpp"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "apply/obstacles.hpp"
#include "firewall/backend.hpp"
#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "resources/kernel_kinds.hpp"
#include "resources/link/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

constexpr std::chrono::milliseconds patience{2000};  // for links to carry packets; they take a few milliseconds

template <class Variant>
struct ForEachKind;
template <class... Ts>
struct ForEachKind<std::variant<Ts...>> {
  static Result<void> observe(const Reading& reading, Graph& live) {
    Result<void> done;
    (void)((done = KernelHalf<Ts>::observe(reading, live), static_cast<bool>(done)) && ...);
    return done;
  }
};

Result<void> create(const Resource& wanted, Execution& execution) {
  return std::visit([&]<class T>(const T& it) { return KernelHalf<T>::create(it, execution); }, wanted);
}

Result<void> remove_one(const Resource& live, Execution& execution) {
  return std::visit([&]<class T>(const T& it) { return KernelHalf<T>::remove(it, execution); }, live);
}

/// Both of one kind, as a change of one identity is.
Result<void> update(const Resource& before, const Resource& after, Execution& execution) {
  return std::visit([&]<class T>(const T& it) { return KernelHalf<T>::update(std::get<T>(before), it, execution); }, after);
}

/// In the calling thread's namespace: whether a legacy table exists. To ask libiptc would create one.
bool has_iptables_here() {
  for (const char* path : {"/proc/thread-self/net/ip_tables_names", "/proc/thread-self/net/ip6_tables_names"}) {
    const kernel::FileDescriptor fd(::open(path, O_RDONLY | O_CLOEXEC));
    char first = 0;
    if (fd && ::read(fd.get(), &first, 1) == 1) return true;
  }
  return false;
}

Result<void> dump_rest(kernel::Place& place) {
  if (auto done = kernel::dump_addresses(place.channel, place.snapshot); !done) return done;
  if (auto done = kernel::dump_routes(place.channel, owner_protocol, place.snapshot); !done) return done;
  if (auto done = kernel::dump_rules(place.channel, place.snapshot); !done) return done;
  return kernel::read_settings(place.channel, place.snapshot);
}

/// Whose a namespace is, by its `lo`; empty: nobody's that we know.
std::string owner_of_namespace(const kernel::Snapshot& snapshot, const std::string& topology) {
  const kernel::LinkRecord* const loopback = snapshot.link(1);
  if (loopback == nullptr) return {};
  if (const auto owner = owner_of(loopback->alias)) return *owner;
  return loopback->group == link_group(topology) ? topology : std::string();
}

/// Whether the host takes packets to `address` as its own once `desired` is there.
bool will_have(const kernel::Place& host, const Graph& desired, const IpAddress& address) {
  if (address.is_loopback()) return true;
  const kernel::Snapshot& there = host.snapshot;
  const auto wanted = desired.all<Address>();
  const auto is_wanted = [&](const Address* it) { return it->ns.empty() && it->address.address() == address; };
  const auto is_strangers = [&](const kernel::AddressRecord& record) {
    const kernel::LinkRecord* const link = there.link(record.link);
    return record.address.address() == address && link != nullptr && !link::is_owned(*link, {}, desired.topology());
  };
  const auto leads_here = [&](const kernel::RouteRecord& route) { return route.type == RTN_LOCAL && route.destination.contains(address); };
  return std::any_of(wanted.begin(), wanted.end(), is_wanted) || std::any_of(there.addresses.begin(), there.addresses.end(), is_strangers) ||
         std::any_of(there.routes.begin(), there.routes.end(), leads_here);
}

}  // namespace

LinuxKernel::LinuxKernel(std::chrono::milliseconds lock_timeout, kernel::Progress progress)
    : lock_timeout_(lock_timeout), progress_(std::move(progress)) {
  kernel::raise_descriptor_limit();
}

Result<void> LinuxKernel::read_host() {
  auto home = kernel::own_namespace();
  if (!home) return std::move(home).error();
  auto place = std::make_unique<kernel::Place>("", std::move(*home));
  place->snapshot.has_iptables = has_iptables_here();
  if (auto done = kernel::dump_links(place->channel, place->snapshot); !done) return done;
  if (auto done = dump_rest(*place); !done) return done;
  places_[""] = std::move(place);
  return {};
}

Result<void> LinuxKernel::read_named(const std::string& name, const std::string& topology) {
  auto entry = kernel::open_named(name);
  if (!entry) return std::move(entry).error();
  if (!*entry) return {};
  if ((*entry)->leftover) {
    const auto owner = owner_of((*entry)->content);
    if (owner && *owner == topology) leftovers_.push_back(name);
    if (owner && *owner != topology) strangers_[name] = "belongs to topology " + *owner;
    return {};
  }
  if (!(*entry)->netns) {
    strangers_[name] = "is no network namespace";
    return {};
  }
  auto place = std::make_unique<kernel::Place>(name, std::move((*entry)->netns), places_.at("")->netns.get());
  {
    const auto inside = kernel::Inside::enter(place->netns.get(), place->home_fd);
    if (!inside) return inside.error();
    if (auto opened = place->channel.open_here(); !opened) return opened;
    place->snapshot.has_iptables = has_iptables_here();
  }
  if (auto done = kernel::dump_links(place->channel, place->snapshot); !done) return done;
  const std::string owner = owner_of_namespace(place->snapshot, topology);
  if (owner != topology) {
    strangers_[name] = owner.empty() ? "is not made by topo" : "belongs to topology " + owner;
    return {};
  }
  // Somebody may have given a namespace of ours a second name.
  const auto [first, is_new] = names_by_inode_.emplace(place->netns.inode(), name);
  if (!is_new) {
    const std::string other = first->second;
    const bool is_own = kernel::bears_mark(name, owner_mark(topology)) && !kernel::bears_mark(other, owner_mark(topology));
    second_names_[is_own ? other : name] = first->first;
    if (!is_own) return {};
    first->second = name;
    places_.erase(other);
  }
  if (auto done = dump_rest(*place); !done) return done;
  places_[name] = std::move(place);
  return {};
}

Result<void> LinuxKernel::read_all(const std::string& topology) {
  places_.clear();
  leftovers_.clear();
  strangers_.clear();
  names_by_inode_.clear();
  second_names_.clear();
  if (auto host = read_host(); !host) return host;
  const auto names = kernel::namespace_names();
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (progress_) progress_("reading", static_cast<std::size_t>(&name - names->data()), names->size());
    if (auto read = read_named(name, topology); !read) {
      if (read.error().where.empty()) read.error().where = "in namespace " + name;
      return read;
    }
  }
  for (const auto& [name, inode] : second_names_) strangers_[name] = "is another name of namespace " + names_by_inode_.at(inode);
  return {};
}

Result<Observed> LinuxKernel::observe(const Graph& desired) {
  const std::string& topology = desired.topology();
  if (auto read = read_all(topology); !read) return std::move(read).error();
  const Reading reading{topology, desired, places_, leftovers_};
  live_ = Graph(topology);
  if (auto told = ForEachKind<Resource>::observe(reading, live_); !told) return std::move(told).error();
  Observed observed{live_, obstacles(reading, strangers_, live_), {}};
  for (const auto& [name, inode] : second_names_) {
    const std::string& own = names_by_inode_.at(inode);
    // Under the other name it would live on, and be taken for one that is still to be removed.
    if (desired.find("namespace " + own) == nullptr)
      observed.obstacles.push_back(
          {"namespace " + own, "is to be removed, but has another name, " + name + "; take that away: ip netns del " + name, false});
  }
  if (auto asked = ask_firewall(desired, observed); !asked) return std::move(asked).error();
  return observed;
}

Result<void> LinuxKernel::ask_firewall(const Graph& desired, Observed& observed) const {
  for (const auto& [ns, place] : places_) {
    const Id id = id_of(Firewall{ns, {}, false, false});
    const Node* const wanted = desired.find(id);
    if (!place->snapshot.has_iptables || (wanted == nullptr && live_.find(id) == nullptr)) continue;
    const auto chains = firewall::foreign_chains({ns, place->netns.get(), place->home_fd}, desired.topology(),
                                                 wanted == nullptr ? nullptr : &std::get<Firewall>(wanted->resource));
    if (!chains) return chains.error();
    for (const auto& [chain, why] : *chains) observed.obstacles.push_back({chain, why, false});
  }
  for (const Firewall* wanted : desired.all<Firewall>()) {
    const auto found = places_.find(wanted->ns);
    if (found == places_.end()) continue;
    const firewall::Place place{wanted->ns, found->second->netns.get(), found->second->home_fd};
    const Node* const node = live_.find(id_of(*wanted));
    const Firewall* const live = node == nullptr ? nullptr : &std::get<Firewall>(node->resource);
    const auto conflicts = firewall::port_conflicts(place, desired.topology(), *wanted, live);
    if (!conflicts) return conflicts.error();
    for (const auto& conflict : *conflicts)
      observed.obstacles.push_back({"port " + conflict.port, (conflict.listener ? "" : "belongs to ") + conflict.holder, conflict.listener});
    auto warnings = firewall::warnings(place, desired.topology(), *wanted);
    if (!warnings) return std::move(warnings).error();
    observed.warnings.insert(observed.warnings.end(), warnings->begin(), warnings->end());
    if (!wanted->ns.empty()) continue;
    const auto strange = firewall::address_warnings(*wanted, [&](const IpAddress& address) { return will_have(*found->second, desired, address); });
    observed.warnings.insert(observed.warnings.end(), strange.begin(), strange.end());
  }
  return {};
}

Result<void> LinuxKernel::perform(const Plan& plan, const std::function<bool()>& stop) {
  if (places_.empty()) {
    if (auto observed = observe(Graph(plan.topology)); !observed) return std::move(observed).error();
  }
  kernel::Work work(places_, link::scratch_group(plan.topology), stop, progress_);
  auto done = perform_changes(plan, work);
  if (!done) work.abandon();
  return done;
}

Result<void> LinuxKernel::perform_changes(const Plan& plan, kernel::Work& work) {
  Execution execution{plan, live_, work, lock_timeout_};
  const auto first_arrival = std::find_if(plan.changes.begin(), plan.changes.end(), [](const Change& change) { return change.after.has_value(); });
  for (auto change = plan.changes.begin(); change != first_arrival; ++change) {
    if (change->implied) continue;
    if (auto done = remove_one(*change->before, execution); !done) return done;
  }
  if (auto flushed = work.flush(); !flushed) return flushed;
  for (auto change = first_arrival; change != plan.changes.end(); ++change) {
    const auto before = static_cast<std::size_t>(change - plan.changes.begin());
    if (auto go_on = work.proceed("making", before, plan.changes.size()); !go_on) return go_on;
    const bool modify = change->action == Change::Action::modify;
    if (auto done = modify ? update(*change->before, *change->after, execution) : create(*change->after, execution); !done) return done;
  }
  if (auto finished = work.finish(patience); !finished) return finished;
  return work.pin_places(owner_mark(plan.topology));
}

}  // namespace topo
