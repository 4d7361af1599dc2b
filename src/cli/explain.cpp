#include <algorithm>
#include <charconv>

#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "graph/gateway.hpp"
#include "policy/compile.hpp"
#include "reach/explanation.hpp"
#include "reach/picture.hpp"
#include "reach/words.hpp"
#include "report/explanation.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

constexpr const char* format = "topo.explain/1";

/// Who is asked about, as written.
struct Question {
  std::string from, to;
  std::optional<PortRange> service;
};

Error misread(const std::string& text) {
  return Error{
      Exit::invalid, "'" + printable(text) + "' is no port", {}, {}, "B:PORT, B:PORT/udp or B:icmp; an IPv6 address in brackets: [fd00::1]:80", {}};
}

/// "B", "B:80", "B:53/udp", "B:icmp", "[fd00::1]:80".
Result<Question> read_question(const std::string& from, const std::string& to) {
  Question question{from, to, std::nullopt};
  if (IpAddress::parse(to)) return question;
  const std::size_t colon = to.rfind(':');
  const bool in_brackets = !to.empty() && to.front() == '[' && to.find(']') != std::string::npos;
  if (in_brackets) question.to = to.substr(1, to.find(']') - 1);
  if (colon == std::string::npos || (in_brackets && colon < to.find(']'))) return question;
  if (!in_brackets) question.to = to.substr(0, colon);
  const std::string text = to.substr(colon + 1);
  PortRange range{Protocol::tcp, 0, 0};
  if (text == "icmp") {
    question.service = PortRange{Protocol::icmp, 0, 65535};
    return question;
  }
  const std::size_t slash = text.find('/');
  const std::string protocol = slash == std::string::npos ? "tcp" : text.substr(slash + 1);
  const auto [end, problem] = std::from_chars(text.data(), text.data() + std::min(slash, text.size()), range.first);
  const bool whole = end == text.data() + std::min(slash, text.size());
  if (problem != std::errc() || !whole || range.first == 0 || (protocol != "tcp" && protocol != "udp")) return misread(text);
  range.last = range.first;
  range.protocol = protocol == "udp" ? Protocol::udp : Protocol::tcp;
  question.service = range;
  return question;
}

/// A file's, which could be either backend's, by `backend`.
reach::Firewalls compiled_by(Backend backend, const Graph& graph) {
  reach::Firewalls firewalls = reach::firewalls_in(graph);
  const auto compile = [&](Firewall& firewall) {
    if (firewall.meant != nullptr) firewall = policy::compile(firewall.meant, firewall.ns, backend);
  };
  compile(firewalls.host);
  if (firewalls.gateway) compile(*firewalls.gateway);
  return firewalls;
}

Result<reach::Subject> subject(const reach::Names& names, const std::string& text) {
  if (auto found = reach::subject_of(names, text)) return *std::move(found);
  const auto near = nearest(text, names.all());
  return Error{
      Exit::invalid, "'" + printable(text) + "' is no name of the topology and no address", {}, {}, near ? "did you mean '" + *near + "'?" : "", {}};
}

Result<std::vector<reach::Explanation>> ask(const reach::Names& names, const reach::Firewalls& firewalls, const Question& question, bool live) {
  const auto from = subject(names, question.from), to = subject(names, question.to);
  if (!from) return from.error();
  if (!to) return to.error();
  auto found = reach::explain(names, firewalls, *from, *to, question.service, live);
  if (!found.empty()) return found;
  return Error{Exit::invalid,
               "nothing is sent from " + printable(question.from) + " to " + printable(question.to) + " by the network",
               {},
               {},
               "nobody sends to himself, the host and the outside are no business of a topology between themselves, and both ends need addresses of "
               "one family",
               {}};
}

/// What the file says of the very pair that a live one is about.
void compare(const reach::Names& names, const reach::Firewalls& desired, const Question& question, reach::Explanation& live, std::string& differs) {
  Question same{live.from, live.to == "host" ? question.to : live.to, question.service};
  const auto found = ask(names, desired, same, false);
  if (!found) return;
  for (const auto& file : *found) {
    if (file.destination != live.destination || file.verdict == live.verdict) continue;
    differs = std::string("the file says ") + reach::to_text(file.verdict) + ": " + file.why;
  }
}

/// The topology that is asked about: a file's, or what was last applied here.
Result<Recorded> topology_of(const Arguments& arguments) {
  if (arguments.operands.size() == 3) {
    Input input = load_input(arguments.operands.front(), load_options(arguments), Purpose::use);
    show_mistakes(input);
    if (!input.diagnostics.empty()) return Error{Exit::invalid, "nothing is explained of a file with mistakes", {}, {}, {}, {}};
    return Recorded{{}, std::move(input.topology), std::move(input.desired)};
  }
  const auto names = recorded();
  if (names.size() > 1) return several_here(names, "give the file of one: topo explain FILE A B");
  auto found = names.empty() ? std::nullopt : recall_topology(names.front());
  if (!found) return Error{Exit::invalid, "nothing is known to be applied here", {}, {}, "give the file: topo explain FILE A B", {}};
  return *std::move(found);
}

}  // namespace

Exit explain(const Arguments& arguments) {
  const auto& operands = arguments.operands;
  auto known = topology_of(arguments);
  if (!known) return complain(known.error(), arguments, format);
  const auto question = read_question(operands[operands.size() - 2], operands.back());
  if (!question) return complain(question.error(), arguments, format);
  const auto choice = arguments.firewall.value_or(recorded_choice(known->topology.name.value));
  const Backend backend = choice == FirewallChoice::nftables ? Backend::nftables : Backend::iptables;
  const reach::Firewalls desired = compiled_by(backend, known->desired.graph);
  const reach::Picture file(known->topology, known->desired.graph, known->desired.intent);
  std::vector<report::Explained> told;
  if (arguments.live) {
    if (auto allowed = need_privilege("read the network"); !allowed) return complain(allowed.error(), arguments, format);
    drop_privileges();
    const auto kernel = live_kernels(lock_timeout(arguments))();
    if (!kernel) return complain(kernel.error(), arguments, format);
    const auto live = (*kernel)->observe(known->desired.graph);
    if (!live) return complain(live.error(), arguments, format);
    const reach::Picture picture(known->topology, *live, known->desired.intent);
    auto found = ask(picture.names(), compiled_by(backend, *live), *question, true);
    if (!found) return complain(found.error(), arguments, format);
    for (auto& one : *found) {
      std::string differs;
      compare(file.names(), desired, *question, one, differs);
      told.push_back({std::move(one), std::move(differs)});
    }
  } else {
    auto found = ask(file.names(), desired, *question, false);
    if (!found) return complain(found.error(), arguments, format);
    for (auto& one : *found) told.push_back({std::move(one), {}});
  }
  const bool all = std::all_of(told.begin(), told.end(), [](const auto& one) { return one.explanation.verdict == reach::Verdict::allowed; });
  const Exit exit = all ? Exit::ok : Exit::difference;
  if (arguments.format == Format::json) {
    auto flows = nlohmann::ordered_json::parse(report::explained_json(told, known->topology.sources));
    say_json(nlohmann::ordered_json{{"format", format},
                                    {"topology", known->topology.name.value},
                                    {"live", arguments.live},
                                    {"exit", static_cast<int>(exit)},
                                    {"flows", std::move(flows)}});
  } else {
    say(report::explained_text(told, known->topology.sources));
  }
  return exit;
}

}  // namespace topo::cli
