#include "reach/trials.hpp"

#include <algorithm>

#include "reach/meetings.hpp"
#include "reach/words.hpp"

namespace topo::reach {
namespace {

class Trying {
 public:
  Trying(const Names& names, const Firewalls& firewalls) : names_(names), model_(names.model()), firewalls_(firewalls) {}

  void add(const FlowClass& flow, bool every_pair) {
    if (flow.span.ruled.verdict == Verdict::unroutable) return;
    const auto witness = model_.witness(flow);
    if (!witness) return;
    for (const Witness& each : of_each_protocol(flow, *witness)) add(flow, each, every_pair);
  }

  /// The same between two certain stations of its classes; the gateway for the host and the outside.
  void add_between(const FlowClass& flow, std::size_t from, std::size_t to) {
    Trying some(names_, firewalls_);
    some.add(flow, false);
    for (const Trial& base : some.take()) {
      if (base.sender == from && base.receiver == to) {
        trials_.push_back(base);
      } else {
        add_pair(flow, model_.targets()[flow.to.front()], from, to, base);
      }
    }
  }

  std::vector<Trial> take() { return std::move(trials_); }

 private:
  /// What is said of everything is tried over tcp, udp and icmp.
  [[nodiscard]] std::vector<Witness> of_each_protocol(const FlowClass& flow, const Witness& witness) const {
    if (witness.protocol == Protocol::any) return {};  // nothing that could be sent with sockets alone
    std::vector<Witness> found{witness};
    if (flow.span.service.protocol != Protocol::any || witness.map != none) return found;
    const Spans& spans = model_.outcome(flow.from, flow.to.front())->spans;
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp, Protocol::icmp}) {
      const auto is_named = [&](const Span& span) {
        const bool in_range = span.service.first <= witness.port && witness.port <= span.service.last;
        return span.service.protocol == protocol && (protocol == Protocol::icmp || in_range);
      };
      if (protocol == witness.protocol || std::any_of(spans.begin(), spans.end(), is_named)) continue;
      if (protocol != Protocol::icmp && witness.port == 0) continue;
      Witness other = witness;
      other.protocol = protocol;
      if (protocol == Protocol::icmp) other.port = 0;
      found.push_back(other);
    }
    return found;
  }

  /// Whether a port map takes what is sent to the host there.
  [[nodiscard]] bool is_mapped(const Witness& witness) const {
    const auto& maps = model_.intent().ports;
    return std::any_of(maps.begin(), maps.end(), [&](const policy::PortMap& map) {
      return map.protocol == witness.protocol && map.first <= witness.port && witness.port <= map.last &&
             (!map.address || *map.address == witness.destination);
    });
  }

  void add(const FlowClass& flow, const Witness& witness, bool every_pair) {
    const Target& first = model_.targets()[flow.to.front()];
    if (first.kind == Target::Kind::host && is_mapped(witness)) return;
    const Party& sender = model_.senders()[flow.from];
    Trial base = trial_of(flow, witness, first);
    if (flow.span.ruled.verdict == Verdict::denied) base.rule = deciding_rule(model_, firewalls_, flow, witness);
    trials_.push_back(base);
    // 127.0.0.1 is the host's alone, and has a way of its own.
    const bool by_map = first.kind == Target::Kind::port && !model_.intent().ports[first.map].address;
    if (by_map && sender.kind == Party::Kind::host && first.family == Family::v4) {
      Trial local = base;
      local.destination = *IpAddress::parse("127.0.0.1");
      trials_.push_back(std::move(local));
    }
    if (every_pair && !flow.itself && !witness.from_outside) add_pairs(flow, witness, base);
  }

  [[nodiscard]] std::string name_of_end(const Party& party, std::size_t station) const {
    return party.kind == Party::Kind::outside ? names_.name_of_region(party.region) : name_of(model_, station);
  }

  [[nodiscard]] Trial trial_of(const FlowClass& flow, const Witness& witness, const Target& target) const {
    Trial trial;
    const bool is_port = target.kind == Target::Kind::port;
    trial.sender = witness.from;
    trial.receiver = witness.to;
    trial.from_outside = witness.from_outside;
    trial.to_outside = witness.to_outside;
    trial.from = name_of_end(model_.senders()[flow.from], witness.from);
    trial.to = is_port ? name_of(model_, witness.to) : name_of_end(model_.receivers()[target.party], witness.to);
    trial.source = witness.source;
    trial.destination = trial.at = witness.destination;
    trial.protocol = witness.protocol;
    trial.port = trial.listen_port = witness.port;
    if (is_port) {
      trial.at = model_.address_of(witness.to, target);
      trial.listen_port = flow.span.service.first;
      trial.mapped = true;
      trial.any_address = !model_.intent().ports[target.map].address;
      trial.by = "port " + model_.intent().ports[target.map].text;
    }
    trial.verdict = flow.span.ruled.verdict;
    trial.why = text_of(model_, flow.from, flow.to.front(), flow.span.ruled);
    trial.at_line = position_of(model_, flow.span.ruled.reason);
    return trial;
  }

