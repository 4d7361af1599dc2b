#include "kernel/netns.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace topo::kernel {
namespace {

Error namespace_error(std::string what, int error, std::string where) {
  const bool denied = error == EPERM || error == EACCES;
  return {
      denied ? Exit::unsupported : Exit::rolled_back, std::move(what), std::move(where), std::strerror(error), denied ? "run topo as root" : "", {}};
}

std::string path_of(const std::string& name) { return std::string(netns_folder) + "/" + name; }
std::string own_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

bool is_netns(int fd) {
  struct statfs system {};
  return ::fstatfs(fd, &system) == 0 && system.f_type == NSFS_MAGIC && ::ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

/// A file with `mark` in it comes to exist under `path` at once or not at all.
int link_marked_file(const std::string& path, const std::string& mark) {
  const FileDescriptor file(::open(netns_folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0400));
  if (!file) {
    const FileDescriptor plain(errno == EOPNOTSUPP || errno == EISDIR ? ::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0) : -1);
    return plain ? 0 : errno;
  }
  if (::write(file.get(), mark.data(), mark.size()) != static_cast<ssize_t>(mark.size())) return errno == 0 ? EIO : errno;
  return ::linkat(AT_FDCWD, own_path(file.get()).c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

}  // namespace

Result<FileDescriptor> own_namespace() {
  FileDescriptor fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd)
    return Error{Exit::unsupported, "cannot open the own network namespace", "/proc/thread-self/ns/net", std::strerror(errno), "mount /proc", {}};
  return fd;
}

Result<Inside> Inside::enter(int netns_fd, int home_fd) {
  if (netns_fd == home_fd) return Inside(-1);
  if (::setns(netns_fd, CLONE_NEWNET) != 0) return namespace_error("cannot enter a network namespace", errno, {});
  return Inside(home_fd);
}

Result<Inside> Inside::enter_new(int home_fd) {
  if (::unshare(CLONE_NEWNET) != 0) return namespace_error("cannot make a network namespace", errno, {});
  return Inside(home_fd);
}

Inside::~Inside() {
  if (home_fd_ < 0) return;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (::setns(home_fd_, CLONE_NEWNET) == 0) return;
  }
  const std::string words = std::string("error: cannot return to the host's network namespace: ") + std::strerror(errno) +
                            "\n  topo ends here, and what it was doing may be half done; run the same command again, or destroy the topology\n";
  (void)!::write(STDERR_FILENO, words.data(), words.size());
  std::_Exit(static_cast<int>(Exit::left_over));
}

Result<std::vector<std::string>> namespace_names() {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(netns_folder), ::closedir);
  if (!folder) {
    if (errno == ENOENT) return names;
    return namespace_error("cannot read the folder of namespaces", errno, netns_folder);
  }
  errno = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) return namespace_error("cannot read the folder of namespaces", errno, netns_folder);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::optional<NamedEntry>> open_named(const std::string& name) {
  const std::string path = path_of(name);
  NamedEntry entry;
  entry.name = name;
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    if (errno == ENOENT) return std::optional<NamedEntry>{};
    if (errno == ELOOP || errno == ENXIO) return std::optional(std::move(entry));  // a symbolic link, a socket: something of somebody else's
    return namespace_error("cannot open namespace " + name, errno, path);
  }
  if (is_netns(fd.get())) {
    entry.netns = std::move(fd);
    return std::optional(std::move(entry));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid()) {
    char text[256];
    const ssize_t size = status.st_size < static_cast<off_t>(sizeof text) ? ::read(fd.get(), text, sizeof text) : -1;
    if (size >= 0) entry.content.assign(text, static_cast<std::size_t>(size));
    entry.leftover = size == 0 ? (status.st_mode & 07777) == 0 : entry.content.starts_with("topo:");
  }
  return std::optional(std::move(entry));
}

Result<void> prepare_netns_folder() {
  if (::mkdir(netns_folder, 0755) != 0 && errno != EEXIST) return namespace_error("cannot make the folder of namespaces", errno, netns_folder);
  if (::mount("", netns_folder, "none", MS_SHARED | MS_REC, nullptr) == 0) return {};
  if (errno == EINVAL && ::mount(netns_folder, netns_folder, "none", MS_BIND | MS_REC, nullptr) == 0 &&
      ::mount("", netns_folder, "none", MS_SHARED | MS_REC, nullptr) == 0) {
    return {};
  }
  return namespace_error("cannot make the folder of namespaces a shared mount", errno, netns_folder);
}

Result<void> pin(const std::string& name, int netns_fd, const std::string& mark) {
  const std::string path = path_of(name);
  const std::string what = "cannot give namespace " + name + " its name";
  int error = link_marked_file(path, mark);
  if (error == EEXIST) {
    const auto found = open_named(name);
    if (found && *found && (*found)->leftover && ::unlink(path.c_str()) == 0) error = link_marked_file(path, mark);
  }
  if (error != 0) return namespace_error(what, error, path);
  if (::mount(own_path(netns_fd).c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    error = errno;
    ::unlink(path.c_str());
    return namespace_error(what, error, path);
  }
  return {};
}

bool bears_mark(const std::string& name, const std::string& mark) {
  // A copy of the folder's mount alone has nothing mounted on its files.
  const FileDescriptor folder(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, netns_folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  const FileDescriptor file(folder ? ::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1);
  std::string text(mark.size() + 1, '\0');
  return file && ::read(file.get(), text.data(), text.size()) == static_cast<ssize_t>(mark.size()) && text.starts_with(mark);
}

Result<void> unpin(const std::string& name, std::uint64_t inode) {
  const std::string path = path_of(name);
  const auto found = open_named(name);
  if (!found) return found.error();
  if (!*found) return {};
  const bool same = (*found)->netns && (*found)->netns.inode() == inode;
  if (!same && !(*found)->leftover) return {};
  const std::string what = "cannot remove namespace " + name;
  if (same && ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != ENOENT) return namespace_error(what, errno, path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return namespace_error(what, errno, path);
  return {};
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  constexpr rlim_t wanted = 65536;
  if (limit.rlim_cur >= wanted) return;
  const rlimit raised{wanted, std::max(limit.rlim_max, wanted)};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace topo::kernel
