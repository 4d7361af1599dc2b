#include "cli/launch.hpp"

#include <unistd.h>

#include "cli/environment.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

std::shared_ptr<kernel::Launcher>& kept() {
  static std::shared_ptr<kernel::Launcher> one;
  return one;
}

}  // namespace

Result<void> prepare_launcher(bool is_needed) {
  if (!is_needed && kernel::Keeper::places(command_prefix({})).empty()) return {};
  auto made = kernel::Launcher::make(clean_environment(environ));
  if (!made) return std::move(made).error();
  kept() = *std::move(made);
  return {};
}

std::shared_ptr<kernel::Launcher> launcher() { return kept(); }

}  // namespace topo::cli