  /// All the other stations of both classes, and all of its targets.
  void add_pairs(const FlowClass& flow, const Witness& witness, const Trial& base) {
    for (const std::size_t number : flow.to) {
      const Target& target = model_.targets()[number];
      std::vector<std::size_t> receivers{witness.to};
      if (target.kind == Target::Kind::address) receivers = model_.receivers()[target.party].stations;
      for (const std::size_t from : model_.senders()[flow.from].stations) {
        for (const std::size_t to : receivers) {
          const bool is_base = from == base.sender && to == base.receiver && number == flow.to.front();
          if (!is_base && (from != to || from == gateway)) add_pair(flow, target, from, to, base);
        }
      }
    }
  }

  /// What `base` tries, between two other stations of its classes.
  void add_pair(const FlowClass& flow, const Target& target, std::size_t from, std::size_t to, const Trial& base) {
    if (trials_.size() > most_trials) return;
    const Party& sender = model_.senders()[flow.from];
    Trial trial = base;
    trial.sender = from;
    trial.receiver = to;
    trial.from = name_of_end(sender, from);
    if (target.kind == Target::Kind::address) trial.to = name_of(model_, to);
    trial.destination = model_.destination_of(from, to, target);
    if (target.kind != Target::Kind::port) trial.at = trial.destination;
    const Way way = model_.way(from, sender, to, target);
    trial.source = way.source;
    if (trial.rule) trial.rule = rule_on(way, base);
    if (!trial.source.is_unspecified()) trials_.push_back(std::move(trial));
  }

  [[nodiscard]] std::optional<DecidingRule> rule_on(const Way& way, const Trial& trial) const {
    for (const Leg& leg : way.legs) {
      const auto judged = judged_by(firewalls_, model_.network(), leg, trial.protocol, trial.listen_port);
      if (judged.empty() || judged.back().ruling.passes()) continue;
      const policy::Step* step = judged.back().ruling.decisive();
      if (step != nullptr) return deciding(judged.back(), *step);
    }
    return std::nullopt;
  }

  const Names& names_;
  const Model& model_;
  const Firewalls& firewalls_;
  std::vector<Trial> trials_;
};

/// The flow of a meeting, for what a file expects.
std::optional<FlowClass> expected(const Model& model, const Meeting& meeting, Family family, const Services& services, bool allowed) {
  const auto decided = deciding(model, meeting, family, services, allowed);
  if (!decided) return std::nullopt;
  FlowClass flow{meeting.sender, {decided->target}, decided->span, {}, false};
  const auto ranges = services.ranges();
  // The port that is spoken of, where the decision is about more.
  if (!services.all() && !ranges.empty() && decided->span.service.protocol == Protocol::any) flow.span.service = ranges.front();
  return flow;
}

}  // namespace

std::vector<Trial> trials_of(const Names& names, const Firewalls& firewalls, bool every_pair) {
  Trying trying(names, firewalls);
  for (const FlowClass& flow : names.model().flows()) trying.add(flow, every_pair);
  std::vector<Trial> trials = trying.take();
  const ExpectSpec& expect = names.topology().expect;
  Trying expecting(names, firewalls);
  for (const auto& [flows, allowed] : {std::pair(&expect.allow, true), std::pair(&expect.deny, false)}) {
    for (const FlowSpec& spec : *flows) {
      const NamedSet *from = names.find(spec.from.value), *to = names.find(spec.to.value);
      if (from == nullptr || to == nullptr) continue;
      for (const bool back : {false, true}) {
        if (back && !spec.both_ways) continue;
        for (const Meeting& meeting : meetings_of(names, back ? *to : *from, back ? *from : *to)) {
          for (const Family family : {Family::v4, Family::v6}) {
            const auto flow = expected(names.model(), meeting, family, Services::of(spec.ports), allowed);
            if (flow && every_pair) expecting.add(*flow, true);
            if (flow && !every_pair) expecting.add_between(*flow, meeting.from, meeting.to);
          }
        }
      }
    }
  }
  for (Trial& trial : expecting.take()) {
    const auto same = [&](const Trial& other) {
      return other.sender == trial.sender && other.destination == trial.destination && other.protocol == trial.protocol && other.port == trial.port &&
             other.from_outside == trial.from_outside;
    };
    if (std::any_of(trials.begin(), trials.end(), same)) continue;
    trial.by = trial.by.empty() ? "expect" : trial.by;
    trials.push_back(std::move(trial));
  }
  return trials;
}

std::optional<Trial> sign_of_life(const Names& names, std::size_t station, Family family) {
  const Model& model = names.model();
  const NamedSet itself{NamedSet::Kind::ns, "", {station}, {station}, {}, {}, false};
  const NamedSet* any = names.find("any");
  const NamedSet host{NamedSet::Kind::host, "host", {}, {}, {}, {}, true};
  const Firewalls none_needed;
  using Ends = std::pair<const NamedSet*, const NamedSet*>;
  for (const auto& [from, to] : {Ends(&host, &itself), Ends(&itself, &host), Ends(any, &itself), Ends(&itself, any)}) {
    for (const Meeting& meeting : meetings_of(names, *from, *to)) {
      if (meeting.senders.empty() || meeting.receivers.empty()) continue;
      const auto flow = expected(model, meeting, family, Services::of({}), true);
      if (!flow) continue;
      Trying trying(names, none_needed);
      trying.add_between(*flow, meeting.from, meeting.to);
      auto found = trying.take();
      if (!found.empty()) return std::move(found.front());
    }
  }
  return std::nullopt;
}

}  // namespace topo::reach
