// The process that starts the commands of topologies.
#pragma once

#include <memory>
#include <vector>

#include "cli/inputs.hpp"
#include "kernel/launcher.hpp"

namespace topo::cli {

/// Makes it, where one of `inputs` has commands or some run here that a way back may have to start again. To be called before privileges are dropped: what it
/// starts has the caller's, as what `topo exec` starts does.
[[nodiscard]] Result<void> prepare_launcher(const std::vector<Input>& inputs);
/// Null where there is none.
[[nodiscard]] std::shared_ptr<kernel::Launcher> launcher();

}  // namespace topo::cli
