// Apply and destroy again and again in one process: it holds no more in the end than in the beginning.
#include <malloc.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "live.hpp"

using namespace live;

/// Of AddressSanitizer (sanitizer/allocator_interface.h), where the test is built with it.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));  // NOLINT(bugprone-reserved-identifier)

namespace {

/// Bytes that are allocated and not given back; a sanitizer keeps what was freed for a while, and does not count it.
std::size_t heap_bytes() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) return __sanitizer_get_current_allocated_bytes();
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

struct Held {
  std::ptrdiff_t descriptors = 0, mounts = 0;
  std::size_t heap = 0;
};

Held held() {
  Held now;
  now.descriptors = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) ++now.mounts;
  now.heap = heap_bytes();
  return now;
}

void cycle(const Graph& graph) {
  const Kernels kernels = [] { return Result<std::unique_ptr<Kernel>>(std::make_unique<LinuxKernel>()); };
  for (const Graph& wanted : {graph, Graph(graph.topology())}) {
    auto applied = apply_graph(kernels, wanted);
    if (!applied) FAIL(applied.error().to_string());
  }
}

/// `times` and some more beforehand, in which what is made once is made.
void check_cycles(const Graph& graph, int times) {
  for (int i = 0; i < 5; ++i) cycle(graph);
  const Held before = held();
  for (int i = 0; i < times; ++i) cycle(graph);
  const Held after = held();
  CHECK(after.descriptors == before.descriptors);
  CHECK(after.mounts == before.mounts);
  CHECK(after.heap < before.heap + 64 * 1024);
}

}  // namespace

TEST_CASE("300 cycles of what takes no time") {
  Graph graph("lab");
  graph.put(Namespace{"web", true, {}});
  graph.put(Address{"web", "lo", cidr("10.9.0.2/32")});
  graph.put(Sysctl{"web", "net/ipv4/ip_default_ttl", "70"});
  graph.put(Firewall{"", {}, true, true});
  check_cycles(graph, 300);
}

TEST_CASE("cycles of links") {
  Graph graph = small();
  graph.put(Firewall{"", {}, true, false});
  check_cycles(graph, 20);
}
