#include "reach/model.hpp"

#include <algorithm>

#include "reach/model_builder.hpp"

namespace topo::reach {
namespace {

bool has_family(const std::vector<Cidr>& addresses, Family family) {
  return std::any_of(addresses.begin(), addresses.end(), [&](const Cidr& address) { return address.family() == family; });
}

/// A port of the protocol that none of `spans` is about; nullopt: they are about all.
std::optional<std::uint16_t> free_port(const Spans& spans, Protocol protocol) {
  std::uint32_t port = 7;  // echo: as good as any
  for (const Span& span : spans) {
    if (span.service.protocol == protocol && span.service.first <= port && port <= span.service.last) port = span.service.last + 1U;
  }
  if (port > 65535) {
    port = 1;
    for (const Span& span : spans) {
      if (span.service.protocol == protocol && span.service.first <= port) port = span.service.last + 1U;
    }
  }
  return port <= 65535 ? std::optional(static_cast<std::uint16_t>(port)) : std::nullopt;
}

void choose_service(const Span& span, const Spans& spans, Witness& witness) {
  const auto has_icmp = [](const Spans& all) {
    return std::any_of(all.begin(), all.end(), [](const Span& each) { return each.service.protocol == Protocol::icmp; });
  };
  witness.protocol = span.service.protocol;
  witness.port = witness.protocol == Protocol::icmp ? std::uint16_t{0} : std::max<std::uint16_t>(span.service.first, 1);
  if (witness.protocol != Protocol::any) return;
  witness.port = 0;
  for (const Protocol protocol : {Protocol::tcp, Protocol::udp}) {
    const auto port = free_port(spans, protocol);
    if (!port) continue;
    witness.protocol = protocol;
    witness.port = *port;
    return;
  }
  if (!has_icmp(spans)) witness.protocol = Protocol::icmp;
}

}  // namespace

Model::Model(const Graph& graph, policy::Intent intent, const Zones& zones)
    : intent_(std::make_unique<policy::Intent>(std::move(intent))),
      relations_(std::make_unique<policy::Relations>(*intent_)),
      network_(std::make_unique<Network>(graph, *intent_)),
      judge_(std::make_unique<Judge>(*relations_)),
      tracer_(std::make_unique<Tracer>(*network_, *relations_)) {
  regions_ = regions_of(*relations_, zones);
  ModelBuilder(*this).build();
}

bool Model::is_itself(const Party& from, const Target& target) const {
  if (from.kind != Party::Kind::namespaces || from.stations.size() != 1) return false;
  if (target.kind == Target::Kind::port) return network_->station_of(intent_->ports[target.map].member) == from.stations.front();
  return receivers_[target.party].stations == from.stations;
}

std::uint32_t Model::usual_outcome(std::size_t sender, std::size_t target) const {
  const std::size_t home = home_of_sender_[sender];
  const bool at_home = home != none && home == home_of_target_[target];
  return outcome_of_group_[sender][2 * group_of_target_[target] + std::size_t{at_home}];
}

std::size_t Model::outcome_number(std::size_t sender, std::size_t target) const {
  if (is_itself(senders_[sender], targets_[target])) return none;
  const auto exception = exceptions_[sender].find(target);
  const std::uint32_t found = exception != exceptions_[sender].end() ? exception->second : usual_outcome(sender, target);
  return found == no_outcome ? none : found;
}

std::vector<std::uint32_t> Model::outcome_numbers(std::size_t sender) const {
  std::vector<std::uint32_t> numbers(targets_.size());
  for (std::size_t target = 0; target < targets_.size(); ++target) numbers[target] = usual_outcome(sender, target);
  for (const auto& [target, number] : exceptions_[sender]) numbers[target] = number;
  for (std::size_t target = 0; target < targets_.size(); ++target) {
    if (is_itself(senders_[sender], targets_[target])) numbers[target] = no_outcome;
  }
  return numbers;
}

std::size_t Model::region_of(const IpAddress& address) const {
  std::size_t best = regions_.size() - 1;
  int longest = -1;
  for (std::size_t region = 0; region < regions_.size(); ++region) {
    for (const Cidr& network : regions_[region].networks) {
      if (!network.contains(address) || network.prefix() <= longest) continue;
      longest = network.prefix();
      best = region;
    }
  }
  return best;
}

const Outcome* Model::outcome(std::size_t sender, std::size_t target) const {
  const std::size_t number = outcome_number(sender, target);
  return number == none ? nullptr : &outcomes_[number];
}

const Outcome* Model::outcome_itself(std::size_t port_target) const {
  const std::uint32_t number = itself_[port_target];
  return number == no_outcome ? nullptr : &outcomes_[number];
}

IpAddress Model::host_address(std::size_t station, Family family) const {
  const auto of_family = [&](const Cidr& address) { return address.family() == family; };
  const auto on = [&](std::size_t segment) -> const Cidr* {
    const auto& own = intent_->segments[segment].gateway;
    const auto found = std::find_if(own.begin(), own.end(), of_family);
    return found == own.end() ? nullptr : &*found;
  };
  for (const std::size_t i : network_->stations()[station].interfaces) {
    const std::size_t segment = network_->interfaces()[i].segment;
    if (segment == none || !has_family(network_->interfaces()[i].addresses, family)) continue;
    if (const Cidr* own = on(segment)) return own->address();
  }
  for (std::size_t segment = 0; segment < intent_->segments.size(); ++segment) {
    if (const Cidr* own = on(segment)) return own->address();
  }
  return IpAddress::any(family);
}

IpAddress Model::address_of(std::size_t station, const Target& target) const {
  if (target.kind == Target::Kind::port) {
    const auto& targets = intent_->ports[target.map].targets;
    return *std::find_if(targets.begin(), targets.end(), [&](const IpAddress& address) { return address.family() == target.family; });
  }
  const std::size_t interface = network_->stations()[station].interfaces[target.interface];
  return network_->interfaces()[interface].addresses[target.address].address();
}

IpAddress Model::destination_of(std::size_t sender_station, std::size_t to, const Target& target) const {
  switch (target.kind) {
    case Target::Kind::address:
      return address_of(to, target);
    case Target::Kind::outside:
      return *regions_[receivers_[target.party].region].example(target.family);
    case Target::Kind::port:
      if (const auto& address = intent_->ports[target.map].address) return *address;
      break;
    case Target::Kind::host:
      break;
  }
  return host_address(sender_station, target.family);
}

Way Model::way(std::size_t sender_station, const Party& sender, std::size_t to, const Target& target, std::vector<std::vector<Move>>* moves) const {
  Endpoint from{Endpoint::Kind::station, sender_station, {}};
  if (sender.kind == Party::Kind::outside) from = {Endpoint::Kind::outside, gateway, *regions_[sender.region].example(target.family)};
  const IpAddress destination = destination_of(sender_station, to, target);
  if (target.kind == Target::Kind::port) return tracer_->trace_mapped(from, destination, target.map, address_of(to, target), moves);
  const bool is_outside = target.kind == Target::Kind::outside;
  return tracer_->trace(from, {is_outside ? Endpoint::Kind::outside : Endpoint::Kind::station, is_outside ? gateway : to, destination}, moves);
}

std::vector<FlowClass> Model::flows() const {
  std::vector<FlowClass> found;
  const auto add = [&](std::size_t sender, std::vector<std::size_t> to, const Outcome& outcome, bool itself) {
    for (const Span& span : outcome.spans) {
      FlowClass flow{sender, to, span, {}, itself};
      if (span.ruled.verdict == Verdict::unroutable) flow.loss = outcome.loss;
      found.push_back(std::move(flow));
    }
  };
  for (std::size_t sender = 0; sender < senders_.size(); ++sender) {
    std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> equal;  // (group, outcome) -> targets
    for (std::size_t target = 0; target < targets_.size(); ++target) {
      const std::size_t number = outcome_number(sender, target);
      if (number != none) equal[{group_of_target_[target], number}].push_back(target);
    }
    for (auto& [place, to] : equal) add(sender, std::move(to), outcomes_[place.second], false);
  }
  for (const std::size_t target : port_targets_) {
    if (const Outcome* outcome = outcome_itself(target))
      add(sender_of(receivers_[targets_[target].party].stations.front()), {target}, *outcome, true);
  }
  return found;
}

std::pair<std::size_t, std::size_t> Model::ends_of(const FlowClass& flow) const {
  const Party& from = senders_[flow.from];
  const Target& target = targets_[flow.to.front()];
  const Party& to = receivers_[target.party];
  const bool is_port = target.kind == Target::Kind::port;
  const std::size_t holder = is_port ? network_->station_of(intent_->ports[target.map].member) : none;
  if (flow.itself) return {holder, holder};
  const std::size_t receiver = is_port ? holder : to.kind == Party::Kind::namespaces ? to.stations.front() : gateway;
  if (from.kind != Party::Kind::namespaces) return {gateway, receiver};
  for (const std::size_t station : from.stations) {
    if (station != receiver) return {station, receiver};
  }
  return {receiver, to.stations.back()};
}

std::optional<Witness> Model::witness(const FlowClass& flow) const {
  const Target& target = targets_[flow.to.front()];
  const auto [sender, receiver] = ends_of(flow);
  Witness witness;
  witness.from = sender;
  witness.to = receiver;
  witness.from_outside = senders_[flow.from].kind == Party::Kind::outside;
  witness.to_outside = target.kind == Target::Kind::outside;
  witness.map = target.map;
  witness.destination = destination_of(sender, receiver, target);
  witness.source = way(sender, senders_[flow.from], receiver, target).source;
  if (target.kind == Target::Kind::port) {
    const policy::PortMap& map = intent_->ports[target.map];
    witness.protocol = map.protocol;
    witness.port = static_cast<std::uint16_t>(map.first + (flow.span.service.first - map.target_first));
  } else {
    const Outcome* outcome = this->outcome(flow.from, flow.to.front());
    choose_service(flow.span, outcome->spans, witness);
  }
  if (witness.source.is_unspecified()) return std::nullopt;
  return witness;
}

}  // namespace topo::reach
