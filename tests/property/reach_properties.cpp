// The model of reachability against the rules that are compiled of the same file, over random topologies. A failure prints the seed: TOPO_SEED=N
// repeats it, TOPO_TRIALS says how many are tried.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <sstream>

#include "policy/compile.hpp"
#include "random_topology.hpp"
#include "reach/model.hpp"
#include "reach/ruling.hpp"

namespace {

using namespace topo;
using namespace topo::reach;

struct Service {
  Protocol protocol;
  std::uint16_t port;
};
const std::vector<Service> services{{Protocol::tcp, 1},    {Protocol::tcp, 22},   {Protocol::tcp, 80},   {Protocol::tcp, 81}, {Protocol::tcp, 8000},
                                    {Protocol::tcp, 8003}, {Protocol::tcp, 8011}, {Protocol::udp, 53},   {Protocol::udp, 85}, {Protocol::udp, 91},
                                    {Protocol::icmp, 0},   {Protocol::any, 0},    {Protocol::tcp, 65535}};

const Ruled& ruled(const Spans& spans, const Service& service) {
  const auto found = std::find_if(spans.begin(), spans.end(), [&](const Span& span) {
    if (span.service.protocol == Protocol::any) return true;
    if (span.service.protocol != service.protocol) return false;
    return service.protocol == Protocol::icmp || (span.service.first <= service.port && service.port <= span.service.last);
  });
  REQUIRE(found != spans.end());
  return found->ruled;
}

/// A trial asks the model, by its classes, about every two stations and every address; and traces the same packet for itself, through the rules.
class Trial {
 public:
  Trial(std::uint64_t seed, std::string text, Backend backend)
      : seed_(seed),
        text_(std::move(text)),
        topology_(load_text(text_, "random.yaml").topology),
        desired_(desire(topology_)),
        model_(desired_.graph, desired_.intent) {
    const auto compile = [&](Firewall& firewall) {
      if (firewall.meant != nullptr) firewall = policy::compile(firewall.meant, firewall.ns, backend);
    };
    firewalls_ = firewalls_in(desired_.graph);
    compile(firewalls_.host);
    if (firewalls_.gateway) compile(*firewalls_.gateway);
  }

  /// What a gateway of its own can do: the rest is refused.
  [[nodiscard]] bool is_possible() const { return desired_.diagnostics.empty(); }

  std::size_t run() {
    const auto& stations = model_.network().stations();
    for (std::size_t from = gateway; from < stations.size(); ++from) {
      for (std::size_t receiver = 0; receiver < model_.receivers().size(); ++receiver) {
        for (const std::size_t target : model_.targets_of(receiver)) to_target(from, model_.senders()[model_.sender_of(from)], target);
      }
      for (const std::size_t target : model_.port_targets()) to_target(from, model_.senders()[model_.sender_of(from)], target);
    }
    for (std::size_t region = 0; region < model_.regions().size(); ++region) {
      const Party& outside = model_.senders()[model_.sender_of_region(region)];
      for (std::size_t target = 0; target < model_.targets().size(); ++target) to_target(none, outside, target);
    }
    return count_;
  }

 private:
  void to_target(std::size_t from, const Party& sender, std::size_t target) {
    const Target& wanted = model_.targets()[target];
    const Party& receiver = model_.receivers()[wanted.party];
    const std::size_t number = from == none ? model_.sender_of_region(sender.region) : model_.sender_of(from);
    if (wanted.kind == Target::Kind::port) {
      const std::size_t holder = model_.network().station_of(desired_.intent.ports[wanted.map].member);
      return compare(from, sender, holder, wanted, from == holder ? model_.outcome_itself(target) : model_.outcome(number, target));
    }
    if (receiver.kind != Party::Kind::namespaces) return compare(from, sender, gateway, wanted, model_.outcome(number, target));
    for (const std::size_t to : receiver.stations) {
      if (to != from) compare(from, sender, to, wanted, model_.outcome(number, target));
    }
  }

