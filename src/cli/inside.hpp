// Commands in a namespace's place.
#pragma once

#include <string>

#include "topo/error.hpp"

namespace topo::cli {

/// Puts this process into the namespace of that name, with a /sys that shows it and the files of /etc/netns/NS over those of /etc, as `ip netns exec`
/// does.
[[nodiscard]] Result<void> enter_named(const std::string& ns);

/// Says that `program` cannot be executed, and why (an errno). The exit code: 126 or 127, as env(1) has them.
[[nodiscard]] int cannot_run(const std::string& program, int problem);

}  // namespace topo::cli
