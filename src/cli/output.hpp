// The only place that prints: results to standard output, progress and errors to standard error.
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cli/arguments.hpp"
#include "topo/error.hpp"

namespace topo::cli {

/// Writes `text` and a line end. Callers have made what comes from outside printable.
void say(std::string_view text);
void complain(std::string_view text);
/// "error: ..." with where, details and remedy; returns the exit code of `error`.
Exit complain(const Error& error);
/// The same, and with -o json a document of `format` that says it: for a command that ends there.
Exit complain(const Error& error, const Arguments& arguments, const char* format);
void warn(std::string_view text);

/// One JSON document; what is not ASCII is escaped, so that no terminal is ever sent a control character.
[[nodiscard]] std::string json_text(const nlohmann::ordered_json& document);
void say_json(const nlohmann::ordered_json& document);
[[nodiscard]] nlohmann::ordered_json to_json(const Error& error);

/// Whether `stream` gets colours: by --color, else NO_COLOR, else whether it is a terminal.
[[nodiscard]] bool colored(const Arguments& arguments, FILE* stream);

/// True if all that was said reached standard output (a full disk is an error, a closed pipe is not).
[[nodiscard]] bool output_arrived();

/// The graver of two: "the worst exit code wins".
[[nodiscard]] Exit worse(Exit a, Exit b);

}  // namespace topo::cli
