// Where a change that may still be taken back is found, and what is known of one that was.
//
// FOLDER/NAME.confirm is the socket of the process that holds the earlier state; nobody answers at one that a killed process left. When the change
// was taken back is noted in the topology's lock file, FOLDER/NAME.lock, until the next change. No link is ever followed.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "kernel/file_descriptor.hpp"
#include "topo/error.hpp"

namespace topo::rendezvous {

struct Found {
  enum class What { nothing, socket, note };
  What what = What::nothing;
  std::uint64_t inode = 0;
  std::time_t written = 0;  ///< of a note
};

/// What is there of `topology`, the socket first; nothing also where there is no folder of topo's own.
[[nodiscard]] Found find(const std::string& folder, const std::string& topology);
/// The topologies of which anything is there, sorted.
[[nodiscard]] std::vector<std::string> topologies(const std::string& folder);

/// Listens there, instead of whatever had the place before. Makes the folder where it is missing.
[[nodiscard]] Result<kernel::FileDescriptor> listen(const std::string& folder, const std::string& topology);
/// A connection to the process that listens there; none, and errno set (ECONNREFUSED: it was killed), where there is none.
[[nodiscard]] kernel::FileDescriptor connect(const std::string& folder, const std::string& topology);

/// Notes that the change was taken back now, and gives the place free. The caller holds the topology's Locks.
[[nodiscard]] Result<void> leave_note(const std::string& folder, const std::string& topology);
/// Gives the place free and wipes the note out; that there is nothing is no error.
[[nodiscard]] Result<void> clear(const std::string& folder, const std::string& topology);

}  // namespace topo::rendezvous
