// Times in words.
#pragma once

#include <chrono>
#include <ctime>
#include <string>

namespace topo::cli {

/// "14:03:20" of this machine's clock, with the date where that is not today's.
[[nodiscard]] std::string clock_text(std::time_t time);
/// The same with date and zone, as RFC 3339 has it: for programs.
[[nodiscard]] std::string date_text(std::time_t time);
/// `left` from now.
[[nodiscard]] std::time_t time_after(std::chrono::milliseconds left);

}  // namespace topo::cli
