#include "firewall/iptables/table_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "kernel/file_lock.hpp"

namespace topo::firewall {

Result<TableLock> TableLock::take(const Waiting& waiting) {
  using namespace std::chrono_literals;
  const char* asked = ::secure_getenv("XTABLES_LOCKFILE");
  const std::string path = asked != nullptr && *asked != '\0' ? asked : "/run/xtables.lock";
  kernel::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0) {
    const bool denied = errno == EACCES || errno == EPERM;
    return Error{denied ? Exit::unsupported : Exit::rolled_back,
                 "cannot open the lock of the iptables tables",
                 path,
                 std::strerror(errno),
                 denied ? "run topo as root" : "",
                 {}};
  }
  if (!S_ISREG(found.st_mode)) return Error{Exit::conflict, "the lock of the iptables tables is no regular file", path, {}, "remove it", {}};
  const auto until = std::chrono::steady_clock::now() + waiting.timeout;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return Error{Exit::rolled_back, "cannot lock the iptables tables", path, std::strerror(errno), {}, {}};
    if (waiting.stop && waiting.stop())
      return Error{Exit::interrupted, "interrupted while waiting for the lock of the iptables tables", path, {}, {}, {}};
    if (std::chrono::steady_clock::now() >= until) {
      return Error{Exit::locked,
                   "another program is at work on the iptables tables" + kernel::flock_holder(file),
                   path,
                   {},
                   "try again, or wait longer with --lock-timeout",
                   {}};
    }
    // Asking is fairer to topo than waiting in the kernel would be bounded: there is no flock with a time limit.
    std::this_thread::sleep_for(1ms);
  }
  return TableLock(std::move(file));
}

}  // namespace topo::firewall
