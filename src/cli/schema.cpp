#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace topo::cli {

/// schemas/topology.schema.json, put in by CMake.
extern const char* const schema_text;

Exit schema(const Arguments& /*arguments*/) {
  std::string_view text = schema_text;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  say(text);
  return Exit::ok;
}

}  // namespace topo::cli
