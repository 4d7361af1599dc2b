#include "vocabulary/fields.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace topo {

void append_field(std::string& out, std::string_view text) {
  out += std::to_string(text.size()) + ":";
  out += text;
  out += '\n';
}

void append_field(std::string& out, const Error& error) {
  std::string text;
  append_field(text, std::to_string(static_cast<int>(error.exit)));
  for (const auto* part : {&error.what, &error.where, &error.kernel, &error.remedy}) append_field(text, *part);
  for (const auto& detail : error.details) append_field(text, detail);
  append_field(out, text);
}

std::optional<std::string> take_field(std::string_view& in) {
  std::size_t length = 0;
  const auto [end, problem] = std::from_chars(in.data(), in.data() + in.size(), length);
  const auto used = static_cast<std::size_t>(end - in.data());
  if (problem != std::errc() || used >= in.size() || in[used] != ':' || length >= in.size() - used - 1 || in[used + 1 + length] != '\n')
    return std::nullopt;
  std::string text(in.substr(used + 1, length));
  in.remove_prefix(used + length + 2);
  return text;
}

std::optional<std::int64_t> take_number(std::string_view& in) {
  const auto text = take_field(in);
  std::int64_t number = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

std::optional<Error> take_error(std::string_view& in) {
  const auto text = take_field(in);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  const auto exit = take_number(rest);
  if (!exit) return std::nullopt;
  Error error;
  error.exit = static_cast<Exit>(*exit);
  for (auto* part : std::array{&error.what, &error.where, &error.kernel, &error.remedy}) {
    auto field = take_field(rest);
    if (!field) return std::nullopt;
    *part = *std::move(field);
  }
  while (auto detail = take_field(rest)) error.details.push_back(*std::move(detail));
  return error;
}

}  // namespace topo
