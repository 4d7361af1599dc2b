#include "probe/proof.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <tuple>

#include "firewall/counters.hpp"
#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "kernel/stand_in.hpp"
#include "probe/watch.hpp"
#include "reach/words.hpp"

namespace topo::probe {
namespace {

using reach::Trial;
using reach::Verdict;

/// So many are under way at once: each has two sockets.
constexpr std::size_t at_once = 1000;
constexpr std::chrono::milliseconds patience{1300};  // a lost TCP SYN comes again after a second

/// Of a chain that a statement with several receivers leads to: one rule for each port of a bridge, which have no comments.
bool is_by_port(const policy::CompiledRule& rule) {
  const auto* const own = std::get_if<netfilter::Rule>(&rule);
  return own != nullptr && own->comment.empty() && own->physical_out.has_value();
}

/// What a rule is of: a statement of the file may be several rules of a chain, as of a namespace with two interfaces on one bridge, of which either
/// may answer for both addresses (arp(7)).
using Statement = std::tuple<std::string, policy::ChainPlace, std::string, std::size_t>;
Statement statement_of(const reach::DecidingRule& rule) {
  const bool shared = !rule.comment.empty() || is_by_port(rule.rule);
  return {rule.ns, rule.chain, rule.comment, shared ? 0 : rule.index};
}

/// What the rules of each namespace with a filter have counted.
using Counters = std::map<std::string, firewall::Counters>;

bool answered(const Answer& answer) { return answer.kind == Answer::Kind::answered; }

class Proving {
 public:
  Proving(const reach::Names& names, const reach::Firewalls& firewalls, const Settings& settings)
      : names_(names), firewalls_(firewalls), settings_(settings) {}

  Result<std::vector<Outcome>> run() {
    kernel::raise_descriptor_limit();
    auto home = kernel::own_namespace();
    if (!home) return std::move(home).error();
    home_ = std::move(*home);
    if (auto opened = open_places(); !opened) return opened.error();
    if (auto made = make_outside(); !made) return made.error();
    const auto trials = reach::trials_of(names_, firewalls_, settings_.every_pair);
    if (trials.size() > reach::most_trials) {
      return Error{Exit::invalid,
                   "these are more than " + std::to_string(reach::most_trials) + " flows, too many to try each",
                   {},
                   {},
                   settings_.every_pair ? "leave out --all: one of each class of flows shows the same" : "",
                   {}};
    }
    std::vector<Outcome> outcomes;
    for (std::size_t first = 0; first < trials.size(); first += at_once) {
      if (settings_.progress) settings_.progress(first, trials.size());
      const std::vector<Trial> some(trials.begin() + static_cast<std::ptrdiff_t>(first),
                                    trials.begin() + static_cast<std::ptrdiff_t>(std::min(first + at_once, trials.size())));
      if (auto tried = try_all(some, outcomes); !tried) return tried.error();
      if (settings_.stop && settings_.stop()) return Error{Exit::interrupted, "interrupted", {}, {}, {}, {}};
    }
    if (auto shown = show_life(outcomes); !shown) return shown.error();
    return outcomes;
  }

 private:
  [[nodiscard]] const reach::Network& network() const { return names_.model().network(); }
  [[nodiscard]] std::string name(std::size_t station) const { return reach::name_of(names_.model(), station); }

  Result<void> open_places() {
    const auto& stations = network().stations();
    for (std::size_t i = reach::gateway + 1; i < stations.size(); ++i) {
      auto entry = kernel::open_named(stations[i].name);
      if (!entry) return std::move(entry).error();
      if (!*entry || !(*entry)->netns)
        return Error{Exit::invalid, "there is no namespace " + stations[i].name, {}, {}, "apply the file first: topo apply FILE", {}};
      places_.emplace(i, std::move((*entry)->netns));
    }
    if (!firewalls_.gateway) return {};
    auto entry = kernel::open_named(firewalls_.gateway->ns);
    if (!entry) return std::move(entry).error();
    if (!*entry || !(*entry)->netns)
      return Error{Exit::invalid, "there is no namespace " + firewalls_.gateway->ns, {}, {}, "apply the file first: topo apply FILE", {}};
    gateway_ = std::move((*entry)->netns);
    return {};
  }

