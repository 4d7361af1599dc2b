#include "apply/confirm/rendezvous.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "apply/fields.hpp"
#include "apply/locks.hpp"
#include "topo/names.hpp"

namespace topo::rendezvous {
namespace {

constexpr std::string_view ending = ".confirm", unfinished_ending = ".confirm.new", lock_ending = ".lock", note = "taken back\n";
constexpr int waiting_clients = 16;
constexpr timeval patience{5, 0};

std::string name_of(const std::string& topology, std::string_view end = ending) { return topology + std::string(end); }

/// The folder, where it is there and is topo's own; never made.
kernel::FileDescriptor existing(const std::string& folder) {
  kernel::FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  const bool own = fd && ::fstat(fd.get(), &status) == 0 && status.st_uid == ::geteuid() && (status.st_mode & 022U) == 0;
  if (own) return fd;
  errno = EPERM;
  return {};
}

/// By the folder's descriptor: it is the folder that was looked at, and the path is short enough however long the folder's is.
sockaddr_un address_of(const kernel::FileDescriptor& folder, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
  std::memcpy(&address.sun_path[0], path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

Error failure(const std::string& what, const std::string& folder, const std::string& topology) {
  return Error{Exit::rolled_back, what, folder + "/" + name_of(topology), std::strerror(errno), {}, {}};
}

}  // namespace

Found find(const std::string& folder, const std::string& topology) {
  if (topology_name_problem(topology)) return {};
  struct stat status {};
  const auto is_socket = [&](int fd, const std::string& path) {
    return ::fstatat(fd, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(status.st_mode);
  };
  const auto is_note = [&](int fd, const std::string& path) {
    return ::fstatat(fd, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
  };
  const std::string place = name_of(topology), lock = name_of(topology, lock_ending), path = folder + "/";
  // Nothing is there nearly always, and that costs two calls.
  if (!is_socket(AT_FDCWD, path + place) && !is_note(AT_FDCWD, path + lock)) return {};
  const auto folder_fd = existing(folder);
  if (folder_fd && is_socket(folder_fd.get(), place)) return {Found::What::socket, status.st_ino, 0};
  if (folder_fd && is_note(folder_fd.get(), lock)) return {Found::What::note, 0, status.st_mtim.tv_sec};
  return {};
}

std::vector<std::string> topologies(const std::string& folder) {
  std::vector<std::string> names;
  const auto close = [](DIR* directory) { ::closedir(directory); };
  auto folder_fd = existing(folder);
  const std::unique_ptr<DIR, decltype(close)> directory(::fdopendir(folder_fd.get()), close);
  if (!directory) return names;
  (void)folder_fd.release();
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    const std::string topology = name.substr(0, name.find('.'));
    if ((name == name_of(topology) || name == name_of(topology, lock_ending)) && find(folder, topology).what != Found::What::nothing)
      names.push_back(topology);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<kernel::FileDescriptor> listen(const std::string& folder, const std::string& topology) {
  auto folder_fd = open_folder(folder);
  if (!folder_fd) return std::move(folder_fd).error();
  const std::string unfinished = name_of(topology, unfinished_ending);
  ::unlinkat(folder_fd->get(), unfinished.c_str(), 0);
  kernel::FileDescriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of(*folder_fd, unfinished);
  const mode_t before = ::umask(0177);
  const bool bound = listener && ::bind(listener.get(), generic(address), sizeof address) == 0;
  ::umask(before);
  // It listens before it is there, so that whoever finds it is heard.
  if (bound && ::listen(listener.get(), waiting_clients) == 0 &&
      ::renameat(folder_fd->get(), unfinished.c_str(), folder_fd->get(), name_of(topology).c_str()) == 0) {
    return listener;
  }
  const int error = errno;
  ::unlinkat(folder_fd->get(), unfinished.c_str(), 0);
  errno = error;
  return failure("cannot listen for a confirmation", folder, topology);
}

kernel::FileDescriptor connect(const std::string& folder, const std::string& topology) {
  const auto folder_fd = existing(folder);
  if (!folder_fd) return {};
  kernel::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return {};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const sockaddr_un address = address_of(folder_fd, name_of(topology));
  if (::connect(socket.get(), generic(address), sizeof address) == 0) return socket;
  const int error = errno;
  socket.reset();
  errno = error;
  return {};
}

Result<void> leave_note(const std::string& folder, const std::string& topology) {
  auto folder_fd = open_folder(folder);
  if (!folder_fd) return std::move(folder_fd).error();
  const kernel::FileDescriptor file(
      ::openat(folder_fd->get(), name_of(topology, lock_ending).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  const bool noted = file && write_all(file.get(), note);
  const int error = errno;
  if ((::unlinkat(folder_fd->get(), name_of(topology).c_str(), 0) == 0 || errno == ENOENT) && noted) return {};
  if (!noted) errno = error;
  return failure("cannot note that the change was taken back", folder, topology);
}

Result<void> clear(const std::string& folder, const std::string& topology) {
  const std::string place = name_of(topology), lock = name_of(topology, lock_ending);
  for (auto found = find(folder, topology); found.what != Found::What::nothing; found = find(folder, topology)) {
    const auto folder_fd = existing(folder);
    const bool cleared = found.what == Found::What::socket
                             ? ::unlinkat(folder_fd.get(), place.c_str(), 0) == 0
                             : static_cast<bool>(kernel::FileDescriptor(::openat(folder_fd.get(), lock.c_str(), O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC)));
    if (!cleared && errno != ENOENT) return failure("cannot remove what is left of a confirmation", folder, topology);
  }
  return {};
}

}  // namespace topo::rendezvous
