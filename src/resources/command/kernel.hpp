// The kernel half of commands. The record of one is its keeper (kernel/launcher.hpp): its name is the mark, and it says what it keeps. Whoever else is in
// the namespace has none and is never signalled.
#pragma once

#include <string>
#include <vector>

#include "resources/command/command.hpp"
#include "resources/kernel.hpp"

namespace topo {

template <>
struct KernelHalf<Command> {
  [[nodiscard]] static Result<void> create(const Command& wanted, Execution& execution);
  [[nodiscard]] static Result<void> update(const Command& before, const Command& after, Execution& execution);
  [[nodiscard]] static Result<void> remove(const Command& live, Execution& execution);
  [[nodiscard]] static Result<void> observe(const Reading& reading, Graph& live);
  [[nodiscard]] static std::vector<std::string> owners();
};

}  // namespace topo
