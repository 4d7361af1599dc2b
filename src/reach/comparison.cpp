#include "reach/comparison.hpp"

#include <algorithm>
#include <set>

namespace topo::reach {
namespace {

/// Groups of equal keys, and of each name the groups that it is made of.
template <class T, class Key, class Contains>
Groups<T> grouped(const std::vector<T>& all, const std::vector<NamedSet>& sets, const std::vector<bool>& taken, Side side, Key key_of,
                  Contains contains) {
  Groups<T> groups;
  std::vector<std::vector<std::size_t>> names(all.size());
  std::vector<std::vector<std::size_t>> members(sets.size());
  for (std::size_t set = 0; set < sets.size(); ++set) {
    // Single namespaces are told by their own names.
    if (sets[set].kind == NamedSet::Kind::ns) continue;
    members[set] = contains(sets[set]);
    for (const std::size_t member : members[set]) names[member].push_back(set);
  }
  std::map<std::pair<std::vector<std::size_t>, std::vector<std::size_t>>, std::size_t> known;
  std::vector<std::size_t> group_of(all.size(), none);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!taken[i]) continue;
    const auto [found, fresh] = known.emplace(std::pair(key_of(all[i]), names[i]), groups.members.size());
    if (fresh) groups.members.emplace_back();
    groups.members[found->second].push_back(i);
    group_of[i] = found->second;
  }
  for (std::size_t set = 0; set < sets.size(); ++set) {
    Heading heading;
    heading.name = set;
    std::set<std::size_t> lines, needed;
    for (const std::size_t member : members[set]) {
      if (group_of[member] == none) continue;
      lines.insert(group_of[member]);
      const std::size_t station = all[member].stations[side];
      if (sets[set].kind == NamedSet::Kind::any && station != none && station != gateway) needed.insert(group_of[member]);
    }
    heading.lines.assign(lines.begin(), lines.end());
    heading.needed.assign(needed.begin(), needed.end());
    if (!heading.lines.empty()) groups.headings.push_back(std::move(heading));
  }
  // Where one name stands for all namespaces, "any" says no more than that.
  const auto any = std::find_if(groups.headings.begin(), groups.headings.end(),
                                [&](const Heading& heading) { return sets[heading.name].kind == NamedSet::Kind::any; });
  if (any != groups.headings.end()) {
    const bool is_one = std::any_of(groups.headings.begin(), groups.headings.end(), [&](const Heading& heading) {
      return &heading != &*any && std::includes(heading.lines.begin(), heading.lines.end(), any->needed.begin(), any->needed.end());
    });
    const bool is_single = any->needed.size() == 1 && groups.members[any->needed.front()].size() == 1;
    if (is_one || is_single || any->needed.empty()) groups.headings.erase(any);
  }
  return groups;
}

}  // namespace

Comparison::Comparison(const Names* is, const Names* shall) : names_{is, shall} {
  add_namespaces();
  add_others();
  add_regions();
}

void Comparison::add_namespaces() {
  std::map<std::string, std::array<std::size_t, 2>> stations;
  for (const Side side : sides) {
    if (names_[side] == nullptr) continue;
    const auto& all = names_[side]->model().network().stations();
    for (std::size_t i = gateway + 1; i < all.size(); ++i) stations.try_emplace(all[i].name, std::array{none, none}).first->second[side] = i;
  }
  for (const auto& [name, where] : stations) {
    Sender sender{name, {none, none}, where, {none, none}};
    for (const Side side : sides) {
      if (where[side] != none) sender.numbers[side] = names_[side]->model().sender_of(where[side]);
    }
    senders_.push_back(std::move(sender));
    add_units(name, where);
  }
}

/// An interface on one of the gateway's networks is a unit of its own; all others of the namespace are one together.
void Comparison::add_units(const std::string& name, const std::array<std::size_t, 2>& stations) {
  std::map<std::string, Unit> units;
  const auto is_member = [&](Side side, const std::string& interface) {
    if (stations[side] == none) return false;
    const Network& network = names_[side]->model().network();
    const auto& own = network.stations()[stations[side]].interfaces;
    return std::any_of(own.begin(), own.end(),
                       [&](std::size_t i) { return network.interfaces()[i].name == interface && network.interfaces()[i].member != none; });
  };
  for (const Side side : sides) {
    if (stations[side] == none) continue;
    const Model& model = names_[side]->model();
    const auto& own = model.network().stations()[stations[side]].interfaces;
    for (const std::size_t target : model.targets_of(model.receiver_of(stations[side]))) {
      const std::size_t place = model.targets()[target].interface;
      const std::string& interface = model.network().interfaces()[own[place]].name;
      const bool alone = is_member(before, interface) || is_member(after, interface);
      Unit& unit = units[alone ? "a" + interface : "b"];
      unit.owner = name;
      if (unit.interface.empty()) unit.interface = interface;
      unit.stations[side] = stations[side];
      unit.targets[side].push_back(target);
      if (unit.interfaces[side].empty() || unit.interfaces[side].back() != place) unit.interfaces[side].push_back(place);
    }
  }
  for (auto& [key, unit] : units) {
    if (units.size() == 1) unit.interface.clear();
    units_.push_back(std::move(unit));
  }
}

