#include "cli/inputs.hpp"

#include <map>

#include "cli/output.hpp"
#include "topo/names.hpp"

namespace topo::cli {

LoadOptions load_options(const Arguments& arguments) {
  LoadOptions options;
  options.set = arguments.set;
  options.max_bytes = arguments.max_bytes;
  return options;
}

Input load_input(const std::string& path, const LoadOptions& options, Purpose purpose) {
  Loaded loaded = load(path, options);
  Input input;
  input.path = path;
  input.topology = std::move(loaded.topology);
  input.diagnostics = std::move(loaded.diagnostics);
  if (!loaded.unreadable) {
    if (purpose == Purpose::use) input.desired = desire(input.topology);
    if (purpose == Purpose::check) input.desired.diagnostics = check(input.topology);
    input.diagnostics.insert(input.diagnostics.end(), input.desired.diagnostics.begin(), input.desired.diagnostics.end());
  }
  tidy(input.diagnostics);
  return input;
}

std::optional<std::vector<Input>> load_inputs(const Arguments& arguments) {
  std::vector<Input> inputs;
  std::map<std::string, std::string> paths;
  bool good = true;
  for (const auto& path : arguments.operands) {
    Input input = load_input(path, load_options(arguments), Purpose::use);
    if (!input.diagnostics.empty()) {
      show_mistakes(input);
      good = false;
      continue;
    }
    const auto [first, fresh] = paths.emplace(input.topology.name.value, path);
    if (!fresh) {
      complain("error: " + printable(path) + " and " + printable(first->second) + " are both the topology " + first->first);
      good = false;
    }
    inputs.push_back(std::move(input));
  }
  return good ? std::optional(std::move(inputs)) : std::nullopt;
}

void show_mistakes(const Input& input) {
  for (const auto& diagnostic : input.diagnostics) complain(render(diagnostic, input.topology.sources));
}

std::string name_of(const Input& input) { return input.topology.name.value.empty() ? input.path : input.topology.name.value; }

}  // namespace topo::cli
