#include "cli/inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/output.hpp"
#include "reach/expectations.hpp"
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
    const bool expects = !input.topology.expect.allow.empty() || !input.topology.expect.deny.empty();
    if (purpose == Purpose::use || expects) {
      input.desired = desire(input.topology);
    } else {
      input.desired.diagnostics = check(input.topology);
    }
    input.diagnostics.insert(input.diagnostics.end(), input.desired.diagnostics.begin(), input.desired.diagnostics.end());
    if (input.diagnostics.empty()) input.diagnostics = reach::unmet_expectations(input.topology, input.desired);
  }
  tidy(input.diagnostics);
  return input;
}

bool is_file(const std::string& operand) {
  constexpr std::string_view ending = ".yaml";
  return operand == "-" || operand.find('/') != std::string::npos ||
         (operand.size() > ending.size() && operand.compare(operand.size() - ending.size(), ending.size(), ending) == 0);
}

std::vector<std::string> files_of(const std::vector<std::string>& operands) {
  std::vector<std::string> files;
  for (const auto& operand : operands) {
    std::vector<std::string> inside;
    std::error_code error;
    for (std::filesystem::directory_iterator at(operand, error), end; !error && at != end; at.increment(error)) {
      if (at->path().extension() == ".yaml") inside.push_back(at->path().string());
    }
    std::sort(inside.begin(), inside.end());
    if (inside.empty()) inside.push_back(operand);
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

std::vector<Input> load_all(const Arguments& arguments, Purpose purpose) {
  std::vector<Input> inputs;
  std::map<std::string, std::string> paths;
  for (const auto& path : files_of(arguments.operands)) {
    Input input = load_input(path, load_options(arguments), purpose);
    if (input.diagnostics.empty()) {
      const auto& name = input.topology.name;
      const auto [first, fresh] = paths.emplace(name.value, path);
      if (!fresh) {
        input.diagnostics.push_back({name.at, "the topology \"" + name.value + "\" is that of " + first->second + " already",
                                     "several files are several topologies; parts of one are put together by \"include\"",
                                     static_cast<std::uint16_t>(name.value.size())});
      }
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

std::optional<std::vector<Input>> load_inputs(const Arguments& arguments, const char* format) {
  std::vector<Input> inputs = load_all(arguments, Purpose::use);
  bool good = true;
  nlohmann::ordered_json document{{"format", format}, {"exit", static_cast<int>(Exit::invalid)}};
  for (const auto& input : inputs) {
    document["files"].push_back(to_json(input));
    show_mistakes(input);
    good = good && input.diagnostics.empty();
  }
  if (!good && arguments.format == Format::json) say_json(document);
  return good ? std::optional(std::move(inputs)) : std::nullopt;
}

void show_mistakes(const Input& input) {
  for (const auto& diagnostic : input.diagnostics) complain(render(diagnostic, input.topology.sources));
}

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

std::string name_of(const Input& input) { return input.topology.name.value.empty() ? input.path : input.topology.name.value; }

}  // namespace topo::cli
