#include "cli/launch.hpp"

#include <unistd.h>

#include <algorithm>

#include "cli/environment.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

std::shared_ptr<kernel::Launcher>& kept() {
  static std::shared_ptr<kernel::Launcher> one;
  return one;
}

}  // namespace

Result<void> prepare_launcher(const std::vector<Input>& inputs) {
  const bool starts = std::any_of(inputs.begin(), inputs.end(), [](const Input& it) { return !it.desired.graph.all<Command>().empty(); });
  if (!starts && kernel::Keeper::places(command_prefix({})).empty()) return {};
  auto made = kernel::Launcher::make(clean_environment(environ));
  if (!made) return std::move(made).error();
  kept() = *std::move(made);
  return {};
}

std::shared_ptr<kernel::Launcher> launcher() { return kept(); }

}  // namespace topo::cli
