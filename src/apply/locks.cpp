#include "apply/locks.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "kernel/file_lock.hpp"

namespace topo {
namespace {

using Clock = std::chrono::steady_clock;

/// `folder` is what the user has to set right where it is a matter of permission.
Error file_error(const std::string& what, const std::string& folder) {
  const bool denied = errno == EACCES || errno == EPERM || errno == EROFS;
  return Error{denied ? Exit::unsupported : Exit::rolled_back,
               what,
               {},
               std::strerror(errno),
               denied ? "run topo as root, and have " + folder + " writable and root's" : "",
               {}};
}

Result<kernel::FileDescriptor> lock(int folder_fd, const std::string& name, const std::string& path, Clock::time_point deadline,
                                    const std::function<bool()>& stop) {
  constexpr auto pause = std::chrono::milliseconds(10);
  for (;;) {
    kernel::FileDescriptor file(::openat(folder_fd, name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    struct stat opened {};
    if (!file || ::fstat(file.get(), &opened) != 0) return file_error("cannot lock " + path, path.substr(0, path.rfind('/')));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      // Only the file that the next one will open excludes the next one: this may have been unlinked meanwhile.
      struct stat named {};
      if (::fstatat(folder_fd, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino)
        return file;
      if (Clock::now() < deadline) continue;
      errno = EWOULDBLOCK;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return file_error("cannot lock " + path, path.substr(0, path.rfind('/')));
    if (stop && stop()) return Error{Exit::interrupted, "interrupted while waiting for another topo; nothing was touched", {}, {}, {}, {}};
    if (Clock::now() >= deadline) {
      return Error{Exit::locked, "another topo is at work" + kernel::flock_holder(file), path,
                   {},           "try again, or wait longer with --lock-timeout",        {}};
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

Result<kernel::FileDescriptor> open_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return file_error("cannot make " + folder, folder);
  kernel::FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat found {};
  if (!fd || ::fstat(fd.get(), &found) != 0) return file_error("cannot open " + folder, folder);
  if (found.st_uid != ::geteuid() || (found.st_mode & 022U) != 0) {
    return Error{Exit::conflict, folder + " is not topo's", {}, "another user owns it or may write to it", "remove it", {}};
  }
  return fd;
}

Result<Locks> Locks::take(const std::string& folder, const std::string& topology, std::chrono::milliseconds timeout,
                          const std::function<bool()>& stop) {
  const auto deadline = Clock::now() + timeout;
  auto folder_fd = open_folder(folder);
  if (!folder_fd) return std::move(folder_fd).error();
  // Always in this order, so that two never wait for each other. "host" is no topology's name.
  Locks locks;
  for (auto [name, place] : {std::pair{topology, &locks.topology_}, std::pair{std::string("host"), &locks.host_}}) {
    auto file = lock(folder_fd->get(), name + ".lock", folder + "/" + name + ".lock", deadline, stop);
    if (!file) return std::move(file).error();
    *place = std::move(*file);
  }
  return locks;
}

}  // namespace topo
