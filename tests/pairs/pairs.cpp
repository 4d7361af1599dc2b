// Random pairs of topology files, one applied after the other, on a kernel and on the simulation of one: what topo makes of the second is what it
// makes of that alone, and the simulation says what the kernel says. Runs on a private host (tests/host/sandbox) and nowhere else.
//
// TOPO_SEED=N begins with pair N, TOPO_PAIRS=N tries so many; TOPO_FIREWALL=nftables by that backend. A failure tells the seed of its pair.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "apply/linux_kernel.hpp"
#include "apply/transaction.hpp"
#include "graph/gateway.hpp"
#include "policy/compile.hpp"
#include "simulation/choices.hpp"
#include "simulation/random_graph.hpp"
#include "simulation/random_pair.hpp"
#include "simulation/simulated_kernel.hpp"

using namespace topo;
using namespace topo::test;

namespace {

const std::string topology = "lab";

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

FirewallChoice backend() {
  const char* const word = std::getenv("TOPO_FIREWALL");
  return word != nullptr && std::string(word) == "nftables" ? FirewallChoice::nftables : FirewallChoice::iptables;
}

/// With the firewalls of that backend. Files are compiled for iptables at first.
Graph by_backend(Graph graph) {
  if (backend() == FirewallChoice::iptables) return graph;
  const Graph compiled = graph;
  for (const Firewall* firewall : compiled.all<Firewall>())
    graph.put(policy::compile(firewall->meant, firewall->ns, Backend::nftables), compiled.find(id_of(*firewall))->origin);
  return graph;
}

/// The whole state of the private host in its canonical form.
std::string dump() {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((std::string(TOPO_SOURCE_DIR) + "/tests/host/dump.py").c_str(), "r"), ::pclose);
  REQUIRE(pipe);
  std::string text;
  std::array<char, 65536> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) text.append(buffer.data(), size);
  REQUIRE(text.find("== files") != std::string::npos);
  return text;
}

std::multiset<std::string> split(const std::string& text, const std::string& separator) {
  std::multiset<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.insert(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  return parts;
}

/// What only one of the two dumps has: whole lines, and of lines that have a twin what is not in that.
std::string differences_of(const std::string& is, const std::string& shall) {
  const auto a = split(is, "\n"), b = split(shall, "\n");
  std::vector<std::string> only_a, only_b;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only_a));
  std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(only_b));
  std::string text;
  for (std::size_t i = 0; i < std::max(only_a.size(), only_b.size()); ++i) {
    const std::string mine = i < only_a.size() ? only_a[i] : "", theirs = i < only_b.size() ? only_b[i] : "";
    const auto parts = split(mine, ", "), other = split(theirs, ", ");
    for (const auto& part : parts) text += other.contains(part) ? "" : "  is " + part + "\n";
    for (const auto& part : other) text += parts.contains(part) ? "" : "  shall be " + part + "\n";
  }
  return text;
}

std::string differences_of(const Graph& kernel, const Graph& simulation) {
  std::string text;
  for (const auto& [id, node] : kernel.nodes()) {
    const Node* const twin = simulation.find(id);
    if (twin == nullptr) text += "only the kernel has " + id + " (" + summary_of(node.resource) + ")\n";
    if (twin == nullptr || twin->resource == node.resource) continue;
    text += id + " differs:";
    for (const auto& difference : differences_of(node.resource, twin->resource))
      text += " " + difference.attribute + ": kernel '" + difference.before + "', simulation '" + difference.after + "'";
    text += "\n";
  }
  for (const auto& [id, node] : simulation.nodes()) {
    if (kernel.find(id) == nullptr) text += "only the simulation has " + id + " (" + summary_of(node.resource) + ")\n";
  }
  return text;
}

/// Kernels of both kinds, brought to the same.
class Both {
 public:
  void apply(const Graph& desired) {
    apply_one(linux_kernels(std::chrono::seconds(0), {}, backend()), desired, "the kernel");
    apply_one(simulation_.kernels(), desired, "the simulation");
    const std::string different = differences_of(observed(desired), simulation_.machine.observe(desired));
    INFO(different);
    REQUIRE(different.empty());
  }

