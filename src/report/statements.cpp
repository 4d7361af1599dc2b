#include "report/statements.hpp"

#include <algorithm>

#include "resources/firewall/meaning.hpp"

namespace topo::report {

std::vector<Statement> statements_of(const Firewall& firewall) {
  std::vector<Statement> found;
  for (const std::string& text : spoken_policy(firewall)) {
    const std::size_t space = text.find(' ');
    if (space != std::string::npos) found.push_back({text.substr(0, space), text.substr(space + 1)});
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<std::string> statements(const Graph& live, std::string_view key) {
  std::vector<std::string> values;
  for (const Firewall* firewall : live.all<Firewall>()) {
    for (Statement& statement : statements_of(*firewall)) {
      if (statement.key == key) values.push_back(std::move(statement.value));
    }
  }
  return values;
}

}  // namespace topo::report
