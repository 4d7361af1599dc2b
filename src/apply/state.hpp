// What was last applied here, kept for convenience: `topo diff` and `topo destroy` without a file, and telling drift from a change.
// Nothing depends on it: the record of what is topo's is the kernel.
#pragma once

#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apply/locks.hpp"
#include "topo/firewall.hpp"
#include "topo/diagnostic.hpp"
#include "topo/error.hpp"

namespace topo {

/// The files as they were when they were applied, all they include among them, and the values given on the command line.
struct Applied {
  Sources sources;  ///< the first is the file that was named
  std::map<std::string, std::string> set;
  FirewallChoice firewall = FirewallChoice::automatic;  ///< that was asked for
  std::time_t when = 0;  ///< of what is recorded: since when it is
};

/// Whether they say the same, whenever.
[[nodiscard]] bool operator==(const Applied& a, const Applied& b);

/// What is recorded of `topology`; nullopt where nothing is, or nothing that can be read.
[[nodiscard]] std::optional<Applied> recall(const std::string& topology, const std::string& folder = state_folder);

/// Writes it at once or not at all. On an error nothing is recorded any more, rather than something that is not so.
[[nodiscard]] Result<void> record(const std::string& topology, const Applied& applied, const std::string& folder = state_folder);

/// Removes all that is recorded of `topology`, its lock file and what is left of a confirmation too: the caller holds its Locks, or knows that nothing of it is there.
[[nodiscard]] Result<void> forget(const std::string& topology, const std::string& folder = state_folder);

/// The topologies that something is recorded of, sorted.
[[nodiscard]] std::vector<std::string> recorded(const std::string& folder = state_folder);

}  // namespace topo
