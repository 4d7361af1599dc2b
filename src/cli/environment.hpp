// What a command that topo starts inside a namespace gets of the caller's environment and open files.
#pragma once

#include <string>
#include <vector>

namespace topo::cli {

/// Of `variables` ("NAME=VALUE", as environ(7) has them) those that say who and where the user is and how to show something: HOME, LOGNAME, MAIL, SHELL,
/// SUDO_*, USER; COLORTERM, DISPLAY, LANG, LANGUAGE, LC_*, LS_COLORS, NO_COLOR, TERM, TZ, WAYLAND_DISPLAY, XAUTHORITY, XDG_RUNTIME_DIR; and PATH, which
/// is the system's where there is none. What would make a program run something else (LD_PRELOAD, BASH_ENV, PYTHONPATH) is not among them.
[[nodiscard]] std::vector<std::string> clean_environment(const char* const* variables);

/// Executing a program closes all but standard input, output and error.
void close_others_on_exec();

}  // namespace topo::cli
