// The kernel half of addresses.
#pragma once

#include "resources/address/address.hpp"
#include "resources/kernel.hpp"

namespace topo {

template <>
struct KernelHalf<Address> {
  [[nodiscard]] static Result<void> create(const Address& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Address& before, const Address& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Address& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
  [[nodiscard]] static Result<void> find_hindrances(const Reading& reading, const Graph& live, Hindrances& found);
};

}  // namespace topo
