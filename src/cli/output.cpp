#include "cli/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "cli/progress.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

bool output_lost = false;

void write_line(FILE* stream, std::string_view text) {
  clear_progress();
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fputc('\n', stream) != EOF && std::fflush(stream) == 0;
  if (!written && stream == stdout && errno != EPIPE) output_lost = true;
}

}  // namespace

void say(std::string_view text) { write_line(stdout, text); }
void complain(std::string_view text) { write_line(stderr, text); }

Exit complain(const Error& error) {
  write_line(stderr, "error: " + error.to_string());
  return error.exit;
}

Exit complain(const Error& error, const Arguments& arguments, const char* format) {
  if (arguments.format == Format::json) say_json({{"format", format}, {"exit", static_cast<int>(error.exit)}, {"error", to_json(error)}});
  return complain(error);
}

void warn(std::string_view text) { write_line(stderr, "warning: " + printable(text)); }

std::string json_text(const nlohmann::ordered_json& document) { return document.dump(2, ' ', true, nlohmann::json::error_handler_t::replace); }

void say_json(const nlohmann::ordered_json& document) { say(json_text(document)); }

nlohmann::ordered_json to_json(const Error& error) {
  nlohmann::ordered_json json{{"exit", static_cast<int>(error.exit)}, {"what", error.what}};
  if (!error.where.empty()) json["where"] = error.where;
  if (!error.kernel.empty()) json["kernel"] = error.kernel;
  if (!error.remedy.empty()) json["remedy"] = error.remedy;
  if (!error.details.empty()) json["details"] = error.details;
  return json;
}

bool colored(const Arguments& arguments, FILE* stream) {
  if (arguments.color != Color::automatic) return arguments.color == Color::always;
  const char* refused = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return (refused == nullptr || *refused == '\0') && terminal != nullptr && std::string_view(terminal) != "dumb" && ::isatty(::fileno(stream)) == 1;
}

bool output_arrived() { return !output_lost; }

Exit worse(Exit a, Exit b) {
  constexpr std::array order{Exit::ok,          Exit::difference,  Exit::invalid,     Exit::locked,   Exit::conflict,
                             Exit::unsupported, Exit::rolled_back, Exit::interrupted, Exit::left_over};
  const auto gravity = [&](Exit exit) { return std::find(order.begin(), order.end(), exit); };
  return gravity(a) < gravity(b) ? b : a;
}

}  // namespace topo::cli
