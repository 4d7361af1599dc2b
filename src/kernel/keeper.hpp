// The process that keeps a command (launcher.hpp), and what is said to it and by it.
#pragma once

#include <string_view>

#include "kernel/launcher.hpp"

namespace topo::kernel {

inline constexpr std::string_view started = "started";
inline constexpr std::string_view tell_word = "4:tell\n", stop_word = "4:stop\n", describe_word = "8:describe\n";
inline constexpr std::string_view told_word = "told", ended_word = "ended", done_word = "done";

/// To be called in a child of the launcher: starts the command, tells `answer` `started` or an Error, and stays until the command has ended.
[[noreturn]] void keep(const Start& start, FileDescriptor answer);

}  // namespace topo::kernel
