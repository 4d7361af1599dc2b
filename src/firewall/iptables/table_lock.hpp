// The lock that all programs take that change legacy tables: iptables(8), -w.
#pragma once

#include "firewall/backend.hpp"
#include "kernel/file_descriptor.hpp"
#include "topo/error.hpp"

namespace topo::firewall {

/// Holds the xtables lock while it lives; the kernel lets go of it when the process dies. From the first read of a table to its commit
/// it must be held, for the kernel lets a later commit silently undo an earlier one.
class TableLock {
 public:
  /// Waits for it; Exit::locked, naming the holder, when `waiting` says that it was long enough. $XTABLES_LOCKFILE, else /run/xtables.lock, as
  /// iptables has it.
  [[nodiscard]] static Result<TableLock> take(const Waiting& waiting);

 private:
  explicit TableLock(kernel::FileDescriptor file) : file_(std::move(file)) {}
  kernel::FileDescriptor file_;
};

}  // namespace topo::firewall