  Result<void> make_outside() {
    std::vector<IpAddress> addresses;
    std::vector<Cidr> taken;
    for (const auto& region : names_.model().regions()) {
      for (const auto& example : region.examples) {
        if (example) addresses.push_back(*example);
      }
      taken.insert(taken.end(), region.networks.begin(), region.networks.end());
    }
    for (const auto& interface : network().interfaces()) {
      for (const Cidr& own : interface.addresses) taken.push_back(own.network());
    }
    auto made = kernel::StandIn::make(addresses, taken);
    if (!made) return made.error();
    outside_ = std::move(*made);
    return {};
  }

  [[nodiscard]] int place(std::size_t station, bool outside) const {
    return outside ? outside_->netns() : station == reach::gateway ? home_.get() : places_.at(station).get();
  }

  [[nodiscard]] Probe probe_of(const Trial& trial) const {
    Probe probe{place(trial.sender, trial.from_outside),
                place(trial.receiver, trial.to_outside),
                trial.source,
                trial.destination,
                trial.protocol,
                trial.port,
                trial.at,
                trial.listen_port};
    // The host chooses by itself what it sends from; from outside it is spoken to by an address that there is a way to.
    if (!trial.from_outside && trial.sender == reach::gateway) probe.source = IpAddress::any(trial.destination.family());
    if (trial.from_outside && trial.any_address) probe.destination = outside_->host_address(trial.destination.family()).value_or(trial.destination);
    return probe;
  }

  [[nodiscard]] Result<Counters> count() const {
    const std::string& topology = names_.model().intent().topology;
    Counters counters;
    const auto host = firewall::count_packets({"", home_.get(), home_.get()}, topology);
    if (!host) return host.error();
    if (!host->empty()) counters[""] = *host;
    if (!gateway_) return counters;
    const auto gateway = firewall::count_packets({firewalls_.gateway->ns, gateway_.get(), home_.get()}, topology);
    if (!gateway) return gateway.error();
    if (!gateway->empty()) counters[firewalls_.gateway->ns] = *gateway;
    return counters;
  }

  Result<void> try_all(const std::vector<Trial>& trials, std::vector<Outcome>& outcomes) {
    std::vector<Probe> probes;
    for (const Trial& trial : trials) probes.push_back(probe_of(trial));
    const auto before = count();
    if (!before) return before.error();
    auto watch = Watch::begin(gateway_.get(), home_.get());
    if (!watch) return std::move(watch).error();
    // Its buffers are small where nobody may make them larger, as on a private host without root.
    const auto attend = [&] {
      watch->read();
      return settings_.stop && settings_.stop();
    };
    const auto answers = exchange(probes, home_.get(), patience, attend);
    if (!answers) return answers.error();
    watch->read();
    const auto after = count();
    if (!after) return after.error();
    is_ours_ = !before->empty();
    // How many packets each rule must have counted: of those that it shall decide about, all that came to it.
    std::map<Statement, std::uint64_t> wanted;
    for (std::size_t i = 0; i < trials.size(); ++i) {
      const auto& rule = trials[i].rule;
      if (rule && !answered((*answers)[i]) && reached(trials[i], probes[i], (*answers)[i], *watch)) ++wanted[statement_of(*rule)];
    }
    for (std::size_t i = 0; i < trials.size(); ++i) {
      Outcome outcome{trials[i], false, {}};
      if (answered((*answers)[i])) note_alive(trials[i]);
      if (trials[i].verdict == Verdict::allowed) {
        judge_allowed(probes[i], (*answers)[i], outcome);
      } else {
        const std::uint64_t count = trials[i].rule ? wanted[statement_of(*trials[i].rule)] : 0;
        judge_denied(probes[i], (*answers)[i], *before, *after, count, *watch, outcome);
      }
      outcomes.push_back(std::move(outcome));
    }
    return {};
  }

  /// Whether it came as far as to the gateway's filter.
  static bool reached(const Trial& trial, const Probe& probe, const Answer& answer, const Watch& watch) {
    const bool is_hosts = trial.sender == reach::gateway && !trial.from_outside;
    return is_hosts ? answer.kind != Answer::Kind::unsent || answer.number == EPERM : watch.came(probe);
  }

  void note_alive(const Trial& trial) {
    const Family family = trial.destination.family();
    if (!trial.from_outside) alive_.insert({trial.sender, family});
    if (!trial.to_outside) alive_.insert({trial.receiver, family});
  }

