// Topologies as text, and what the model says of them.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "policy/compile.hpp"
#include "reach/changes.hpp"
#include "reach/picture.hpp"
#include "reach/ruling.hpp"
#include "reach/words.hpp"
#include "topo/load.hpp"

namespace topo::test {

/// A topology without mistakes and its model.
struct Pictured {
  Topology topology;
  Desired desired;
  std::unique_ptr<reach::Picture> picture;
  [[nodiscard]] const reach::Model& model() const { return picture->model(); }
  [[nodiscard]] const reach::Names& names() const { return picture->names(); }
};

inline std::unique_ptr<Pictured> pictured(const std::string& text) {
  auto made = std::make_unique<Pictured>();
  Loaded loaded = load_text("topology: t\n" + text, "t.yaml");
  made->topology = std::move(loaded.topology);
  made->desired = desire(made->topology);
  for (const auto* mistakes : {&loaded.diagnostics, &made->desired.diagnostics}) {
    for (const auto& mistake : *mistakes) UNSCOPED_INFO(render(mistake, made->topology.sources));
    REQUIRE(mistakes->empty());
  }
  made->picture = std::make_unique<reach::Picture>(made->topology, made->desired.graph, made->desired.intent);
  return made;
}

/// The gateway's, in the terms of a backend.
inline Firewall firewall_by(const Pictured& all, Backend backend) {
  return policy::compile(std::get<Firewall>(all.desired.graph.find("firewall ")->resource).meant, "", backend);
}

/// Both, where the gateway is the topology's own.
inline reach::Firewalls firewalls_by(const Pictured& all, Backend backend) {
  reach::Firewalls found = reach::firewalls_in(all.desired.graph);
  if (found.host.meant != nullptr) found.host = policy::compile(found.host.meant, "", backend);
  if (found.gateway && found.gateway->meant != nullptr) found.gateway = policy::compile(found.gateway->meant, found.gateway->ns, backend);
  return found;
}

/// "allowed (allow a -> b), denied (...)": what becomes of a service ("80/tcp", "icmp", "other") at each address of `to`, one family at a time, each
/// once. Ends are namespaces, `host`, or addresses outside.
inline std::string verdict(const Pictured& all, const std::string& from, const std::string& to, const std::string& service) {
  using namespace reach;
  const Model& model = all.model();
  const auto station = [&](const std::string& name) { return name == "host" ? gateway : model.network().find(name).value(); };
  const auto outer = IpAddress::parse(from), inner = IpAddress::parse(to);
  const std::size_t sender = outer ? model.sender_of_region(model.region_of(*outer)) : model.sender_of(station(from));
  const std::size_t receiver = inner ? model.receiver_of_region(model.region_of(*inner)) : model.receiver_of(station(to));
  Protocol protocol = service == "icmp"           ? Protocol::icmp
                      : service == "other"        ? Protocol::any
                      : service.ends_with("/udp") ? Protocol::udp
                                                  : Protocol::tcp;
  const auto port = static_cast<std::uint16_t>(std::atoi(service.c_str()));
  std::string text;
  for (const std::size_t target : model.targets_of(receiver)) {
    const Outcome* outcome = model.outcome(sender, target);
    if (outcome == nullptr) continue;
    const auto span = std::find_if(outcome->spans.begin(), std::prev(outcome->spans.end()), [&](const Span& each) {
      return each.service.protocol == protocol && (protocol == Protocol::icmp || (each.service.first <= port && port <= each.service.last));
    });
    const std::string one = std::string(to_text(span->ruled.verdict)) + " (" + text_of(model, sender, target, span->ruled) + ")";
    if (text.find(one) == std::string::npos) text += (text.empty() ? "" : ", ") + one;
  }
  return text;
}

/// The changes from one to another, a line each: "+ a <-> b 80/tcp". nullptr: nothing is there.
inline std::vector<std::string> changes(const Pictured* before, const Pictured* after) {
  std::vector<std::string> lines;
  constexpr const char* signs[]{"+", "~", "-", "="};
  for (const auto& change : reach::compare(before != nullptr ? &before->names() : nullptr, after != nullptr ? &after->names() : nullptr).changes) {
    std::string line = std::string(signs[static_cast<std::size_t>(change.kind)]) + " " + change.from.text + (change.both_ways ? " <-> " : " -> ") +
                       change.to.text + " " + change.services.text();
    if (change.family) line += change.family == Family::v4 ? " IPv4" : " IPv6";
    if (!change.by.empty()) line += " by " + change.by;
    lines.push_back(std::move(line));
  }
  return lines;
}
inline std::vector<std::string> changes(const std::string& before, const std::string& after) {
  const auto is = pictured(before), shall = pictured(after);
  return changes(is.get(), shall.get());
}
inline std::vector<std::string> first(const std::string& text) { return changes(nullptr, pictured(text).get()); }

using Lines = std::vector<std::string>;

}  // namespace topo::test
