#include "cli/clock.hpp"

#include <array>

namespace topo::cli {
namespace {

std::string formatted(std::time_t time, const char* form) {
  std::tm local{};
  std::array<char, 64> text{};
  if (::localtime_r(&time, &local) == nullptr) return "?";
  text[std::strftime(text.data(), text.size() - 1, form, &local)] = '\0';
  return text.data();
}

}  // namespace

std::string clock_text(std::time_t time) {
  const bool is_today = formatted(time, "%F") == formatted(::time(nullptr), "%F");
  return formatted(time, is_today ? "%H:%M:%S" : "%F %H:%M:%S");
}

std::string date_text(std::time_t time) {
  std::string text = formatted(time, "%Y-%m-%dT%H:%M:%S%z");
  if (text.size() > 2) text.insert(text.size() - 2, ":");
  return text;
}

std::time_t time_after(std::chrono::milliseconds left) {
  return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + left);
}

}  // namespace topo::cli
