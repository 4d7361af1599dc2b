// Any bytes: load and desire must neither crash nor hang, every mistake has a place, and no control character gets into a message.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "desire/desire.hpp"
#include "topo/load.hpp"

namespace {

void check(const topo::Diagnostic& mistake, const topo::Sources& sources) {
  for (const char c : topo::render(mistake, sources)) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  topo::LoadOptions options;
  options.max_bytes = 1U << 16U;
  static const topo::Sources no_files;
  options.recorded = &no_files;  // what is included depends on no machine
  const auto loaded = topo::load_text(std::string(reinterpret_cast<const char*>(bytes), size), "fuzz.yaml", options);
  for (const auto& mistake : loaded.diagnostics) check(mistake, loaded.topology.sources);
  if (!loaded.unreadable) {
    for (const auto& mistake : topo::desire(loaded.topology).diagnostics) check(mistake, loaded.topology.sources);
  }
  return 0;
}
