// How the part of topo that knows no kernel grows: load, desire, diff, policy, reachability and report of the workload of workload.py.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include "desire/desire.hpp"
#include "diff/plan.hpp"
#include "policy/compile.hpp"
#include "reach/model.hpp"
#include "report/json.hpp"
#include "report/plan_text.hpp"
#include "topo/load.hpp"

namespace {

std::string member(std::int64_t number) { return "n" + std::to_string(number); }

/// Namespaces on bridges of `per_bridge` each, as workload.py has them: with an address, a default route and a port map.
std::string networks(std::int64_t count, std::int64_t per_bridge) {
  std::string bridges, namespaces, ports;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t b = i / per_bridge;
    const std::string bridge = "br" + std::to_string(b), subnet = "10." + std::to_string(b / 250 + 1) + "." + std::to_string(b % 250) + ".";
    if (i % per_bridge == 0) bridges += "  " + bridge + ": { subnet: " + subnet + "0/24, nat: masquerade }\n";
    namespaces += "  " + member(i) + ": { attach: { " + bridge + ": " + subnet + std::to_string(i % per_bridge + 2) + " } }\n";
    ports += "  " + std::to_string(10000 + i) + ": " + member(i) + ":80\n";
  }
  return "topology: bench\nbridges:\n" + bridges + "namespaces:\n" + namespaces + "ports:\n" + ports;
}

/// W(N).
std::string namespaces(std::int64_t count) { return networks(count, 250); }

/// N flows between the members of ten bridges of ten.
std::string flows(std::int64_t count) {
  constexpr std::int64_t members = 100;
  std::string text = networks(members, 10) + "policy:\n  allow:\n";
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t from = i % members, to = (from + 1 + i / members % (members - 1)) % members;
    text += "    - " + member(from) + " -> " + member(to) + ":" + std::to_string(1000 + i / members) + "\n";
  }
  return text;
}

/// N namespaces on bridges of two, and as many flows between neighbours.
std::string pairs(std::int64_t count) {
  std::string text = networks(count, 2) + "policy:\n  default: allow\n  deny:\n";
  for (std::int64_t i = 0; i < count; ++i) text += "    - " + member(i) + " -> " + member((i + 1) % count) + "\n";
  return text;
}

topo::Loaded loaded(const std::string& text) {
  topo::LoadOptions options;
  options.max_bytes = std::size_t{1} << 30U;
  auto file = topo::load_text(text, "bench.yaml", options);
  for (const auto& diagnostic : file.diagnostics) std::cerr << topo::render(diagnostic, file.topology.sources) << "\n";
  if (!file.diagnostics.empty()) std::exit(1);
  return file;
}

/// What the cases begin with; made once for each size, since google-benchmark runs a case many times.
struct Made {
  std::string text;
  topo::Topology topology;
  topo::Desired desired;
  topo::Plan plan;  ///< all to do
};

using Write = std::string (*)(std::int64_t);

const Made& made(Write write, std::int64_t size) {
  static std::map<std::pair<Write, std::int64_t>, Made> all;
  Made& made = all[{write, size}];
  if (made.text.empty()) {
    made.text = write(size);
    made.topology = loaded(made.text).topology;
    made.desired = topo::desire(made.topology);
    for (const auto& diagnostic : made.desired.diagnostics) std::cerr << topo::render(diagnostic, made.topology.sources) << "\n";
    if (!made.desired.diagnostics.empty()) std::exit(1);
    made.plan = topo::diff(topo::Graph("bench"), made.desired.graph);
  }
  return made;
}

const topo::Graph empty("bench");

auto load(const Made& m) { return loaded(m.text); }
auto desire(const Made& m) { return topo::desire(m.topology); }
auto diff_nothing(const Made& m) { return topo::diff(m.desired.graph, m.desired.graph, &m.desired.graph); }
auto diff_all(const Made& m) { return topo::diff(empty, m.desired.graph); }
auto diff_remove(const Made& m) { return topo::diff(m.desired.graph, empty); }
auto compile(const Made& m) { return topo::policy::compile(m.desired.intent, ""); }
auto reach(const Made& m) { return topo::reach::Model(m.desired.graph, m.desired.intent); }
auto report_text(const Made& m) { return topo::report::plan_text(m.plan, m.topology.sources); }
auto report_json(const Made& m) { return topo::report::plan_json(m.plan, m.topology.sources); }

/// One step of what is written, at rising sizes.
template <class Step>
void run(benchmark::State& state, Step step, Write write) {
  const Made& m = made(write, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(step(m));
  state.SetComplexityN(state.range(0));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->RangeMultiplier(10)->Range(10, 10000)->Unit(benchmark::kMillisecond)->Complexity();
}

#define TOPO_BENCHMARK(step, write) BENCHMARK_CAPTURE(run, write, step, write)->Name(#write "/" #step)->Apply(sizes)
#define TOPO_BENCHMARKS(write)         \
  TOPO_BENCHMARK(load, write);         \
  TOPO_BENCHMARK(desire, write);       \
  TOPO_BENCHMARK(diff_nothing, write); \
  TOPO_BENCHMARK(diff_all, write);     \
  TOPO_BENCHMARK(diff_remove, write);  \
  TOPO_BENCHMARK(compile, write);      \
  TOPO_BENCHMARK(reach, write);        \
  TOPO_BENCHMARK(report_text, write);  \
  TOPO_BENCHMARK(report_json, write)

TOPO_BENCHMARKS(namespaces);
TOPO_BENCHMARKS(flows);
TOPO_BENCHMARKS(pairs);

}  // namespace

BENCHMARK_MAIN();
