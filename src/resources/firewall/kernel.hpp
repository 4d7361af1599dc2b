// The kernel half of firewalls.
#pragma once

#include "resources/firewall/firewall.hpp"
#include "resources/kernel.hpp"

namespace topo {

template <>
struct KernelHalf<Firewall> {
  [[nodiscard]] static Result<void> create(const Firewall& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Firewall& before, const Firewall& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Firewall& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
  [[nodiscard]] static Result<void> find_hindrances(const Reading& reading, const Graph& live, Hindrances& found);
};

}  // namespace topo
