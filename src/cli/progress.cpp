#include "cli/progress.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace topo::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds patience{500}, pause{100};
constexpr std::size_t width = 30;

const Clock::time_point program_start = Clock::now();
Clock::time_point last_drawn;
bool drawn = false;

}  // namespace

void show_progress(const char* step, std::size_t done, std::size_t total) {
  static const bool on_terminal = ::isatty(STDERR_FILENO) == 1;
  if (!on_terminal || total == 0) return;
  const auto now = Clock::now();
  if (now - program_start < patience || now - last_drawn < pause) return;
  last_drawn = now;
  drawn = true;
  std::string bar(width * done / total, '#');
  bar.resize(width, '.');
  std::fprintf(stderr, "\r%-12s [%s] %zu/%zu\033[K", step, bar.c_str(), done, total);
}

void clear_progress() {
  if (!drawn) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn = false;
}

}  // namespace topo::cli
