// The policy as the file says it, read back from a compiled firewall (policy/intent.hpp says how it is written).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace topo::report {

/// "KEY VALUE": "allow a -> b:80" is the key `allow` and the value `a -> b:80`.
struct Statement {
  std::string key;
  std::string value;
  auto operator<=>(const Statement&) const = default;
};

/// Sorted, each once. Empty where the firewall keeps none (that of a router namespace, or one that somebody has taken apart).
[[nodiscard]] std::vector<Statement> statements_of(const Firewall& firewall);

/// The values of one key, of all firewalls of `live`: statements(live, "port") is {"8080/tcp -> web:80"}.
[[nodiscard]] std::vector<std::string> statements(const Graph& live, std::string_view key);

}  // namespace topo::report
