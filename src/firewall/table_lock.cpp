#include "firewall/table_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace topo::firewall {

Result<TableLock> TableLock::take() {
  using namespace std::chrono_literals;
  const char* asked = ::secure_getenv("XTABLES_LOCKFILE");
  const std::string path = asked != nullptr && *asked != '\0' ? asked : "/run/xtables.lock";
  kernel::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    const bool denied = errno == EACCES || errno == EPERM;
    return Error{denied ? Exit::unsupported : Exit::rolled_back,
                 "cannot open the lock of the iptables tables",
                 path,
                 std::strerror(errno),
                 denied ? "run topo as root" : "",
                 {}};
  }
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return Error{Exit::rolled_back, "cannot lock the iptables tables", path, std::strerror(errno), {}, {}};
    if (std::chrono::steady_clock::now() > until) {
      return Error{Exit::locked,
                   "cannot lock the iptables tables",
                   path,
                   "another program has held the lock for a minute",
                   "find it with: lslocks | grep xtables",
                   {}};
    }
    // Asking is fairer to topo than waiting in the kernel would be bounded: there is no flock with a time limit.
    std::this_thread::sleep_for(1ms);
  }
  return TableLock(std::move(file));
}

}  // namespace topo::firewall