  void judge_allowed(const Probe& probe, const Answer& answer, Outcome& outcome) const {
    outcome.passed = answered(answer);
    if (outcome.passed) {
      outcome.what = answer.by_other ? "answered by a program that is there" : "answered";
    } else {
      outcome.what = what_is_wrong(outcome.trial, probe, answer);
    }
  }

  void judge_denied(const Probe& probe, const Answer& answer, const Counters& before, const Counters& after, std::uint64_t wanted, const Watch& watch,
                    Outcome& outcome) const {
    const Trial& trial = outcome.trial;
    if (is_ours_ && trial.rule) {
      const auto counted = counted_by(*trial.rule, before, after);
      const std::string rule = "rule " + std::to_string(trial.rule->index + 1) + " of " + trial.rule->chain.name;
      if (answered(answer)) {
        outcome.what = "it is open: " + rule + (counted ? " was not asked, something in front of it lets it pass" : " is not in the kernel");
      } else if (!counted) {
        outcome.what = "not proved: " + rule + " is not in the kernel";
      } else if (!reached(trial, probe, answer, watch)) {
        outcome.what = "not proved: it did not come to the gateway; " + what_is_wrong(trial, probe, answer);
      } else if (*counted < wanted) {
        outcome.what = "not proved: " + rule + " has counted " + std::to_string(*counted) + " of " + std::to_string(wanted) +
                       " packets: something else stops them";
      } else {
        outcome.passed = true;
        outcome.what = rule + " counted it";
      }
      return;
    }
    if (answered(answer)) {
      outcome.what = "it is open";
    } else if (trial.sender == reach::gateway && !trial.from_outside) {
      outcome.passed = answer.kind == Answer::Kind::unsent && answer.number == EPERM;
      outcome.what = outcome.passed ? "the host's filter refused to send it" : "not proved: nothing tells that the host's filter stopped it";
    } else if (!watch.came(probe)) {
      outcome.what = "not proved: it did not come to the gateway; " + what_is_wrong(trial, probe, answer);
    } else if (trial.receiver != reach::gateway && watch.went(probe)) {
      outcome.what = "not proved: it passed the gateway; " + what_is_wrong(trial, probe, answer);
    } else {
      outcome.passed = true;
      outcome.what = "it came to the gateway and went no further";
    }
  }

  static bool is_of_same_statement(const policy::CompiledRule& live, const reach::DecidingRule& rule) {
    const auto* const own = std::get_if<netfilter::Rule>(&live);
    const auto* const decides = std::get_if<netfilter::Rule>(&rule.rule);
    if (own == nullptr || decides == nullptr || own->target != decides->target) return false;
    return rule.comment.empty() ? is_by_port(live) && is_by_port(rule.rule) : own->comment == rule.comment;
  }

  /// nullopt: the rule is not there.
  static std::optional<std::uint64_t> counted_by(const reach::DecidingRule& rule, const Counters& before, const Counters& after) {
    const auto were = before.find(rule.ns), are = after.find(rule.ns);
    if (were == before.end() || are == after.end()) return std::nullopt;
    const auto was = were->second.find(rule.chain), is = are->second.find(rule.chain);
    if (was == were->second.end() || is == are->second.end() || was->second.size() != is->second.size()) return std::nullopt;
    std::uint64_t count = 0;
    bool is_there = false;
    for (std::size_t i = 0; i < is->second.size(); ++i) {
      const policy::CompiledRule& live = is->second[i].first;
      is_there = is_there || live == rule.rule;
      if (live == rule.rule || is_of_same_statement(live, rule)) count += is->second[i].second - was->second[i].second;
    }
    return is_there ? std::optional(count) : std::nullopt;
  }

  // --- what is wrong, as far as the namespaces can tell ---

  [[nodiscard]] std::string what_is_wrong(const Trial& trial, const Probe& probe, const Answer& answer) const {
    if (answer.kind == Answer::Kind::wrong) return "somebody else answered";
    if (answer.number == EADDRNOTAVAIL) return trial.from + " does not have the address " + trial.source.to_string();
    for (const bool back : {false, true}) {
      if (back ? trial.to_outside : trial.from_outside) continue;
      if (const std::string down = what_is_down(back ? trial.receiver : trial.sender, back ? probe.to_fd : probe.from_fd); !down.empty()) return down;
    }
    if (const int problem = trial.from_outside ? 0 : route_problem(probe.from_fd, home_.get(), probe.source, probe.destination); problem != 0)
      return no_route(trial.from, probe.destination, problem);
    if (!trial.to_outside && !trial.mapped && !probe.source.is_unspecified()) {
      if (const int problem = route_problem(probe.to_fd, home_.get(), probe.at, probe.source); problem != 0)
        return problem == EADDRNOTAVAIL ? trial.to + " does not have the address " + probe.at.to_string()
                                        : "no answer: " + no_route(trial.to, probe.source, problem);
    }
    if (answer.number != 0) return std::string(std::strerror(answer.number));
    return "no answer came";
  }

