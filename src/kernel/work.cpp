#include "kernel/work.hpp"

#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <thread>

#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "kernel/sysctl.hpp"

namespace topo::kernel {
namespace {

constexpr std::uint8_t port_forwarding = 3;  // BR_STATE_FORWARDING
// Between two looks whether links carry packets: most do after some hundred microseconds, and a look at many costs more than the longest pause.
constexpr std::chrono::microseconds shortest_pause{50}, longest_pause{1000};
// In a namespace that others use too, interfaces are numbered far from what the kernel gives to theirs, one topology's far from another's.
constexpr int first_index = 0x10000;
constexpr std::uint32_t index_spread = 0xfffff;

std::string named(const std::string& ns, const std::string& interface) { return ns.empty() ? interface : ns + ":" + interface; }

bool runs_stp(const LinkRecord* link) { return link != nullptr && link->bridge && link->bridge->stp; }

/// The spanning tree takes its time by design, and is not waited for.
bool is_ready(const Snapshot& snapshot, const LinkRecord& link) {
  if (runs_stp(&link)) return true;
  if (!link.is_running()) return false;
  return !link.port || runs_stp(snapshot.link(link.master)) || link.port->state == port_forwarding;
}

/// "net/ipv4/conf/eth0/x" -> "net/ipv4/conf/default/x": what an interface has when it is made.
std::string name_in_fresh(const std::string& name) {
  for (const std::string_view folder : {"net/ipv4/conf/", "net/ipv6/conf/", "net/ipv4/neigh/", "net/ipv6/neigh/"}) {
    if (!name.starts_with(folder)) continue;
    const auto end = name.find('/', folder.size());
    const auto interface = name.substr(folder.size(), end - folder.size());
    if (end != std::string::npos && interface != "all" && interface != "lo") return std::string(folder) + "default" + name.substr(end);
  }
  return name;
}

/// In the calling thread's namespace, which is new: what is written into every one (KernelHalf<Namespace>), since other settings follow from it.
Result<void> prepare_fresh(bool forwards) {
  const auto write = [](const std::string& name, const std::string& from, const std::string& to) -> Result<void> {
    const auto value = read_sysctl(name);
    if (!value) return value.error();
    return *value == from ? write_sysctl(name, to) : Result<void>();
  };
  const std::string shall = forwards ? "1" : "0", other = forwards ? "0" : "1";
  if (auto written = write("net/ipv4/ip_forward", other, shall); !written) return written;
  if (auto written = write("net/ipv6/conf/all/forwarding", other, shall); !written) return written;
  return write("net/ipv4/conf/all/rp_filter", "1", "0");
}

}  // namespace

Result<void> Work::proceed(const char* step, std::size_t done, std::size_t total) const {
  if (progress_) progress_(step, done, total);
  if (stop_ && stop_()) return Error{Exit::interrupted, "interrupted", {}, {}, {}, {}};
  return {};
}

Result<Place*> Work::place(const std::string& ns) {
  const auto found = places_.find(ns);
  if (found == places_.end()) return Error{Exit::rolled_back, "there is no namespace " + ns, {}, {}, {}, {}};
  return found->second.get();
}

Result<Place*> Work::make_place(const std::string& ns) {
  const int home_fd = places_.at("")->netns.get();
  std::unique_ptr<Place> made;
  {
    const auto inside = Inside::enter_new(home_fd);
    if (!inside) return inside.error();
    auto netns = own_namespace();
    if (!netns) return std::move(netns).error();
    made = std::make_unique<Place>(ns, std::move(*netns), home_fd);
    if (auto opened = made->channel.open_here(); !opened) return std::move(opened).error();
  }
  made->fresh = true;
  if (!fresh_settings_) {
    if (auto read = read_settings(made->channel, made->snapshot); !read) return std::move(read).error();
    fresh_settings_ = made->snapshot.settings;
  }
  made->snapshot.settings = *fresh_settings_;
  auto& kept = places_[ns];
  kept = std::move(made);
  return kept.get();
}

Result<void> Work::pin_places(const std::string& mark) {
  bool prepared = false;
  std::size_t done = 0;
  for (const auto& [ns, place] : places_) {
    if (auto go_on = proceed("naming", ++done, places_.size()); !go_on) return go_on;
    if (!place->fresh) continue;
    if (!prepared) {
      if (auto folder = prepare_netns_folder(); !folder) return folder;
      prepared = true;
    }
    if (auto pinned = pin(ns, place->netns.get(), mark); !pinned) return pinned;
    place->fresh = false;
  }
  for (auto* actions : {&after_naming_, &at_last_}) {
    for (const auto& action : std::exchange(*actions, {})) {
      if (auto action_done = action(); !action_done) return action_done;
    }
  }
  return {};
}

Result<void> Work::remove_place(const std::string& ns) {
  const auto found = places_.find(ns);
  if (found == places_.end()) return unpin(ns, 0);
  found->second->channel.close();
  auto done = unpin(ns, found->second->netns.inode());
  places_.erase(found);
  return done;
}

int Work::choose_index(const InterfaceName& name) {
  const auto found = places_.find(name.ns);
  if (found == places_.end() || !found->second->fresh) will_make(name);
  if (found == places_.end()) return 0;
  Place& in = *found->second;
  if (in.next_index == 0) in.next_index = in.fresh ? 2 : first_index + static_cast<int>(scratch_group_ & index_spread);
  while (in.snapshot.link(in.next_index) != nullptr) ++in.next_index;
  return in.indexes[name.interface] = in.next_index++;
}

Result<int> Work::index(const InterfaceName& name) {
  if (name.interface == "lo") return 1;
  auto where = place(name.ns);
  if (!where) return std::move(where).error();
  Place& in = **where;
  if (const auto queued = queued_.find(name.ns); queued != queued_.end() && queued->second.contains(name.interface)) {
    if (auto made = make(); !made) return std::move(made).error();
  }
  if (const auto known = in.indexes.find(name.interface); known != in.indexes.end()) return known->second;
  if (const LinkRecord* link = in.snapshot.link(name.interface); link != nullptr && !in.gone.contains(name.interface)) return link->index;
  const auto found = read_link(in.channel, name.interface);
  if (!found) return found.error();
  if (!*found) return Error{Exit::rolled_back, "there is no interface " + named(name.ns, name.interface), {}, {}, {}, {}};
  in.indexes[name.interface] = (*found)->index;
  return (*found)->index;
}

Result<void> Work::set_sysctl(const std::string& ns, const std::string& name, const std::string& value) {
  if (auto made = make(); !made) return made;
  if (auto configured = perform(Step::configure, &ns); !configured) return configured;
  auto where = place(ns);
  if (!where) return std::move(where).error();
  const auto inside = Inside::enter((*where)->netns.get(), (*where)->home_fd);
  if (!inside) return inside.error();
  auto written = write_sysctl(name, value);
  if (!written && !ns.empty()) written.error().where += " in namespace " + ns;
  return written;
}

Result<std::optional<std::string>> Work::sysctl(const std::string& ns, const std::string& name) {
  auto where = place(ns);
  if (!where) return std::move(where).error();
  const auto inside = Inside::enter((*where)->netns.get(), (*where)->home_fd);
  if (!inside) return inside.error();
  return read_sysctl(name);
}

Result<std::optional<std::string>> Work::fresh_sysctl(const std::string& name, bool forwards) {
  const int home_fd = places_.at("")->netns.get();
  FileDescriptor& scratch = scratch_netns_[forwards];
  if (!scratch) {
    const auto inside = Inside::enter_new(home_fd);
    if (!inside) return inside.error();
    auto netns = own_namespace();
    if (!netns) return std::move(netns).error();
    if (auto prepared = prepare_fresh(forwards); !prepared) return std::move(prepared).error();
    scratch = std::move(*netns);
  }
  const auto inside = Inside::enter(scratch.get(), home_fd);
  if (!inside) return inside.error();
  return read_sysctl(name_in_fresh(name));
}

Result<void> Work::perform(Step step, const std::string* only) {
  std::size_t total = 0, done = 0;
  for (const auto& [ns, batch] : batches_[step]) total += batch.requests().size();
  const char* const title = step == Step::make ? "making" : "configuring";
  for (auto& [ns, batch] : batches_[step]) {
    if (batch.empty() || (only != nullptr && ns != *only)) continue;
    auto where = place(ns);
    if (!where) return std::move(where).error();
    auto performed = (*where)->channel.perform(batch, [&](std::size_t before) { return proceed(title, done + before, total); });
    done += batch.requests().size();
    batch.clear();
    has_made_ = has_made_ || step == Step::make;
    if (!performed) return performed;
  }
  return {};
}

std::uint32_t Work::group_to_delete(const Place& in, const std::vector<int>& indexes) const {
  const std::set<int> doomed(indexes.begin(), indexes.end());
  std::set<std::uint32_t> of_doomed, of_others;
  std::size_t seen = 0;
  for (const LinkRecord& link : in.snapshot.links) {
    const bool is_doomed = doomed.contains(link.index);
    seen += is_doomed ? 1 : 0;
    (is_doomed ? of_doomed : of_others).insert(link.group);
  }
  const bool all_alike = seen == doomed.size() && of_doomed.size() == 1 && *of_doomed.begin() != 0;
  // What was made since is in the group as well, and not in the snapshot.
  if (all_alike && !has_made_ && !of_others.contains(*of_doomed.begin())) return *of_doomed.begin();
  return of_others.contains(scratch_group_) ? 0 : scratch_group_;
}

Result<void> Work::delete_links(Place& in, const std::vector<std::string>& names) {
  std::vector<int> indexes;
  std::set<int> ports;
  for (const auto& name : names) {
    const LinkRecord* const link = in.snapshot.link(name);
    if (link != nullptr && !in.gone.contains(name)) {
      indexes.push_back(link->index);
      if (link->master != 0) ports.insert(link->index);
    } else if (const auto made = in.indexes.find(name); made != in.indexes.end()) {
      indexes.push_back(made->second);
    } else {
      const auto found = read_link(in.channel, name);
      if (!found) return found.error();
      if (*found) indexes.push_back((*found)->index);
    }
    in.gone.insert(name);
    in.indexes.erase(name);
  }
  Batch batch;
  const std::uint32_t group = indexes.size() > 1 ? group_to_delete(in, indexes) : 0;
  const bool is_theirs = group != 0 && group != scratch_group_;
  for (const int index : indexes) {
    if (is_theirs) break;
    ifinfomsg fixed{};
    fixed.ifi_index = index;
    if (group != 0 && !ports.contains(index)) {
      // By their group rules know whose it is that packets come from and go to: without it none may pass.
      fixed.ifi_change = IFF_UP;
      batch.add(Message(RTM_NEWLINK, 0, fixed, 64), "cannot bring down interface " + named(in.name, names.front()), {ENODEV});
      fixed.ifi_change = 0;
    }
    Message message(group != 0 ? RTM_NEWLINK : RTM_DELLINK, 0, fixed, 64);
    if (group != 0) message.put_u32(IFLA_GROUP, group);
    batch.add(std::move(message), "cannot delete interface " + named(in.name, names.front()), {ENODEV});
  }
  if (group != 0) {
    // One message for all: each deletion of its own would wait for two grace periods of the kernel.
    const ifinfomsg fixed{};
    Message message(RTM_DELLINK, 0, fixed, 64);
    message.put_u32(IFLA_GROUP, group);
    batch.add(std::move(message), "cannot delete interfaces", {ENODEV});
  }
  return in.channel.perform(batch);
}

Result<void> Work::delete_doomed() {
  std::map<std::string, std::vector<std::string>> by_place;
  for (const auto& ends : doomed_links_) {
    const auto lasting =
        std::find_if(ends.begin(), ends.end(), [&](const InterfaceName& end) { return has_place(end.ns) && !doomed_places_.contains(end.ns); });
    if (lasting != ends.end()) by_place[lasting->ns].push_back(lasting->interface);
    for (const auto& end : ends) {
      if (lasting != ends.end() && end.ns == lasting->ns && end.interface == lasting->interface) continue;
      const auto other = places_.find(end.ns);
      if (other == places_.end()) continue;
      other->second->gone.insert(end.interface);
      other->second->indexes.erase(end.interface);
    }
  }
  doomed_links_.clear();
  std::size_t before = 0;
  for (const auto& [ns, names] : by_place) {
    if (auto go_on = proceed("removing", before++, by_place.size()); !go_on) return go_on;
    if (auto done = delete_links(*places_.at(ns), names); !done) return done;
  }
  return {};
}

Result<void> Work::make() {
  if (auto made = perform(Step::make); !made) return made;
  queued_.clear();
  for (const auto& action : std::exchange(after_making_, {})) {
    if (auto done = action(); !done) return done;
  }
  return {};
}

Result<void> Work::flush() {
  if (auto made = make(); !made) return made;
  if (auto configured = perform(Step::configure); !configured) return configured;
  for (const auto& action : std::exchange(before_links_, {})) {
    if (auto done = action(); !done) return done;
  }
  if (auto deleted = delete_doomed(); !deleted) return deleted;
  const auto actions = std::exchange(after_links_, {});
  for (const auto& action : actions) {
    if (auto go_on = proceed("removing", static_cast<std::size_t>(&action - actions.data()), actions.size()); !go_on) return go_on;
    if (auto done = action(); !done) return done;
  }
  return {};
}

Result<void> Work::finish(std::chrono::milliseconds patience) {
  if (auto flushed = flush(); !flushed) return flushed;
  if (auto ready = wait_until_ready(patience); !ready) return ready;
  for (auto& action : std::exchange(at_end_, {})) {
    if (auto done = action(); !done) return done;
  }
  return {};
}

Result<void> Work::wait_until_ready(std::chrono::milliseconds patience) {
  using Clock = std::chrono::steady_clock;
  auto deadline = Clock::now() + patience;
  auto waiting = std::exchange(awaited_, {});
  for (auto pause = shortest_pause; !waiting.empty(); pause = std::min(pause * 2, longest_pause)) {
    for (auto entry = waiting.begin(); entry != waiting.end();) {
      auto where = place(entry->first);
      if (!where) return std::move(where).error();
      Snapshot now;
      if (auto read = dump_links((*where)->channel, now); !read) return read;
      const auto arrived = std::erase_if(entry->second, [&](const std::string& name) {
        const LinkRecord* const link = now.link(name);
        return link != nullptr && is_ready(now, *link);
      });
      // Of a thousand on a busy machine the last may take long; that none comes any more is what is wrong.
      if (arrived > 0) deadline = Clock::now() + patience;
      entry = entry->second.empty() ? waiting.erase(entry) : std::next(entry);
    }
    if (waiting.empty()) break;
    if (Clock::now() > deadline) {
      const auto& [ns, names] = *waiting.begin();
      return Error{Exit::rolled_back, "interface " + named(ns, *names.begin()) + " does not come up", {}, {}, {}, {}};
    }
    std::this_thread::sleep_for(pause);
  }
  return {};
}

void Work::abandon() {
  batches_.clear();
  queued_.clear();
  after_making_.clear();
  doomed_links_.clear();
  for (auto& end : std::exchange(fragile_, {})) {
    const auto found = places_.find(end.ns);
    if (found != places_.end() && !found->second->fresh) doom_link({std::move(end)});
  }
  // A link that cannot be deleted here is found, and its removal planned, by the observation that follows a failure.
  stop_ = nullptr;
  (void)delete_doomed();
  std::erase_if(places_, [](const auto& entry) { return entry.second->fresh; });
}

}  // namespace topo::kernel
