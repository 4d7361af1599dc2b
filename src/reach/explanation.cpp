#include "reach/explanation.hpp"

#include <algorithm>

#include "reach/ruling.hpp"
#include "reach/words.hpp"
#include "topo/names.hpp"

namespace topo::reach {
namespace {

std::string name_of_interface(const Network& network, std::size_t interface) {
  if (interface == none) return {};
  return interface == way_out ? "the outside" : network.interfaces()[interface].name;
}

std::string text_of(const RouteEntry& route, const std::optional<IpAddress>& via) {
  std::string text = route.destination.prefix() == 0 ? "default" : route.destination.to_string();
  if (via) text += " via " + via->to_string();
  constexpr const char* words[]{"", " unreachable", " blackhole", " prohibit"};
  return text + words[static_cast<std::size_t>(route.type)];
}

class Explaining {
 public:
  Explaining(const Names& names, const Firewalls& firewalls, const Subject& from, const Subject& to, std::optional<PortRange> service, bool live)
      : names_(names), model_(names.model()), firewalls_(firewalls), from_(from), to_(to), service_(service), live_(live) {}

  std::vector<Explanation> run() {
    if (by_port_map()) return std::move(found_);
    for (const Meeting& meeting : meetings_of(names_, from_.set, to_.set)) {
      for (const Family family : {Family::v4, Family::v6}) to_family(meeting, family);
    }
    return std::move(found_);
  }

 private:
  /// What is sent to the host by a port that is mapped. False: it is none.
  bool by_port_map() {
    if (!to_.set.host || to_.set.kind == NamedSet::Kind::any || !service_) return false;
    bool any = false;
    for (const std::size_t target : model_.port_targets()) {
      const policy::PortMap& map = model_.intent().ports[model_.targets()[target].map];
      const bool fits = map.protocol == service_->protocol && map.first <= service_->first && service_->first <= map.last;
      if (!fits || (map.address && to_.address && *map.address != *to_.address)) continue;
      any = true;
      const std::size_t holder = model_.network().station_of(map.member);
      const NamedSet itself{NamedSet::Kind::ns, "", {holder}, {holder}, {}, {}, false};
      for (Meeting meeting : meetings_of(names_, from_.set, itself)) {
        if (const Outcome* outcome = model_.outcome(meeting.sender, target)) add(meeting, target, outcome->spans);
      }
      const Outcome* outcome = model_.outcome_itself(target);
      if (outcome != nullptr && std::binary_search(from_.set.stations.begin(), from_.set.stations.end(), holder))
        add({model_.sender_of(holder), holder, holder, {target}, {holder}, {holder}}, target, outcome->spans);
    }
    return any;
  }

  void to_family(const Meeting& meeting, Family family) {
    Meeting own = meeting;
    std::erase_if(own.targets, [&](std::size_t target) {
      const Target& it = model_.targets()[target];
      const bool is_other = to_.address && it.kind == Target::Kind::address && model_.address_of(meeting.to, it) != *to_.address;
      return it.family != family || it.kind == Target::Kind::port || is_other || (to_.address && to_.address->family() != family);
    });
    const Services wanted = service_ ? Services::of({*service_}) : Services::of({});
    auto decided = deciding(model_, own, family, wanted, true);
    if (!decided) decided = deciding(model_, own, family, wanted, false);
    if (decided) add(own, decided->target, model_.outcome(own.sender, decided->target)->spans);
  }

