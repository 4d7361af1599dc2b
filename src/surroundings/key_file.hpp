// Files of sections with KEY=VALUE lines, as systemd and NetworkManager have them.
#pragma once

#include <functional>
#include <string>

namespace topo::surroundings {

/// Without blanks around it.
[[nodiscard]] std::string trimmed(const std::string& text);

/// Calls `found` for each such line in turn, with section, key and value trimmed; lines that begin with # or ; are comments.
void read_key_file(const std::string& text, const std::function<void(const std::string& section, const std::string& key, const std::string& value)>& found);

}  // namespace topo::surroundings