  static std::string no_route(const std::string& who, const IpAddress& to, int problem) {
    if (problem == ENETUNREACH) return who + " has no route to " + to.to_string();
    return who + " cannot send to " + to.to_string() + ": " + std::strerror(problem);
  }

  [[nodiscard]] std::string what_is_down(std::size_t station, int netns_fd) const {
    if (station == reach::gateway) return {};
    kernel::Channel channel(netns_fd, home_.get());
    kernel::Snapshot snapshot;
    if (auto read = kernel::dump_links(channel, snapshot); !read) return {};
    for (const std::size_t i : network().stations()[station].interfaces) {
      const std::string& own = network().interfaces()[i].name;
      const auto* link = snapshot.link(own);
      if (link == nullptr) return name(station) + " has no interface " + own;
      if (!link->is_up()) return name(station) + ":" + own + " is down";
      if (own != "lo" && !link->is_running()) return name(station) + ":" + own + " has no carrier: its other end is down";
    }
    return {};
  }

  // --- life ---

  /// What is denied proves nothing of an end that nothing at all comes from or to.
  Result<void> show_life(std::vector<Outcome>& outcomes) {
    std::set<std::pair<std::size_t, Family>> doubted;
    const auto of = [&](const Outcome& outcome, auto act) {
      const Family family = outcome.trial.destination.family();
      if (outcome.trial.verdict == Verdict::allowed || !outcome.passed) return;
      if (!outcome.trial.from_outside && outcome.trial.sender != reach::gateway) act(outcome.trial.sender, family);
      if (!outcome.trial.to_outside && outcome.trial.receiver != reach::gateway) act(outcome.trial.receiver, family);
    };
    for (const Outcome& outcome : outcomes) {
      of(outcome, [&](std::size_t station, Family family) {
        if (!alive_.contains({station, family})) doubted.insert({station, family});
      });
    }
    std::vector<Trial> signs;
    std::set<std::pair<std::size_t, Family>> without;
    for (const auto& [station, family] : doubted) {
      if (auto sign = reach::sign_of_life(names_, station, family)) {
        signs.push_back(*std::move(sign));
      } else {
        without.insert({station, family});
      }
    }
    std::vector<Outcome> shown;
    for (std::size_t first = 0; first < signs.size(); first += at_once) {
      const std::vector<Trial> some(signs.begin() + static_cast<std::ptrdiff_t>(first),
                                    signs.begin() + static_cast<std::ptrdiff_t>(std::min(first + at_once, signs.size())));
      if (auto tried = try_all(some, shown); !tried) return tried;
    }
    for (Outcome& outcome : outcomes) {
      of(outcome, [&](std::size_t station, Family family) {
        if (!outcome.passed || alive_.contains({station, family}) || without.contains({station, family})) return;
        outcome.passed = false;
        outcome.what = "not proved: nothing passes from or to " + name(station) + ", not even what is allowed";
        const std::string down = what_is_down(station, places_.at(station).get());
        if (!down.empty()) outcome.what += "; " + down;
      });
    }
    return {};
  }

  const reach::Names& names_;
  const reach::Firewalls& firewalls_;
  const Settings& settings_;
  kernel::FileDescriptor home_;
  kernel::FileDescriptor gateway_;  ///< `gateway: own`
  std::map<std::size_t, kernel::FileDescriptor> places_;
  std::unique_ptr<kernel::StandIn> outside_;
  std::set<std::pair<std::size_t, Family>> alive_;  ///< stations that exchanged a packet
  bool is_ours_ = false;                            ///< the topology's rules are in this kernel
};

}  // namespace

Result<std::vector<Outcome>> prove(const reach::Names& names, const reach::Firewalls& firewalls, const Settings& settings) {
  return Proving(names, firewalls, settings).run();
}

}  // namespace topo::probe
