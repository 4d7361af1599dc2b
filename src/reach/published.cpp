#include "reach/published.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "reach/words.hpp"

namespace topo::reach {
namespace {

/// What is asked for from outside.
struct Outside {
  std::optional<IpAddress> address;
  Protocol protocol = Protocol::tcp;
  std::uint16_t first = 0, last = 0;
  auto operator<=>(const Outside&) const = default;
};

/// Where a map leads, and who gets there by it.
struct Map {
  std::string ns;
  PortRange service;
  std::set<std::string> from;  ///< "internet", zones outside, or "host"
  std::string why;             ///< nobody does: what decides
  Position at;
  [[nodiscard]] bool leads_to(const Map& other) const { return ns == other.ns && service == other.service; }
};
using Maps = std::map<Outside, Map>;

std::string range_text(std::uint16_t first, std::uint16_t last) { return std::to_string(first) + (first == last ? "" : "-" + std::to_string(last)); }

std::string text_of(const Outside& outside) {
  std::string text = outside.address
                         ? (outside.address->family() == Family::v6 ? "[" + outside.address->to_string() + "]" : outside.address->to_string()) + ":"
                         : "";
  text += range_text(outside.first, outside.last);
  return outside.protocol == Protocol::udp ? text + "/udp" : text;
}

Maps maps_of(const Names* names) {
  Maps maps;
  if (names == nullptr) return maps;
  const Model& model = names->model();
  const auto& intent = model.intent();
  for (const std::size_t target : model.port_targets()) {
    const policy::PortMap& map = intent.ports[model.targets()[target].map];
    Map& own = maps[{map.address, map.protocol, map.first, map.last}];
    own.ns = intent.members[map.member].ns;
    own.service = {map.protocol, map.target_first, map.target_last};
    const auto ask = [&](std::size_t sender, const std::string& name) {
      const Outcome* outcome = model.outcome(sender, target);
      if (outcome == nullptr) return;
      const auto passes = [](const Span& span) { return span.ruled.verdict == Verdict::allowed; };
      const auto decisive = std::find_if(outcome->spans.begin(), outcome->spans.end(), passes);
      if (decisive != outcome->spans.end()) own.from.insert(name);
      const Span& span = decisive != outcome->spans.end() ? *decisive : outcome->spans.front();
      own.why = reach::text_of(model, sender, target, span.ruled);
      own.at = position_of(model, span.ruled.reason);
    };
    for (std::size_t region = 0; region < model.regions().size(); ++region) ask(model.sender_of_region(region), names->name_of_region(region));
    if (map.address && map.address->is_loopback()) ask(model.sender_of(gateway), "host");
  }
  return maps;
}

class Publishing {
 public:
  Publishing(const Names* before, const Names* after) : was_(maps_of(before)), is_(maps_of(after)), after_(after) {}

  Published tell() {
    for (const auto& [outside, map] : is_) {
      const auto before = was_.find(outside);
      if (before == was_.end()) {
        add_new(outside, map);
      } else if (!before->second.leads_to(map) && !before->second.from.empty() && !map.from.empty()) {
        move_target(outside, before->second, map);
      } else {
        const Map nobody;
        tell_who(published_.allowed, Change::Kind::allowed, outside, map, before->second.leads_to(map) ? before->second : nobody, map);
        tell_who(published_.denied, Change::Kind::denied, outside, before->second, map, map);
      }
    }
    for (const auto& [outside, map] : was_) {
      if (!is_.contains(outside) && !gone_.contains(outside)) tell_who(published_.denied, Change::Kind::denied, outside, map, {}, {});
    }
    return std::move(published_);
  }

 private:
  static Crowd crowd(const std::set<std::string>& names) {
    // A zone outside is part of the internet.
    const std::vector<std::string> all(names.begin(), names.end());
    return {names.contains("internet") ? "internet" : listed(all), all};
  }

  static Change change_of(Change::Kind kind, const std::set<std::string>& from, const Map& to, std::string by) {
    Change change;
    change.kind = kind;
    change.from = crowd(from);
    change.to = {to.ns, {to.ns}};
    change.services = Services::of({to.service});
    change.by = std::move(by);
    return change;
  }

  /// A map of another outside port that led there and is gone.
  void add_new(const Outside& outside, const Map& map) {
    for (const auto& [other, was] : was_) {
      if (is_.contains(other) || gone_.contains(other) || !was.leads_to(map) || was.from != map.from || map.from.empty()) continue;
      gone_.insert(other);
      published_.moved.push_back(change_of(Change::Kind::moved, map.from, map, "port " + text_of(other) + " -> " + text_of(outside)));
      published_.moved.back().at = map.at;
      return;
    }
    tell_who(published_.allowed, Change::Kind::allowed, outside, map, {}, map);
  }

  void move_target(const Outside& outside, const Map& was, const Map& map) {
    Change change = change_of(Change::Kind::moved, map.from, map, "port " + text_of(outside));
    change.by += ", which led to " + was.ns + ":" + to_text(was.service);
    change.at = map.at;
    published_.moved.push_back(std::move(change));
  }

  /// Whom `map` lets in and `other` does not.
  void tell_who(std::vector<Change>& changes, Change::Kind kind, const Outside& outside, const Map& map, const Map& other, const Map& now) const {
    std::set<std::string> from;
    std::set_difference(map.from.begin(), map.from.end(), other.from.begin(), other.from.end(), std::inserter(from, from.end()));
    if (from.empty()) return;
    // What only goes with its namespace needs no word of its own.
    if (kind == Change::Kind::denied && (after_ == nullptr || !after_->model().network().find(map.ns))) return;
    changes.push_back(change_of(kind, from, map, "port " + text_of(outside)));
    changes.back().why = now.why;
    changes.back().at = now.at;
  }

  Maps was_, is_;
  const Names* after_;
  std::set<Outside> gone_;  ///< of these another outside port leads where they did
  Published published_;
};

}  // namespace

Published compare_published(const Names* before, const Names* after) { return Publishing(before, after).tell(); }

}  // namespace topo::reach
