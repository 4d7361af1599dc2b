// The kernel half of files over /etc. /etc/netns/NAME is a link into topo's own folder of the topology, which is its mark: what is anything else there is
// somebody else's. A link comes at once or not at all, and behind it stands a folder that nobody else has.
#pragma once

#include <string>
#include <vector>

#include "resources/etc/etc.hpp"
#include "resources/kernel.hpp"

namespace topo {

template <>
struct KernelHalf<Etc> {
  [[nodiscard]] static Result<void> create(const Etc& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Etc& before, const Etc& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Etc& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
  [[nodiscard]] static Result<void> find_hindrances(const Reading& reading, const Graph& live, Hindrances& found);
  [[nodiscard]] static std::vector<std::string> owners();
};

}  // namespace topo
