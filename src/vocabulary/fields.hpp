// Texts one after another, in a file or over a socket, each of which may hold anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "topo/error.hpp"

namespace topo {

/// Appends `text` as "LENGTH:TEXT\n".
void append_field(std::string& out, std::string_view text);
void append_field(std::string& out, const Error& error);

/// Takes the first field off `in`; nullopt, and `in` as it was, where it does not begin with a whole one.
[[nodiscard]] std::optional<std::string> take_field(std::string_view& in);
[[nodiscard]] std::optional<std::int64_t> take_number(std::string_view& in);
[[nodiscard]] std::optional<Error> take_error(std::string_view& in);

}  // namespace topo
