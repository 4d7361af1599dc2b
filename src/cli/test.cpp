#include <algorithm>
#include <chrono>

#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "cli/progress.hpp"
#include "graph/gateway.hpp"
#include "probe/proof.hpp"
#include "reach/picture.hpp"
#include "report/proof.hpp"
#include "report/rows.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

constexpr const char* format = "topo.test/1";

using Clock = std::chrono::steady_clock;

/// What is tested, and what came of it as a part of a document.
struct Tested {
  Exit exit = Exit::ok;
  nlohmann::ordered_json document;
  std::string junit;
};

/// By the backend that the topology has here, or would get.
Result<reach::Firewalls> wanted_firewalls(const Graph& desired, const Arguments& arguments) {
  const auto kernel = live_kernels(lock_timeout(arguments), recorded_choice(desired.topology()))();
  if (!kernel) return kernel.error();
  if (const auto observed = (*kernel)->observe(desired); !observed) return observed.error();
  const auto settled = (*kernel)->settle(desired);
  if (!settled) return settled.error();
  return reach::firewalls_in(*settled ? **settled : desired);
}

Tested test_one(const Topology& topology, const Desired& desired, const Arguments& arguments) {
  const auto begin = Clock::now();
  const std::string& name = topology.name.value;
  const reach::Picture picture(topology, desired.graph, desired.intent);
  const auto fail = [&](const Error& error) { return Tested{complain(error), {{"topology", name}, {"error", to_json(error)}}, {}}; };
  const auto firewalls = wanted_firewalls(desired.graph, arguments);
  if (!firewalls) return fail(firewalls.error());
  probe::Settings settings;
  settings.every_pair = arguments.all;
  settings.stop = [] { return interrupts() > 0; };
  settings.progress = [](std::size_t done, std::size_t all) { show_progress("testing", done, all); };
  auto outcomes = probe::prove(picture.names(), *firewalls, settings);
  clear_progress();
  if (!outcomes) return fail(outcomes.error());
  std::vector<report::Proven> proven;
  for (auto& outcome : *outcomes) proven.push_back({std::move(outcome.trial), outcome.passed, std::move(outcome.what)});
  const auto passed = static_cast<std::size_t>(std::count_if(proven.begin(), proven.end(), [](const auto& one) { return one.passed; }));
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
  Tested tested;
  tested.exit = passed == proven.size() ? Exit::ok : Exit::difference;
  if (arguments.format == Format::text) {
    if (const std::string text = report::proof_text(picture.names(), proven, topology.sources); !text.empty()) say(text + "\n");
    say(name + ": " + (passed == proven.size() ? "" : std::to_string(proven.size() - passed) + " of ") + report::counted(proven.size(), "flow") +
        (passed == proven.size() ? " as declared in " : " not as declared in ") + std::to_string(milliseconds) + " ms");
  } else if (arguments.format == Format::junit) {
    tested.junit = report::proof_junit(name, proven, static_cast<double>(milliseconds) / 1000);
  } else {
    tested.document = {{"topology", name},
                       {"passed", passed},
                       {"failed", proven.size() - passed},
                       {"duration_ms", milliseconds},
                       {"flows", nlohmann::ordered_json::parse(report::proof_json(proven, topology.sources))}};
  }
  return tested;
}

/// What there is to test: the files, or all that was applied here and is recorded.
std::optional<std::vector<Recorded>> wanted(const Arguments& arguments, Exit& exit) {
  std::vector<Recorded> found;
  auto inputs = load_inputs(arguments, format);
  exit = Exit::invalid;
  if (!inputs) return std::nullopt;
  for (Input& input : *inputs) found.push_back({{}, std::move(input.topology), std::move(input.desired)});
  if (!found.empty()) return found;
  for (const auto& name : recorded()) {
    auto one = recall_topology(name);
    if (!one) return std::nullopt;
    found.push_back(*std::move(one));
  }
  if (!found.empty()) return found;
  exit = complain(Error{Exit::invalid, "nothing is known to be applied here", {}, {}, "give a file: topo test FILE", {}}, arguments, format);
  return std::nullopt;
}

}  // namespace

Exit test(const Arguments& arguments) {
  Exit exit = Exit::ok;
  const auto topologies = wanted(arguments, exit);
  if (!topologies) return exit;
  if (auto allowed = need_privilege("send packets in namespaces"); !allowed) return complain(allowed.error(), arguments, format);
  drop_privileges(true);
  count_interrupts();
  exit = Exit::ok;
  auto documents = nlohmann::ordered_json::array();
  std::string junit;
  for (const Recorded& one : *topologies) {
    if (interrupts() > 0) {
      exit = worse(exit, Exit::interrupted);
      break;
    }
    Tested tested = test_one(one.topology, one.desired, arguments);
    exit = worse(exit, tested.exit);
    documents.push_back(std::move(tested.document));
    junit += (junit.empty() ? "" : "\n") + tested.junit;
  }
  if (arguments.format == Format::json)
    say_json(nlohmann::ordered_json{{"format", format}, {"exit", static_cast<int>(exit)}, {"topologies", std::move(documents)}});
  if (arguments.format == Format::junit) say("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n" + junit + "\n</testsuites>");
  return exit;
}

}  // namespace topo::cli
