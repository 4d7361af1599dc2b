// Who is at the ends of flows, and what can be reached.
#include <algorithm>

#include "reach/model_builder.hpp"

namespace topo::reach {
namespace {

bool has_family(const Station& station, const std::vector<Interface>& interfaces, Family family) {
  return std::any_of(station.interfaces.begin(), station.interfaces.end(), [&](std::size_t i) {
    const auto& own = interfaces[i].addresses;
    return std::any_of(own.begin(), own.end(), [&](const Cidr& address) { return address.family() == family; });
  });
}

void sort_unique(std::vector<std::size_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

/// `whole`: a station's part on both sides of statements counts on either side.
void ModelBuilder::add_parties(bool whole) {
  const auto add = [&](Roles roles, std::vector<Party>& parties, std::vector<std::size_t>& of_station) {
    Partition partition = classes_of(network_, model_.relations(), model_.judge(), kinds_, roles);
    parties.clear();
    of_station = std::move(partition.of_station);
    of_station[gateway] = partition.classes.size();
    for (auto& stations : partition.classes) parties.push_back({Party::Kind::namespaces, std::move(stations), none});
    parties.push_back({Party::Kind::host, {gateway}, none});
    for (std::size_t region = 0; region < model_.regions_.size(); ++region) parties.push_back({Party::Kind::outside, {}, region});
  };
  add({true, whole}, model_.senders_, model_.sender_of_station_);
  add({whole, true}, model_.receivers_, model_.receiver_of_station_);
}

void ModelBuilder::add_target(Target target, const std::vector<std::size_t>& group) {
  const std::size_t number = model_.targets_.size();
  model_.group_of_target_.push_back(groups_.emplace(group, groups_.size()).first->second);
  (target.kind == Target::Kind::port ? model_.port_targets_ : model_.targets_of_[target.party]).push_back(number);
  targets_of_[target.party].push_back(number);
  model_.targets_.push_back(target);
}

void ModelBuilder::add_targets() {
  model_.targets_.clear();
  model_.group_of_target_.clear();
  model_.port_targets_.clear();
  model_.targets_of_.assign(model_.receivers_.size(), {});
  targets_of_.assign(model_.receivers_.size(), {});
  groups_.clear();
  patterns_.clear();
  const auto is_there = [&](Family family) {
    return std::any_of(intent_.segments.begin(), intent_.segments.end(), [&](const policy::Segment& segment) {
      return std::any_of(segment.gateway.begin(), segment.gateway.end(), [&](const Cidr& own) { return own.family() == family; });
    });
  };
  for (std::size_t receiver = 0; receiver < model_.receivers_.size(); ++receiver) {
    const Party& party = model_.receivers_[receiver];
    if (party.kind == Party::Kind::namespaces) {
      add_address_targets(receiver);
      continue;
    }
    for (const Family family : {Family::v4, Family::v6}) {
      const bool outside = party.kind == Party::Kind::outside;
      if (!is_there(family) || (outside && !model_.regions_[party.region].example(family))) continue;
      add_target({outside ? Target::Kind::outside : Target::Kind::host, receiver, none, none, none, family},
                 {1 + std::size_t{outside}, party.region, static_cast<std::size_t>(family)});
    }
  }
  add_port_targets();
  index_targets();
}

/// One for each address that may be reached by another way than those before it on its interface.
void ModelBuilder::add_address_targets(std::size_t receiver) {
  const std::size_t station = model_.receivers_[receiver].stations.front();
  const Station& here = network_.stations()[station];
  for (std::size_t i = 0; i < here.interfaces.size(); ++i) {
    const auto& own = network_.interfaces()[here.interfaces[i]].addresses;
    for (std::size_t k = 0; k < own.size(); ++k) {
      const auto end = own.begin() + static_cast<std::ptrdiff_t>(k);
      const bool alike = std::any_of(own.begin(), end, [&](const Cidr& earlier) { return earlier.network() == own[k].network(); });
      if (!alike) add_target({Target::Kind::address, receiver, i, k, none, own[k].family()}, {0, kinds_.of_station[station], i, k});
    }
  }
}

void ModelBuilder::add_port_targets() {
  std::map<IpAddress, std::size_t> addresses;
  for (std::size_t index = 0; index < intent_.ports.size(); ++index) {
    const policy::PortMap& map = intent_.ports[index];
    const policy::Segment& segment = intent_.segments[intent_.members[map.member].segment];
    if (network_.station_of(map.member) == none) continue;
    for (const IpAddress& address : map.targets) {
      if (map.address && map.address->family() != address.family()) continue;
      const std::size_t by = map.address ? addresses.emplace(*map.address, addresses.size()).first->second : none;
      add_target({Target::Kind::port, model_.receiver_of(network_.station_of(map.member)), none, none, index, address.family()},
                 {3, std::size_t{segment.isolated}, std::size_t{segment.filtered}, std::size_t{segment.bridge},
                  static_cast<std::size_t>(address.family()), static_cast<std::size_t>(map.protocol), map.target_first, map.target_last, by});
    }
  }
}

void ModelBuilder::index_targets() {
  targets_in_.assign(groups_.size(), {});
  targets_at_.assign(groups_.size(), {});
  for (std::size_t target = 0; target < model_.targets_.size(); ++target) {
    const std::size_t group = model_.group_of_target_[target];
    targets_in_[group].push_back(target);
    targets_at_[group][home_of(model_.targets_[target])].push_back(target);
  }
  model_.home_of_sender_.clear();
  model_.home_of_target_.clear();
  for (const Party& sender : model_.senders_) model_.home_of_sender_.push_back(home_of(sender));
  for (const Target& target : model_.targets_) model_.home_of_target_.push_back(home_of(target));
}

void ModelBuilder::index_decisions() {
  std::vector<std::vector<std::size_t>> on_segment(intent_.segments.size());
  const auto receiver_of = [&](std::size_t member) {
    const std::size_t station = network_.station_of(member);
    return station == none ? none : model_.receiver_of(station);
  };
  for (std::size_t member = 0; member < intent_.members.size(); ++member) on_segment[intent_.members[member].segment].push_back(receiver_of(member));
  for (auto& receivers : on_segment) sort_unique(receivers);
  receivers_of_decision_.resize(model_.relations().decisions.size());
  for (std::size_t id = 0; id < receivers_of_decision_.size(); ++id) {
    const policy::Ends& to = model_.relations().decisions[id].flow->to;
    auto& receivers = receivers_of_decision_[id];
    for (const std::size_t segment : to.segments) receivers.insert(receivers.end(), on_segment[segment].begin(), on_segment[segment].end());
    for (const std::size_t member : to.members) receivers.push_back(receiver_of(member));
    sort_unique(receivers);
    std::erase(receivers, none);
  }
}

/// A number for who packets come from, as far as their ways go.
std::size_t ModelBuilder::source_of(const Party& sender) const {
  if (sender.kind == Party::Kind::namespaces) return kinds_.of_station[sender.stations.front()];
  return kinds_.classes.size() + (sender.kind == Party::Kind::host ? 0 : 1 + sender.region);
}

std::size_t ModelBuilder::home_of(const Party& party) const {
  return party.kind == Party::Kind::namespaces ? kinds_.home[party.stations.front()] : none;
}

/// Of a port map the Ethernet of its target, whatever else that is on.
std::size_t ModelBuilder::home_of(const Target& target) const {
  if (target.kind != Target::Kind::port) return home_of(model_.receivers_[target.party]);
  const std::size_t own = network_.gateway_on(intent_.members[intent_.ports[target.map].member].segment);
  return own == none ? none : network_.interfaces()[own].domain;
}

/// Whether its kind leaves open on which Ethernet it is, if it is on one.
bool ModelBuilder::is_at_home(const Party& party) const { return party.kind != Party::Kind::namespaces || home_of(party) != none; }

bool ModelBuilder::is_many(const Party& party) const {
  return party.kind == Party::Kind::namespaces && kinds_.classes[kinds_.of_station[party.stations.front()]].size() > 1;
}

/// Whether packets of the kind can be at all, and are topo's business.
bool ModelBuilder::speaks(const Party& sender, const Target& target) const {
  const bool is_port = target.kind == Target::Kind::port;
  if (is_port && intent_.ports[target.map].address && intent_.ports[target.map].address->is_loopback()) return sender.kind == Party::Kind::host;
  const bool to_member = target.kind == Target::Kind::address || is_port;
  if (sender.kind != Party::Kind::namespaces && !to_member) return false;
  if (sender.kind == Party::Kind::outside && !model_.regions_[sender.region].example(target.family)) return false;
  // What comes from outside comes by the gateway.
  const std::size_t station = sender.kind == Party::Kind::outside ? gateway : sender.stations.front();
  return has_family(network_.stations()[station], network_.interfaces(), target.family);
}

}  // namespace topo::reach