  void add(const Meeting& meeting, std::size_t target, const Spans& spans) {
    Explanation made;
    made.from = name_of_sender(names_, meeting);
    made.to = name_of_receiver(names_, meeting);
    made.equal_senders = meeting.senders.empty() ? 0 : meeting.senders.size() - 1;
    made.equal_receivers = meeting.receivers.empty() ? 0 : meeting.receivers.size() - 1;
    const Target& wanted = model_.targets()[target];
    PortRange service = service_.value_or(PortRange{Protocol::any, 0, 0});
    if (wanted.kind == Target::Kind::port) {
      const policy::PortMap& map = model_.intent().ports[wanted.map];
      made.to = "host";
      made.equal_receivers = 0;
      service.first = service.last = static_cast<std::uint16_t>(map.target_first + (service.first - map.first));
    }
    const Span& span = span_of(spans, service);
    made.service = service_.value_or(PortRange{});
    if (!service_ && spans.size() > 1) made.others = spans;
    made.verdict = span.ruled.verdict;
    made.why = text_of(model_, meeting.sender, target, span.ruled);
    made.at = position_of(model_, span.ruled.reason);
    follow(meeting, wanted, service_ ? service : span.service, made);
    // By which of its addresses the host is spoken to from outside is not the topology's to say.
    const bool from_outside = model_.senders()[meeting.sender].kind == Party::Kind::outside;
    if (from_outside && wanted.kind == Target::Kind::port && !to_.address) made.destination = IpAddress();
    found_.push_back(std::move(made));
  }

  static const Span& span_of(const Spans& spans, const PortRange& service) {
    const auto found = std::find_if(spans.begin(), spans.end(), [&](const Span& span) {
      if (span.service.protocol == Protocol::any) return true;
      if (span.service.protocol != service.protocol) return false;
      return service.protocol == Protocol::icmp || (span.service.first <= service.first && service.first <= span.service.last);
    });
    return found != spans.end() ? *found : spans.back();
  }

  /// The way, to where it is stopped; of several that which does not arrive.
  void follow(const Meeting& meeting, const Target& target, const PortRange& service, Explanation& made) {
    std::vector<std::vector<Move>> moves;
    const Way way = way_of(meeting, target, moves);
    made.source = way.source;
    made.destination = destination_;
    std::size_t chosen = 0;
    Verdict worst = Verdict::allowed;
    std::vector<std::vector<Judged>> judged;
    for (std::size_t i = 0; i < way.legs.size(); ++i) {
      judged.push_back(judged_by(firewalls_, model_.network(), way.legs[i], service.protocol, service.first));
      const bool blocked = !judged.back().empty() && !judged.back().back().ruling.passes();
      const Verdict is = blocked ? Verdict::denied : way.legs[i].loss ? Verdict::unroutable : Verdict::allowed;
      if (worst != Verdict::allowed || is == Verdict::allowed) continue;
      worst = is;
      chosen = i;
    }
    add_hops(way.legs[chosen], moves[chosen], judged[chosen], made);
    if (made.verdict == Verdict::unroutable && way.legs[chosen].loss) made.why = text_of_loss(*way.legs[chosen].loss);
    if (!live_ || worst == made.verdict) return;
    made.verdict = worst;
    made.at = {};
    made.why = worst == Verdict::allowed      ? "no rule in the kernel stops it"
               : worst == Verdict::unroutable ? text_of_loss(*way.legs[chosen].loss)
                                              : "a rule in the kernel stops it";
  }

  [[nodiscard]] std::string text_of_loss(const Loss& loss) const { return reach::text_of(model_, loss); }

  [[nodiscard]] Way way_of(const Meeting& meeting, const Target& target, std::vector<std::vector<Move>>& moves) {
    const Party& sender = model_.senders()[meeting.sender];
    const bool from_outside = sender.kind == Party::Kind::outside, to_outside = target.kind == Target::Kind::outside;
    destination_ = to_.address ? *to_.address : model_.destination_of(meeting.from, meeting.to, target);
    Endpoint from{Endpoint::Kind::station, meeting.from, {}};
    if (from_outside) from = {Endpoint::Kind::outside, gateway, from_.address.value_or(*model_.regions()[sender.region].example(target.family))};
    if (target.kind == Target::Kind::port) {
      const std::size_t holder = model_.network().station_of(model_.intent().ports[target.map].member);
      return model_.tracer().trace_mapped(from, destination_, target.map, model_.address_of(holder, target), &moves);
    }
    return model_.tracer().trace(
        from, {to_outside ? Endpoint::Kind::outside : Endpoint::Kind::station, to_outside ? gateway : meeting.to, destination_}, &moves);
  }

