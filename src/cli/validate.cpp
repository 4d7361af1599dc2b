#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/output.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

nlohmann::ordered_json to_json(const Input& input) {
  const auto& sources = input.topology.sources;
  auto diagnostics = nlohmann::ordered_json::array();
  for (const auto& diagnostic : input.diagnostics) {
    nlohmann::ordered_json entry{{"file", diagnostic.at.source < sources.size() ? sources[diagnostic.at.source].name : input.path},
                                 {"line", diagnostic.at.line},
                                 {"column", diagnostic.at.column},
                                 {"length", diagnostic.length},
                                 {"message", diagnostic.message}};
    if (!diagnostic.hint.empty()) entry["hint"] = diagnostic.hint;
    diagnostics.push_back(std::move(entry));
  }
  return {
      {"file", input.path}, {"topology", input.topology.name.value}, {"valid", input.diagnostics.empty()}, {"diagnostics", std::move(diagnostics)}};
}

}  // namespace

Exit validate(const Arguments& arguments) {
  Exit exit = Exit::ok;
  auto files = nlohmann::ordered_json::array();
  for (const auto& path : arguments.operands) {
    const Input input = load_input(path, load_options(arguments), Purpose::check);
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
