#include "reach/words.hpp"

namespace topo::reach {
namespace {

const std::string& segment_name(const Model& model, std::size_t segment) { return model.intent().segments[segment].interface; }

std::string place_of(const Model& model, const Loss& loss) {
  const Interface& interface = model.network().interfaces()[loss.interface];
  return interface.segment != none && interface.member != none ? "bridge " + segment_name(model, interface.segment)
                                                               : name_of(model, interface.node) + ":" + interface.name;
}

/// ": web:eth0 is down", of whoever has the address.
std::string what_is_amiss(const Model& model, const IpAddress& address) {
  for (const std::size_t holder : model.network().holders(address)) {
    const Interface& interface = model.network().interfaces()[holder];
    if (!interface.amiss.empty()) return ": " + name_of(model, interface.node) + ":" + interface.name + ": " + interface.amiss;
  }
  return {};
}

std::string what_is_lost(const Model& model, const Loss& loss) {
  const std::string here = name_of(model, loss.station), there = loss.address.to_string();
  switch (loss.kind) {
    case Loss::Kind::no_address:
      return here + " has no " + (loss.address.family() == Family::v4 ? "IPv4" : "IPv6") + " address";
    case Loss::Kind::no_route:
      return here + " has no route to " + there;
    case Loss::Kind::bad_route: {
      constexpr const char* words[]{"", "unreachable", "blackhole", "prohibit"};
      return "the route of " + here + " to " + loss.route->destination.to_string() + " is " + words[static_cast<std::size_t>(loss.route->type)];
    }
    case Loss::Kind::nobody:
      return "nobody answers for " + there + " on " + place_of(model, loss) + what_is_amiss(model, loss.address);
    case Loss::Kind::no_router:
      return here + " gets it and forwards nothing (it is no router)";
    case Loss::Kind::elsewhere:
      return there + " is " + here + "'s own there";
    case Loss::Kind::outside:
      return "the host sends it to the outside: it has no route to " + there;
    case Loss::Kind::masked:
      return here + " gives it another source than " + there + ", as it has not seen what is answered";
    case Loss::Kind::loop:
      return "it goes round in circles";
    case Loss::Kind::down: {
      const Station& station = model.network().stations()[loss.station];
      if (loss.interface == none) return here + ": " + station.amiss;
      const Interface& interface = model.network().interfaces()[loss.interface];
      return here + ":" + interface.name + ": " + interface.amiss;
    }
  }
  return {};
}

}  // namespace

std::string name_of(const Model& model, std::size_t station) { return station == gateway ? "host" : model.network().stations()[station].name; }

std::string text_of(const Model& model, const Loss& loss) { return (loss.back ? "the answer is lost: " : "") + what_is_lost(model, loss); }

std::string text_of(const Model& model, const Ruled& ruled, const std::optional<Loss>& loss) {
  using Kind = Reason::Kind;
  const Reason& reason = ruled.reason;
  const policy::Intent& intent = model.intent();
  switch (reason.kind) {
    case Kind::allow:
      return "allow " + intent.allow[reason.index].text;
    case Kind::deny:
      return "deny " + intent.deny[reason.index].text;
    case Kind::port:
      return "port " + intent.ports[reason.index].text;
    case Kind::same_bridge:
      return "within " + segment_name(model, reason.index) + " nothing forbids it";
    case Kind::isolated:
      return "bridge " + segment_name(model, reason.index) + " is isolated";
    case Kind::between:
      if (intent.default_at.line != 0) return std::string("default: ") + (intent.default_allow ? "allow" : "deny");
      return "no allow names it, and between bridges the default is deny";
    case Kind::host:
      return "between members and the host everything passes that no deny names";
    case Kind::nat:
      return "bridge " + segment_name(model, reason.index) + " has nat";
    case Kind::no_nat:
      return "bridge " + segment_name(model, reason.index) + " has no nat for it, and no allow names it";
    case Kind::other_way_out:
      return "an allow to the outside takes the place of what nat of " + segment_name(model, reason.index) + " implies, and does not name it";
    case Kind::entering:
      return "no allow and no port map lets it in from outside";
    case Kind::itself:
      return "it comes back to who sent it";
    case Kind::not_own:
      return "the source address is not the sender's own";
    case Kind::cable:
      return "what passes a cable between bridges keeps to no policy";
    case Kind::unfiltered:
      return "nothing filters on its way";
    case Kind::lost:
      return loss ? text_of(model, *loss) : "it does not arrive";
  }
  return {};
}

std::string text_of(const Model& model, std::size_t sender, std::size_t target, const Ruled& ruled) {
  if (ruled.reason.kind != Reason::Kind::lost) return text_of(model, ruled, std::nullopt);
  const auto [from, to] = model.ends_of(FlowClass{sender, {target}, {}, {}, false});
  for (const Leg& leg : model.way(from, model.senders()[sender], to, model.targets()[target]).legs) {
    if (leg.loss) return text_of(model, ruled, leg.loss);
  }
  return text_of(model, ruled, std::nullopt);
}

Position position_of(const Model& model, const Reason& reason) {
  using Kind = Reason::Kind;
  const policy::Intent& intent = model.intent();
  switch (reason.kind) {
    case Kind::allow:
      return intent.allow[reason.index].at;
    case Kind::deny:
      return intent.deny[reason.index].at;
    case Kind::port:
      return intent.ports[reason.index].at;
    case Kind::isolated:
    case Kind::nat:
    case Kind::no_nat:
    case Kind::other_way_out:
      return intent.segments[reason.index].at;
    case Kind::between:
      return intent.default_at;
    default:
      return {};
  }
}

const char* to_text(Verdict verdict) {
  constexpr const char* words[]{"allowed", "denied", "unroutable"};
  return words[static_cast<std::size_t>(verdict)];
}

std::string to_text(const PortRange& service) {
  if (service.protocol == Protocol::any) return "other";
  if (service.protocol == Protocol::icmp) return "icmp";
  const char* protocol = service.protocol == Protocol::tcp ? "tcp" : "udp";
  // No packet is sent to port 0.
  const unsigned first = std::max<unsigned>(service.first, 1);
  if (first == 1 && service.last == 65535) return protocol;
  return std::to_string(first) + (service.last == first ? "" : "-" + std::to_string(service.last)) + "/" + protocol;
}

}  // namespace topo::reach