void Comparison::add_others() {
  Sender host{"host", {none, none}, {none, none}, {none, none}};
  Unit unit;
  unit.owner = "host";
  for (const Side side : sides) {
    if (names_[side] == nullptr) continue;
    const Model& model = names_[side]->model();
    host.numbers[side] = model.sender_of(gateway);
    host.stations[side] = unit.stations[side] = gateway;
    unit.targets[side] = model.targets_of(model.receiver_of(gateway));
  }
  senders_.push_back(std::move(host));
  units_.push_back(std::move(unit));
}

/// The outside in parts that are of one region in each model.
void Comparison::add_regions() {
  std::set<std::array<std::size_t, 2>> parts;
  for (const Side side : sides) {
    if (names_[side] == nullptr) continue;
    const auto& regions = names_[side]->model().regions();
    for (std::size_t region = 0; region < regions.size(); ++region) {
      for (const auto& example : regions[region].examples) {
        std::array<std::size_t, 2> part{none, none};
        for (const Side each : sides) {
          if (example && names_[each] != nullptr) part[each] = names_[each]->model().region_of(*example);
        }
        if (example) parts.insert(part);
      }
    }
  }
  for (const auto& part : parts) {
    const Side named = names_[after] != nullptr ? after : before;
    Sender sender{names_[named]->name_of_region(part[named]), {none, none}, {none, none}, part};
    Unit unit;
    unit.owner = sender.name;
    unit.regions = part;
    for (const Side side : sides) {
      if (part[side] == none) continue;
      const Model& model = names_[side]->model();
      sender.numbers[side] = model.sender_of_region(part[side]);
      unit.targets[side] = model.targets_of(model.receiver_of_region(part[side]));
    }
    senders_.push_back(std::move(sender));
    units_.push_back(std::move(unit));
  }
}

Groups<Sender> Comparison::group_senders(Side side, bool lasting) const {
  std::vector<bool> taken(senders_.size());
  std::map<std::size_t, std::size_t> by_station;
  for (std::size_t i = 0; i < senders_.size(); ++i) {
    const auto& numbers = senders_[i].numbers;
    taken[i] = numbers[side] != none && (!lasting || numbers[1 - side] != none);
    if (senders_[i].stations[side] != none) by_station.emplace(senders_[i].stations[side], i);
  }
  const auto contains = [&](const NamedSet& set) {
    std::vector<std::size_t> found;
    for (const std::size_t station : set.stations) {
      if (const auto own = by_station.find(station); own != by_station.end()) found.push_back(own->second);
    }
    for (std::size_t i = 0; i < senders_.size() && (set.host || !set.regions.empty()); ++i) {
      const bool is_region =
          senders_[i].regions[side] != none && std::binary_search(set.regions.begin(), set.regions.end(), senders_[i].regions[side]);
      if ((set.host && senders_[i].name == "host") || is_region) found.push_back(i);
    }
    return found;
  };
  const auto key = [](const Sender& sender) { return std::vector<std::size_t>{sender.numbers[before], sender.numbers[after]}; };
  return grouped(senders_, names_[side]->sets(), taken, side, key, contains);
}

Groups<Unit> Comparison::group_units(Side side, bool lasting) const {
  std::vector<bool> taken(units_.size());
  std::multimap<std::size_t, std::size_t> by_station;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const Unit& unit = units_[i];
    const auto is_there = [&](Side each) { return unit.stations[each] != none || unit.regions[each] != none; };
    taken[i] = is_there(side) && (!lasting || is_there(side == before ? after : before));
    if (unit.stations[side] != none) by_station.emplace(unit.stations[side], i);
  }
  const Names& names = *names_[side];
  const auto contains = [&](const NamedSet& set) {
    std::vector<std::size_t> found;
    for (const std::size_t station : set.stations) {
      const auto [first, last] = by_station.equal_range(station);
      for (auto each = first; each != last; ++each) {
        const auto& own = units_[each->second].interfaces[side];
        if (!own.empty() && std::all_of(own.begin(), own.end(), [&](std::size_t place) { return names.contains(set, station, place); }))
          found.push_back(each->second);
      }
    }
    for (std::size_t i = 0; i < units_.size() && (set.host || !set.regions.empty()); ++i) {
      const bool is_region = units_[i].regions[side] != none && std::binary_search(set.regions.begin(), set.regions.end(), units_[i].regions[side]);
      if ((set.host && units_[i].owner == "host") || is_region) found.push_back(i);
    }
    return found;
  };
  const auto key = [](const Unit& unit) {
    std::vector<std::size_t> parts = unit.targets[before];
    parts.push_back(none);
    parts.insert(parts.end(), unit.targets[after].begin(), unit.targets[after].end());
    return parts;
  };
  return grouped(units_, names.sets(), taken, side, key, contains);
}

}  // namespace topo::reach
