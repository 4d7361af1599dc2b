// Changes to several namespaces at once: what is queued, in which order it reaches the kernel, and what must not outlive a failure.
// Knows no kind and no topology.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernel/channel.hpp"
#include "kernel/file_descriptor.hpp"
#include "kernel/records.hpp"
#include "topo/error.hpp"

namespace topo::kernel {

/// A network namespace that this program works in.
struct Place {
  /// The host's own is made without `home_fd`: its descriptor is everybody's way home.
  Place(std::string place_name, FileDescriptor fd, std::optional<int> home = std::nullopt)
      : name(std::move(place_name)), netns(std::move(fd)), home_fd(home.value_or(netns.get())), channel(netns.get(), home_fd) {}

  std::string name;  ///< empty: the host
  FileDescriptor netns;
  int home_fd;
  Channel channel;
  Snapshot snapshot;                   ///< as last observed
  bool fresh = false;                  ///< made here and without a name yet: it ends with this program
  int next_index = 0;                  ///< of the next interface made here; 0: none was made yet
  std::map<std::string, int> indexes;  ///< of interfaces made or looked up since the snapshot
  std::set<std::string> gone;          ///< interfaces of the snapshot that were removed since
};
using Places = std::map<std::string, std::unique_ptr<Place>>;

/// An interface by its name in a namespace.
struct InterfaceName {
  std::string ns;
  std::string interface;
};

/// Told between two parts of a step how far that is: "reading", 12 of 100. To be quick about it.
using Progress = std::function<void(const char* step, std::size_t done, std::size_t total)>;

/// Requests wait here until what needs them done asks for `flush`. Within one namespace they keep their order within each step.
class Work {
 public:
  /// The order of steps holds across namespaces: every link is made before any end of it in another namespace is configured.
  enum class Step { make, configure };

  /// `scratch_group` is a link group that nobody else uses: links are gathered in it to be deleted together. `stop` is asked between requests.
  Work(Places& places, std::uint32_t scratch_group, std::function<bool()> stop, Progress progress = {})
      : places_(places), scratch_group_(scratch_group), stop_(std::move(stop)), progress_(std::move(progress)) {}

  /// Reports progress; Exit::interrupted where the work is to stop here.
  [[nodiscard]] Result<void> proceed(const char* step, std::size_t done, std::size_t total) const;

  [[nodiscard]] Result<Place*> place(const std::string& ns);
  [[nodiscard]] bool has_place(const std::string& ns) const { return places_.contains(ns); }
  [[nodiscard]] const std::function<bool()>& stop() const { return stop_; }
  [[nodiscard]] const Places& places() const { return places_; }
  /// A new namespace without a name; its snapshot has what a fresh one's settings are, and no links.
  [[nodiscard]] Result<Place*> make_place(const std::string& ns);
  /// Gives all new namespaces their names, and does what waits for that; `mark` goes into the files these are mounted on.
  [[nodiscard]] Result<void> pin_places(const std::string& mark);
  /// The namespace is about to be removed, and with it everything that is only inside.
  void doom_place(const std::string& ns) { doomed_places_.insert(ns); }
  /// Closes what is open of it and takes its name away.
  [[nodiscard]] Result<void> remove_place(const std::string& ns);

  [[nodiscard]] Batch& batch(Step step, const std::string& ns) { return batches_[step][ns]; }
  /// An interface whose making is queued, with an index that the kernel chooses.
  void will_make(const InterfaceName& name) { queued_[name.ns].insert(name.interface); }
  /// The same, with the index that it shall have; 0: the kernel chooses. By that index it can be configured in the system call that makes it: where
  /// somebody else has taken the name meanwhile, the rest does not reach their interface.
  [[nodiscard]] int choose_index(const InterfaceName& name);
  /// The index of an interface; where it is only queued it is made now.
  [[nodiscard]] Result<int> index(const InterfaceName& name);
  /// Does all that is queued for `ns` and sets the value there.
  [[nodiscard]] Result<void> set_sysctl(const std::string& ns, const std::string& name, const std::string& value);
  /// The value that is there now; nullopt: no such key.
  [[nodiscard]] Result<std::optional<std::string>> sysctl(const std::string& ns, const std::string& name);
  /// The value that a namespace just made has, one that forwards or one that does not; net/*/{conf,neigh}/INTERFACE from `default` there.
  [[nodiscard]] Result<std::optional<std::string>> fresh_sysctl(const std::string& name, bool forwards);
  [[nodiscard]] bool has_ipv6() const { return places_.at("")->snapshot.settings.forwarding_v6.has_value(); }

