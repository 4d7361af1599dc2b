#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace topo::cli {

Exit version(const Arguments& arguments) {
  if (arguments.format == Format::json) {
    say_json(nlohmann::ordered_json{{"format", "topo.version/1"}, {"version", TOPO_VERSION}});
  } else {
    say("topo " TOPO_VERSION);
  }
  return Exit::ok;
}

}  // namespace topo::cli
