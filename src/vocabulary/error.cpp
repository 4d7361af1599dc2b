#include "topo/error.hpp"

#include "topo/names.hpp"

namespace topo {

std::string Error::to_string() const {
  std::string text = what;
  if (!kernel.empty()) text += ": " + kernel;
  if (!where.empty()) text += "\n  at " + where;
  for (const auto& detail : details) text += "\n  " + detail;
  if (!remedy.empty()) text += "\n  " + remedy;
  std::string safe;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    if (!safe.empty()) safe += '\n';
    safe += printable(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
  }
  return safe;
}

std::string Warning::to_string() const { return remedy.empty() ? what : what + "; " + aim + ": " + remedy; }

std::vector<std::string> to_strings(const std::vector<Warning>& warnings) {
  std::vector<std::string> texts;
  for (const auto& warning : warnings) texts.push_back(warning.to_string());
  return texts;
}

}  // namespace topo
