// How resources depend on one another: by names of things, so that no kind has to know another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace topo {

/// The name by which what lives in a namespace needs it; the same as a Namespace's id.
[[nodiscard]] inline std::string namespace_need(std::string_view ns) { return "namespace " + std::string(ns); }

/// The name by which what stands on an interface needs it. A bridge provides one, a cable two, a namespace its `lo`.
[[nodiscard]] inline std::string interface_need(std::string_view ns, std::string_view interface) {
  return "interface " + std::string(ns) + ":" + std::string(interface);
}

/// Namespaces as reports say them: the one topo runs in is `host`.
[[nodiscard]] inline std::string place_title(std::string_view ns) { return ns.empty() ? "host" : std::string(ns); }

/// Something in the kernel that a change of one resource spoils for others without being asked: the routes through an interface that
/// loses an address, for one. Spoilt is what relies on an equal `name` at a later `place`.
struct Circumstance {
  std::string name;
  std::string place;
};
using Circumstances = std::vector<Circumstance>;

/// What a change does to the resource: `comes` also when it is changed in place.
enum class Turn { comes, goes };

}  // namespace topo