  void add_hops(const Leg& leg, const std::vector<Move>& moves, const std::vector<Judged>& judged, Explanation& made) const {
    const Network& network = model_.network();
    std::size_t seen = 0;
    auto next = judged.begin();
    for (const Move& move : moves) {
      Hop hop;
      hop.node = name_of(model_, move.station);
      hop.in = name_of_interface(network, move.in);
      hop.out = name_of_interface(network, move.out);
      if (move.route != nullptr) {
        hop.route = text_of(*move.route, move.via);
        hop.at = move.route->at;
      }
      hop.source = move.source;
      hop.destination = move.destination;
      hop.back = move.back;
      if (move.masked_as) hop.masked = move.masked_as->is_unspecified() ? "the host's own address" : move.masked_as->to_string();
      for (; seen < move.crossings; ++seen) {
        if (const std::size_t map = leg.crossings[seen].map; map != none) {
          hop.mapped = model_.intent().ports[map].text;
          hop.mapped_at = model_.intent().ports[map].at;
        }
      }
      for (Hop& part : parts_of(move, hop)) {
        const bool at_gateway = move.station == gateway && firewalls_.gateway;
        for (; next != judged.end() && next->number < seen && (!at_gateway || next->ns == ns_of(part)); ++next) {
          const policy::Step* const step = next->ruling.decisive();
          if (step != nullptr) part.filters.push_back({next->ns, step->chain.name, step->index, step->text(), !next->ruling.passes()});
        }
        made.hops.push_back(std::move(part));
        if (next == judged.end() && !judged.empty() && !judged.back().ruling.passes()) return;
      }
    }
  }

  /// With `gateway: own` the gateway is two: its namespace, where the bridges are, and the host at the other end of their uplinks.
  [[nodiscard]] std::vector<Hop> parts_of(const Move& move, const Hop& hop) const {
    if (move.station != gateway || !firewalls_.gateway) return {hop};
    const bool from_bridge = model_.network().is_bridge(move.in), to_bridge = model_.network().is_bridge(move.out);
    Hop inside = hop;
    inside.node = firewalls_.gateway->ns;
    if (from_bridge && to_bridge && hop.mapped.empty()) return {inside};
    inside.route.clear();
    inside.mapped.clear();
    inside.masked.clear();
    std::vector<Hop> parts;
    if (from_bridge) {
      parts.push_back(inside);
      parts.back().out = uplink_name(hop.in);
    }
    parts.push_back(hop);
    if (to_bridge) {
      parts.push_back(inside);
      parts.back().in = uplink_name(hop.out);
    }
    return parts;
  }

  [[nodiscard]] std::string ns_of(const Hop& part) const { return part.node == firewalls_.gateway->ns ? part.node : std::string(); }

  const Names& names_;
  const Model& model_;
  const Firewalls& firewalls_;
  const Subject &from_, &to_;
  std::optional<PortRange> service_;
  bool live_;
  IpAddress destination_;
  std::vector<Explanation> found_;
};

}  // namespace

std::optional<Subject> subject_of(const Names& names, const std::string& text) {
  if (const NamedSet* set = names.find(text)) return Subject{*set, std::nullopt};
  const auto address = IpAddress::parse(text);
  if (!address) return std::nullopt;
  const Model& model = names.model();
  NamedSet set{NamedSet::Kind::ns, text, {}, {}, {}, {}, false};
  for (const std::size_t interface : model.network().holders(*address)) {
    const std::size_t station = model.network().interfaces()[interface].node;
    if (station == gateway) {
      set.host = true;
    } else {
      set.stations.push_back(station);
    }
  }
  set.host = set.host || address->is_loopback();
  std::sort(set.stations.begin(), set.stations.end());
  set.stations.erase(std::unique(set.stations.begin(), set.stations.end()), set.stations.end());
  set.whole = set.stations;
  if (set.stations.empty() && !set.host) set.regions = {model.region_of(*address)};
  return Subject{std::move(set), address};
}

std::vector<Explanation> explain(const Names& names, const Firewalls& firewalls, const Subject& from, const Subject& to,
                                 const std::optional<PortRange>& service, bool live) {
  return Explaining(names, firewalls, from, to, service, live).run();
}

}  // namespace topo::reach