  /// Performs one change on both, whatever is there, and compares what they say and what is there then.
  void try_out(const Change& change, const Graph& desired) {
    simulation_.machine.be_lenient();
    const Resource& resource = change.after ? *change.after : *change.before;
    const bool is_link = std::holds_alternative<Veth>(resource) || std::holds_alternative<Bridge>(resource);
    const bool is_there = simulation_.machine.things().contains(id_of(resource));
    // Of no meaning: to change what is not there, but for links; to remove a cable that is not, by an interface that another may have.
    if (!is_there && change.before && (change.after ? !is_link : is_link)) return;
    const Plan plan{topology, {change}};
    const std::string simulated = verdict(SimulatedKernel(simulation_).perform(plan, {}));
    const auto performed = perform(plan, desired);
    INFO("kernel: " << (performed ? "ok" : performed.error().to_string()));
    REQUIRE(verdict(performed) == simulated);
    std::string different;
    // The kernel lets go of a cable some time after its namespace.
    for (int attempt = 0; attempt < 2000; ++attempt) {
      different = differences_of(observed(desired), simulation_.machine.observe(desired));
      if (different.empty()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    INFO(different);
    REQUIRE(different.empty());
  }

 private:
  static Result<void> perform(const Plan& plan, const Graph& desired) {
    LinuxKernel kernel;
    const auto live = kernel.observe(desired);
    return live ? kernel.perform(plan, {}) : live.error();
  }

  static Graph observed(const Graph& desired) {
    auto live = LinuxKernel().observe(desired);
    if (!live) FAIL(live.error().to_string());
    return std::move(*live);
  }

  static void apply_one(const Kernels& kernels, const Graph& desired, const std::string& who) {
    const auto applied = apply_graph(kernels, desired);
    if (!applied) FAIL(who << ": " << applied.error().to_string());
    const auto again = plan_graph(kernels, desired);
    if (!again) FAIL(who << ": " << again.error().to_string());
    if (!again->plan.empty()) FAIL(who << " is not as desired: " << id_of(*again->plan.changes.front().after));
  }

  /// "ok", or the kind of refusal: errnos that say the same in other words, or of what does not fit, are one.
  static std::string verdict(const Result<void>& performed) {
    if (performed) return "ok";
    const Error& error = performed.error();
    if (error.what.starts_with("there is no ")) return "missing";
    const std::string words = error.kernel.substr(0, error.kernel.find(':'));
    for (const int number : {ENODEV, ENOENT, ESRCH}) {
      if (words == std::strerror(number)) return "missing";
    }
    for (const int number : {ENETUNREACH, EHOSTUNREACH, EINVAL, EACCES}) {
      if (words == std::strerror(number)) return "unfit";
    }
    return words;
  }

  Simulation simulation_;
};

/// Whether a cable is changed whose bridge one of `earlier` has removed: that asks for no bridge, and so finds none missing.
bool is_of_removed_bridge(const Change& change, const std::vector<Change>& earlier) {
  const auto* cable = change.before && change.after ? std::get_if<Veth>(&*change.after) : nullptr;
  if (cable == nullptr) return false;
  return std::any_of(earlier.begin(), earlier.end(), [&](const Change& it) {
    const auto* bridge = it.after ? nullptr : std::get_if<Bridge>(&*it.before);
    return bridge != nullptr && std::any_of(cable->ends.begin(), cable->ends.end(), [&](const VethEnd& end) { return end.bridge == bridge->name; });
  });
}

/// Single changes as no plan has them: of things that are there, that are not, or that lack what they need.
std::vector<Change> odd_changes(std::uint64_t seed, const Graph& live, const Graph& other) {
  std::vector<const Resource*> candidates;
  for (const Graph* graph : {&live, &other}) {
    for (const auto& [id, node] : graph->nodes()) candidates.push_back(&node.resource);
  }
  std::vector<Change> changes;
  Choices choices(seed);
  for (int i = 0; i < 6 && !candidates.empty(); ++i) {
    const Resource& resource = *candidates[choices.below(256) * candidates.size() / 256];
    const Node* const there = live.find(id_of(resource));
    Change change;
    if (there != nullptr && !(there->resource == resource)) {
      change.action = Change::Action::modify;
      change.before = there->resource;
      change.after = resource;
    } else if (choices.chance(1, 2)) {
      change.action = Change::Action::add;
      change.after = resource;
    } else {
      change.action = Change::Action::remove;
      change.before = resource;
    }
    const auto differences = change.before && change.after ? topo::differences_of(*change.before, *change.after) : Differences{};
    if (std::any_of(differences.begin(), differences.end(), [](const Difference& it) { return it.recreate; })) continue;
    if (is_of_removed_bridge(change, changes)) continue;
    changes.push_back(std::move(change));
  }
  return changes;
}

std::string words_for(const Change& change) {
  const char* const verb = !change.after ? "remove " : change.before ? "modify " : "add ";
  return verb + id_of(change.after ? *change.after : *change.before) + "\n";
}

}  // namespace

TEST_CASE("the second of two files is made as if it were the first, and the simulation agrees") {
  std::random_device random;
  const std::uint64_t first = number_from("TOPO_SEED", random() % 1'000'000), count = number_from("TOPO_PAIRS", 20);
  std::cout << "pairs from TOPO_SEED=" << first << " on: " << count << std::endl;
  const std::string nothing = dump();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    auto [a, b] = random_pair(seed);
    a.graph = by_backend(std::move(a.graph));
    b.graph = by_backend(std::move(b.graph));
    INFO("again: TOPO_SEED=" << seed << " TOPO_PAIRS=1\n" << a.text << "--- then\n" << b.text);
    Both both;
    both.apply(a.graph);
    both.apply(b.graph);
    const std::string changed = dump();
    both.apply(Graph(topology));
    {
      const std::string different = differences_of(dump(), nothing);
      INFO(different);
      REQUIRE(different.empty());
    }
    both.apply(b.graph);
    const std::string different = differences_of(changed, dump());
    INFO("not as made fresh:\n" << different);
    REQUIRE(different.empty());
    std::string tried;
    // Of half a gateway namespace the simulation knows too little: there whole applies have to do.
    const bool has_gateway = own_gateway_in(a.graph) || own_gateway_in(b.graph);
    for (const Change& change : has_gateway ? std::vector<Change>{} : odd_changes(seed, b.graph, a.graph)) {
      tried += words_for(change);
      INFO(tried);
      both.try_out(change, b.graph);
    }
    INFO(tried);
    both.apply(b.graph);
    both.apply(Graph(topology));
  }
}
