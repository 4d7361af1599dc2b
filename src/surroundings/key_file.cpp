#include "surroundings/key_file.hpp"

#include <sstream>

namespace topo::surroundings {

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r");
  return begin == std::string::npos ? std::string() : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

void read_key_file(const std::string& text, const std::function<void(const std::string&, const std::string&, const std::string&)>& found) {
  std::istringstream lines(text);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    line = trimmed(line);
    const auto equals = line.find('=');
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      section = line.substr(1, line.find(']') - 1);
    } else if (equals != std::string::npos) {
      found(section, trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
    }
  }
}

}  // namespace topo::surroundings
