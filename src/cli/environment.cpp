#include "cli/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace topo::cli {
namespace {

using namespace std::string_view_literals;

constexpr std::array kept{"COLORTERM"sv, "DISPLAY"sv,  "HOME"sv,  "LANG"sv, "LANGUAGE"sv, "LOGNAME"sv, "LS_COLORS"sv,       "MAIL"sv,
                          "NO_COLOR"sv,  "PATH"sv,     "SHELL"sv, "TERM"sv, "TZ"sv,       "USER"sv,    "WAYLAND_DISPLAY"sv, "XAUTHORITY"sv,
                          "XDG_RUNTIME_DIR"sv};
constexpr std::array kept_families{"LC_"sv, "SUDO_"sv};

bool is_kept(std::string_view name) {
  return std::find(kept.begin(), kept.end(), name) != kept.end() ||
         std::any_of(kept_families.begin(), kept_families.end(), [&](std::string_view family) { return name.starts_with(family); });
}

}  // namespace

std::vector<std::string> clean_environment(const char* const* variables) {
  std::vector<std::string> clean;
  bool has_path = false;
  for (; *variables != nullptr; ++variables) {
    const std::string_view variable = *variables, name = variable.substr(0, variable.find('='));
    if (!is_kept(name)) continue;
    has_path = has_path || name == "PATH";
    clean.emplace_back(variable);
  }
  if (!has_path) clean.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  return clean;
}

void close_others_on_exec() { (void)::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); }

}  // namespace topo::cli
