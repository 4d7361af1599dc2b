#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/output.hpp"
#include "topo/names.hpp"

namespace topo::cli {

Exit validate(const Arguments& arguments) {
  Exit exit = Exit::ok;
  auto files = nlohmann::ordered_json::array();
  for (const Input& input : load_all(arguments, Purpose::check)) {
    if (!input.diagnostics.empty()) exit = Exit::invalid;
    if (arguments.format == Format::json) {
      files.push_back(to_json(input));
    } else if (input.diagnostics.empty()) {
      say(printable(input.topology.name.value) + ": ok");
    } else {
      show_mistakes(input);
    }
  }
  if (arguments.format == Format::json)
    say_json(nlohmann::ordered_json{{"format", "topo.validate/1"}, {"valid", exit == Exit::ok}, {"files", std::move(files)}});
  return exit;
}

}  // namespace topo::cli
