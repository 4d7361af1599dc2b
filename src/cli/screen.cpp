#include "cli/screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <vector>

#include "cli/output.hpp"

namespace topo::cli {
namespace {

// Control sequences of a terminal: ECMA-48, and DEC's for the wrapping of lines (console_codes(4)).
constexpr const char* home = "\033[H";
constexpr const char* clear_line = "\033[K";
constexpr const char* clear_below = "\033[J";
constexpr const char* cut_lines = "\033[?7l";
constexpr const char* wrap_lines = "\033[?7h";

constexpr std::size_t usual_height = 24;

std::size_t height() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row : usual_height;
}

std::string drawn(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  // The last line is the cursor's.
  const std::size_t room = height() - 1;
  if (lines.size() > room) {
    const std::string left = "... and " + std::to_string(lines.size() - room + 1) + " lines more";
    lines.resize(room);
    lines.back() = left;
  }
  std::string screen = std::string(home) + cut_lines;
  for (const auto& line : lines) screen += line + clear_line + "\n";
  return screen + clear_below + wrap_lines;
}

}  // namespace

Screen::Screen() : is_terminal_(::isatty(STDOUT_FILENO) == 1) {}

void Screen::show(const std::string& text) {
  if (!is_first_ && text == shown_) return;
  is_first_ = false;
  shown_ = text;
  say(is_terminal_ ? drawn(text) : text);
}

}  // namespace topo::cli
