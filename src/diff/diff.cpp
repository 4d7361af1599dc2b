#include <algorithm>
#include <deque>
#include <unordered_map>

#include "diff/plan.hpp"

namespace topo {
namespace {

using Action = Change::Action;

class Differ {
 public:
  Differ(const Graph& live, const Graph& desired, const Graph* applied) : live_(live), desired_(desired), applied_(applied) {}

  Plan plan() {
    compare_both();
    if (!actions_.empty()) follow_effects();
    return ordered();
  }

 private:
  void compare_both() {
    auto is = live_.nodes().begin();
    auto shall = desired_.nodes().begin();
    while (is != live_.nodes().end() || shall != desired_.nodes().end()) {
      if (shall == desired_.nodes().end() || (is != live_.nodes().end() && is->first < shall->first)) {
        actions_.emplace_hint(actions_.end(), is++->first, Action::remove);
      } else if (is == live_.nodes().end() || shall->first < is->first) {
        actions_.emplace_hint(actions_.end(), shall++->first, Action::add);
      } else {
        compare_one(is->first, is->second, shall->second);
        ++is;
        ++shall;
      }
    }
  }

  void compare_one(const Id& id, const Node& is, const Node& shall) {
    if (is.resource == shall.resource) return;
    const Differences found = differences_of(is.resource, shall.resource);
    const bool recreate = std::any_of(found.begin(), found.end(), [](const Difference& difference) { return difference.recreate; });
    actions_.emplace_hint(actions_.end(), id, recreate ? Action::recreate : Action::modify);
  }

  /// What the changes take with them, and what is spoilt by them and so must be made again, until nothing new is found.
  void follow_effects() {
    if (live_.empty()) return;
    index_what_stays();
    std::deque<Id> changed;
    for (const auto& [id, action] : actions_) changed.push_back(id);
    while (!changed.empty()) {
      const Id id = std::move(changed.front());
      changed.pop_front();
      const Action action = actions_.at(id);
      const bool goes = action == Action::remove || action == Action::recreate;
      const Node* before = live_.find(id);
      if (goes) {
        for (const std::string& name : provides_of(before->resource)) {
          for (const Id& other : dependents_[name]) make_again(other, changed);
        }
      }
      const Resource& resource = before != nullptr ? before->resource : desired_.find(id)->resource;
      for (const Circumstance& spoilt : spoilt_by(resource, goes ? Turn::goes : Turn::comes)) {
        for (const auto& [other, place] : reliant_[spoilt.name]) {
          if (other != id && place > spoilt.place) make_again(other, changed);
        }
      }
    }
  }

  void index_what_stays() {
    for (const auto& [id, node] : live_.nodes()) {
      if (desired_.find(id) == nullptr) continue;
      for (std::string& name : needs_of(node.resource)) dependents_[std::move(name)].push_back(id);
      for (Circumstance& circumstance : relied_on_by(node.resource)) {
        reliant_[std::move(circumstance.name)].emplace_back(id, std::move(circumstance.place));
      }
    }
  }

  void make_again(const Id& id, std::deque<Id>& changed) {
    const auto [found, is_new] = actions_.emplace(id, Action::recreate);
    if (!is_new) {
      if (found->second != Action::modify) return;
      found->second = Action::recreate;
    }
    changed.push_back(id);
  }

  [[nodiscard]] Plan ordered() const {
    Plan plan{desired_.topology().empty() ? live_.topology() : desired_.topology(), {}};
    const auto going = live_.empty() ? std::unordered_map<std::string, Id>{} : providers_going();
    const auto place = [](const Resource& resource) { return std::pair(rank_of(resource), order_of(resource)); };
    for (auto it = actions_.rbegin(); it != actions_.rend(); ++it) {
      if (it->second == Action::remove || it->second == Action::recreate) plan.changes.push_back(removal(it->first, it->second, going));
    }
    std::stable_sort(plan.changes.begin(), plan.changes.end(), [&](const Change& a, const Change& b) { return place(*a.before) > place(*b.before); });
    const auto removals = static_cast<std::ptrdiff_t>(plan.changes.size());
    for (const auto& [id, action] : actions_) {
      if (action != Action::remove) plan.changes.push_back(arrival(id, action));
    }
    std::stable_sort(plan.changes.begin() + removals, plan.changes.end(),
                     [&](const Change& a, const Change& b) { return place(*a.after) < place(*b.after); });
    return plan;
  }

  [[nodiscard]] std::unordered_map<std::string, Id> providers_going() const {
    std::unordered_map<std::string, Id> going;
    for (const auto& [id, action] : actions_) {
      if (action != Action::remove && action != Action::recreate) continue;
      for (std::string& name : provides_of(live_.find(id)->resource)) going.emplace(std::move(name), id);
    }
    return going;
  }

  [[nodiscard]] Change removal(const Id& id, Action action, const std::unordered_map<std::string, Id>& going) const {
    const Resource& resource = live_.find(id)->resource;
    const std::vector<std::string> needs = needs_of(resource);
    Change change;
    change.action = Action::remove;
    change.repair = action == Action::remove ? is_drift(id) : is_drift(id) && !(resource == desired_.find(id)->resource);
    change.before = resource;
    // All of them, since a route with several ways may stay with those that are left.
    change.implied = !needs.empty() && !lingers(resource) &&
                     std::all_of(needs.begin(), needs.end(), [&](const std::string& name) { return going.contains(name); });
    return change;
  }

  [[nodiscard]] Change arrival(const Id& id, Action action) const {
    const Node& shall = *desired_.find(id);
    const Node* is = live_.find(id);
    Change change;
    change.action = action;
    change.after = shall.resource;
    change.origin = shall.origin;
    if (is != nullptr) {
      change.before = is->resource;
      change.differences = differences_of(is->resource, shall.resource);
    }
    change.repair = is_drift(id) && !(is != nullptr && is->resource == shall.resource);
    return change;
  }

  /// The file says of it what was last applied, so that somebody else must have changed the kernel.
  [[nodiscard]] bool is_drift(const Id& id) const {
    if (applied_ == nullptr) return false;
    const Node* was = applied_->find(id);
    const Node* shall = desired_.find(id);
    if (was == nullptr || shall == nullptr) return was == nullptr && shall == nullptr;
    return was->resource == shall->resource;
  }

  const Graph& live_;
  const Graph& desired_;
  const Graph* applied_;
  std::map<Id, Action> actions_;
  std::unordered_map<std::string, std::vector<Id>> dependents_;                       ///< of what is live and shall stay, by need
  std::unordered_map<std::string, std::vector<std::pair<Id, std::string>>> reliant_;  ///< the same, by circumstance, with the place there
};

}  // namespace

Plan diff(const Graph& live, const Graph& desired, const Graph* applied) { return Differ(live, desired, applied).plan(); }

}  // namespace topo
