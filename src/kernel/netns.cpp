#include "kernel/netns.hpp"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace topo::kernel {

Result<FileDescriptor> own_namespace() {
  FileDescriptor fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return Error{Exit::unsupported, "cannot open the own network namespace", "/proc/thread-self/ns/net", std::strerror(errno), "mount /proc", {}};
  return fd;
}

Result<Inside> Inside::enter(int netns_fd, int home_fd) {
  if (netns_fd == home_fd) return Inside(-1);
  if (::setns(netns_fd, CLONE_NEWNET) != 0) {
    const bool denied = errno == EPERM;
    return Error{denied ? Exit::unsupported : Exit::rolled_back, "cannot enter a network namespace", {}, std::strerror(errno),
                 denied ? "run topo as root" : "", {}};
  }
  return Inside(home_fd);
}

Inside::~Inside() {
  if (home_fd_ >= 0 && ::setns(home_fd_, CLONE_NEWNET) != 0) std::abort();
}

}  // namespace topo::kernel
