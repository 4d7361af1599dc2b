#include "apply/linux_kernel.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "apply/settle.hpp"
#include "firewall/iptables/table.hpp"
#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "resources/kernel_kinds.hpp"
#include "resources/link/kernel.hpp"
#include "surroundings/meddlers.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

constexpr std::chrono::milliseconds patience{2000};  // for links to carry packets; they take a few milliseconds

template <class Variant>
struct ForEachKind;
template <class... Ts>
struct ForEachKind<std::variant<Ts...>> {
  static Result<void> find_hindrances(const Reading& reading, const Graph& live, Hindrances& found) {
    Result<void> done;
    const auto look = [&]<class T>(KernelHalf<T>) {
      if constexpr (requires { KernelHalf<T>::find_hindrances(reading, live, found); }) done = KernelHalf<T>::find_hindrances(reading, live, found);
      return static_cast<bool>(done);
    };
    (void)(look(KernelHalf<Ts>{}) && ...);
    return done;
  }
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

/// In the calling thread's namespace.
Result<void> look_for_tables(kernel::Place& place) {
  const auto tables = firewall::existing_tables_here();
  if (!tables) return tables.error();
  place.snapshot.has_iptables = !tables->empty();
  return {};
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

}  // namespace

LinuxKernel::LinuxKernel(std::chrono::milliseconds lock_timeout, kernel::Progress progress, FirewallChoice firewall,
                         std::shared_ptr<kernel::Launcher> launcher)
    : lock_timeout_(lock_timeout), progress_(std::move(progress)), firewall_(firewall), launcher_(std::move(launcher)) {
  kernel::raise_descriptor_limit();
}

Result<void> LinuxKernel::read_host() {
  auto home = kernel::own_namespace();
  if (!home) return std::move(home).error();
  auto place = std::make_unique<kernel::Place>("", std::move(*home));
  if (auto looked = look_for_tables(*place); !looked) return looked;
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
    if (auto looked = look_for_tables(*place); !looked) return looked;
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
    second_names_[is_own ? other : name] = is_own ? name : other;
    if (!is_own) return {};
    first->second = name;
    places_.erase(other);
  }
  if (auto done = dump_rest(*place); !done) return done;
  places_[name] = std::move(place);
  return {};
}

Result<void> LinuxKernel::read_all(const std::string& topology) {
  tables_.clear();
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
      if (read.error().where.empty()) read.error().where = "namespace " + name;
      return read;
    }
  }
  for (const auto& [name, own] : second_names_) strangers_[name] = "is another name of namespace " + own;
  return {};
}

Reading LinuxKernel::reading(const Graph& desired) { return {desired.topology(), desired, places_, leftovers_, strangers_, second_names_, tables_}; }

Result<Graph> LinuxKernel::observe(const Graph& desired) {
  if (auto read = read_all(desired.topology()); !read) return std::move(read).error();
  live_ = Graph(desired.topology());
  if (auto told = ForEachKind<Resource>::observe(reading(desired), live_); !told) return std::move(told).error();
  return live_;
}

Result<std::optional<Graph>> LinuxKernel::settle(const Graph& desired, bool applied) {
  const kernel::Place& host = *places_.at("");
  const firewall::Place where{"", host.netns.get(), host.home_fd, "", &host.snapshot};
  return settle_firewalls(desired, live_, firewall_, applied, tables_.try_emplace("", where).first->second);
}

Result<Hindrances> LinuxKernel::find_hindrances(const Graph& desired) {
  Hindrances found;
  if (auto looked = ForEachKind<Resource>::find_hindrances(reading(desired), live_, found); !looked) return std::move(looked).error();
  const auto bridges = desired.all<Bridge>();
  const auto routes = [](const Bridge* bridge) { return bridge->gateway_v4 || bridge->gateway_v6; };
  if (desired.all<Firewall>().empty() && std::any_of(bridges.begin(), bridges.end(), routes))
    found.warnings.push_back(
        {"there is no firewall: what members send beyond their bridge is forwarded, and so is what the host forwards to them", {}, {}});
  std::vector<surroundings::Interface> appearing;
  for (const auto& interface : found.new_interfaces) appearing.push_back({interface.name, interface.kind});
  const auto meddling = surroundings::meddlers(desired.topology(), appearing);
  found.warnings.insert(found.warnings.end(), meddling.begin(), meddling.end());
  return found;
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
  Execution execution{plan, live_, work, lock_timeout_, launcher_};
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

Kernels linux_kernels(std::chrono::milliseconds lock_timeout, kernel::Progress progress, FirewallChoice firewall,
                      std::shared_ptr<kernel::Launcher> launcher) {
  return [lock_timeout, progress = std::move(progress), firewall, launcher = std::move(launcher)]() -> Result<std::unique_ptr<Kernel>> {
    return std::unique_ptr<Kernel>(std::make_unique<LinuxKernel>(lock_timeout, progress, firewall, launcher));
  };
}

}  // namespace topo