  void compare(std::size_t from, const Party& sender, std::size_t to, const Target& target, const Outcome* outcome) {
    if (outcome == nullptr) return;
    const Way way = model_.way(from == none ? gateway : from, sender, to, target);
    for (const Service& service : services) {
      if (target.kind == Target::Kind::port) {
        const policy::PortMap& map = desired_.intent.ports[target.map];
        if (service.protocol != map.protocol || service.port < map.target_first || service.port > map.target_last) continue;
      }
      ++count_;
      const Verdict says = ruled(outcome->spans, service).verdict, is = by_rules(way, service);
      if (says == is) continue;
      std::ostringstream out;
      constexpr const char* words[]{"allowed", "denied", "unroutable"};
      for (const Leg& leg : way.legs) {
        for (const Judged& judged : judged_by(firewalls_, model_.network(), leg, service.protocol, service.port)) {
          const policy::Packet& packet = judged.packet;
          out << "in " << packet.in << "/" << packet.physical_in << " out " << packet.out << "/" << packet.physical_out
              << (packet.dnat ? " dnat" : "") << (judged.crossing.back ? " back" : "") << " " << packet.source.to_string() << " -> "
              << packet.destination.to_string() << (judged.crossing.stray ? " stray" : "")
              << (judged.ruling.passes() ? " passes\n" : " is blocked\n");
          for (const policy::Step& step : judged.ruling.path) out << "  " << step.chain.name << " " << step.index << ": " << step.text() << "\n";
        }
        if (leg.loss)
          out << "lost at " << name(leg.loss->station) << (leg.loss->back ? " on the way back" : "") << ", reason "
              << static_cast<int>(leg.loss->kind) << "\n";
      }
      for (const Span& span : outcome->spans)
        out << "model: " << static_cast<int>(span.service.protocol) << ":" << span.service.first << "-" << span.service.last << " verdict "
            << static_cast<int>(span.ruled.verdict) << " reason " << static_cast<int>(span.ruled.reason.kind) << " " << span.ruled.reason.index
            << "\n";
      out << "seed " << seed_ << ": " << name(from) << " -> " << name(to) << " "
          << model_.destination_of(from == none ? gateway : from, to, target).to_string() << " " << static_cast<int>(service.protocol) << ":"
          << service.port << (target.kind == Target::Kind::port ? " by a port map" : "") << ": the model says " << words[static_cast<int>(says)]
          << ", by the rules it is " << words[static_cast<int>(is)] << "\n"
          << text_;
      FAIL(out.str());
    }
  }

  [[nodiscard]] std::string name(std::size_t station) const {
    return station == none ? "outside" : station == gateway ? "host" : model_.network().stations()[station].name;
  }

  /// The first thing that stops it on any of its ways.
  [[nodiscard]] Verdict by_rules(const Way& way, const Service& service) const {
    Verdict worst = Verdict::allowed;
    for (const Leg& leg : way.legs) {
      if (worst != Verdict::allowed) break;
      const auto judged = judged_by(firewalls_, model_.network(), leg, service.protocol, service.port);
      if (!judged.empty() && !judged.back().ruling.passes()) {
        worst = Verdict::denied;
      } else if (leg.loss) {
        worst = Verdict::unroutable;
      }
    }
    return worst;
  }

  std::uint64_t seed_;
  std::string text_;
  Topology topology_;
  Desired desired_;
  Model model_;
  Firewalls firewalls_;
  std::size_t count_ = 0;
};

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("the model says of every flow what the compiled rules make of it") {
  const bool given = std::getenv("TOPO_SEED") != nullptr;
  const std::uint64_t first = number("TOPO_SEED", std::random_device{}());
  const std::uint64_t trials = given ? 1 : number("TOPO_TRIALS", 200);
  std::size_t count = 0, own = 0;
  for (std::uint64_t seed = first; seed < first + trials; ++seed) {
    test::RandomTopology dice(seed);
    const std::string text = dice.text();
    for (const Backend backend : {Backend::iptables, Backend::nftables}) {
      count += Trial(seed, text, backend).run();
      Trial with_own_gateway(seed, text + "gateway: own\n", backend);
      if (!with_own_gateway.is_possible()) continue;
      count += with_own_gateway.run();
      ++own;
    }
  }
  CHECK((own > trials / 4 || trials < 20));
  INFO("seed " << first << ", " << count << " flows");
  CHECK(count > trials);
}
