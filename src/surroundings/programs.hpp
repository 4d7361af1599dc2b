// What runs on this machine: proc(5).
#pragma once

#include <set>
#include <string>

namespace topo::surroundings {

/// The names (at most 15 bytes, /proc/PID/comm) of the programs that are in the network namespace of the calling thread, as far as it may look.
[[nodiscard]] std::set<std::string> programs_here();

}  // namespace topo::surroundings