  /// To be done as soon as all that is queued for making is made.
  void after_making(std::function<Result<void>()> action) { after_making_.push_back(std::move(action)); }
  /// A link, by any of its ends, that the next flush deletes; one that lies wholly in doomed namespaces is left to their end.
  void doom_link(std::vector<InterfaceName> ends) { doomed_links_.push_back(std::move(ends)); }
  /// To be done before the doomed links go, in the order given.
  void before_links(std::function<Result<void>()> action) { before_links_.push_back(std::move(action)); }
  /// To be done once the doomed links are gone, in the order given.
  void after_links(std::function<Result<void>()> action) { after_links_.push_back(std::move(action)); }
  /// To be done when all else is.
  void at_end(std::function<Result<void>()> action) { at_end_.push_back(std::move(action)); }
  /// The same, once for all who ask for it under one name.
  void at_end_once(const std::string& name, std::function<Result<void>()> action) {
    if (asked_.insert(name).second) at_end(std::move(action));
  }
  /// To be done when the new namespaces have their names, in the order given; and what comes last of all.
  void after_naming(std::function<Result<void>()> action) { after_naming_.push_back(std::move(action)); }
  void at_last(std::function<Result<void>()> action) { at_last_.push_back(std::move(action)); }
  /// The link made last ends together with a new namespace, but too late for what comes next: on failure it is deleted by this end.
  void outlives_nothing(InterfaceName end) { fragile_.push_back(std::move(end)); }
  /// The interface must carry packets before the work is done.
  void await(const InterfaceName& name) { awaited_[name.ns].insert(name.interface); }

  /// Does what is queued; then what comes before the doomed links go; deletes them, and does what waits for that.
  [[nodiscard]] Result<void> flush();
  /// The same; then waits until what is awaited is ready, at most `patience` after the last that came; then does what is left for the end.
  [[nodiscard]] Result<void> finish(std::chrono::milliseconds patience);
  /// After a failure: ends the new namespaces and the links into them. What remains shows at the next observation.
  void abandon();

 private:
  [[nodiscard]] Result<void> perform(Step step, const std::string* only = nullptr);
  [[nodiscard]] Result<void> make();
  [[nodiscard]] Result<void> delete_doomed();
  /// The group by which one message deletes the links of these indexes and nothing else: their own where nobody else is in it, which saves to put
  /// each into another one. 0: there is none.
  [[nodiscard]] std::uint32_t group_to_delete(const Place& place, const std::vector<int>& indexes) const;
  [[nodiscard]] Result<void> delete_links(Place& place, const std::vector<std::string>& names);
  [[nodiscard]] Result<void> wait_until_ready(std::chrono::milliseconds patience);

  Places& places_;
  std::uint32_t scratch_group_;
  std::function<bool()> stop_;
  Progress progress_;
  std::map<Step, std::map<std::string, Batch>> batches_;
  std::set<std::string> doomed_places_;
  std::vector<std::vector<InterfaceName>> doomed_links_;
  bool has_made_ = false;                                ///< links
  std::map<std::string, std::set<std::string>> queued_;  ///< names by namespace
  std::vector<std::function<Result<void>()>> after_making_, before_links_, after_links_, at_end_, after_naming_, at_last_;
  std::set<std::string> asked_;  ///< names of at_end_once
  std::vector<InterfaceName> fragile_;
  std::map<std::string, std::set<std::string>> awaited_;  ///< by namespace
  std::optional<NamespaceSettings> fresh_settings_;
  std::map<bool, FileDescriptor> scratch_netns_;  ///< one that forwards, one that does not
};

}  // namespace topo::kernel
