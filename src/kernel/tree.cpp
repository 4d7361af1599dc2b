#include "kernel/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <optional>

#include "kernel/file_descriptor.hpp"

namespace topo::kernel {
namespace {

constexpr mode_t permissions = 0777;
constexpr std::size_t content_max = std::size_t{64} << 20U;  ///< of what somebody put there; topo puts less
constexpr int depth_max = 64;

Error tree_error(const std::string& what, const std::string& path, int error) {
  const bool denied = error == EROFS || error == EACCES || error == EPERM;
  return {denied ? Exit::unsupported : Exit::rolled_back, what, path, std::strerror(error), denied ? "have " + path + " writable and root's" : "", {}};
}

struct Entry {
  std::string name;
  struct stat status {};
};

/// What is in an open folder, itself and its parent left out.
Result<std::vector<Entry>> entries_of(int folder_fd, const std::string& path) {
  FileDescriptor again(::openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(again.get()), ::closedir);
  if (!folder) return tree_error("cannot read a folder", path, errno);
  (void)again.release();
  std::vector<Entry> found;
  errno = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    Entry one;
    one.name = entry->d_name;
    if (one.name == "." || one.name == "..") continue;
    if (::fstatat(folder_fd, one.name.c_str(), &one.status, AT_SYMLINK_NOFOLLOW) == 0) found.push_back(std::move(one));
    errno = 0;
  }
  if (errno != 0) return tree_error("cannot read a folder", path, errno);
  return found;
}

FileDescriptor open_in(int folder_fd, const std::string& name) {
  return FileDescriptor(::openat(folder_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::string content_of(int folder_fd, const Entry& entry) {
  if (S_ISLNK(entry.status.st_mode)) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(folder_fd, entry.name.c_str(), target.data(), target.size());
    return {target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  if (!S_ISREG(entry.status.st_mode)) return {};
  const FileDescriptor file(::openat(folder_fd, entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  std::string text(std::min(static_cast<std::size_t>(entry.status.st_size), content_max), '\0');
  std::size_t read = 0;
  for (ssize_t got = 1; file && read < text.size() && got > 0; read += static_cast<std::size_t>(std::max<ssize_t>(got, 0)))
    got = ::read(file.get(), text.data() + read, text.size() - read);
  text.resize(read);
  return text;
}

Result<void> read_below(int folder_fd, const std::string& path, const std::string& below, int depth, EtcFiles& files) {
  const auto entries = entries_of(folder_fd, path);
  if (!entries) return entries.error();
  for (const Entry& entry : *entries) {
    const std::string inside = below + entry.name;
    if (S_ISDIR(entry.status.st_mode) && depth > 0) {
      const auto folder = open_in(folder_fd, entry.name);
      if (!folder) return tree_error("cannot read a folder", path + "/" + entry.name, errno);
      if (auto done = read_below(folder.get(), path + "/" + entry.name, inside + "/", depth - 1, files); !done) return done;
      continue;
    }
    const bool regular = S_ISREG(entry.status.st_mode);
    const std::uint32_t mode = entry.status.st_mode & (regular ? permissions : permissions | S_IFMT);
    files[inside] = {mode, std::make_shared<const std::string>(content_of(folder_fd, entry))};
  }
  return {};
}

Result<void> remove_below(int folder_fd, const std::string& path, int depth) {
  const auto entries = entries_of(folder_fd, path);
  if (!entries) return entries.error();
  for (const Entry& entry : *entries) {
    const bool folder = S_ISDIR(entry.status.st_mode);
    if (folder && depth > 0) {
      if (const auto inner = open_in(folder_fd, entry.name)) {
        if (auto done = remove_below(inner.get(), path + "/" + entry.name, depth - 1); !done) return done;
      }
    }
    if (::unlinkat(folder_fd, entry.name.c_str(), folder ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
      return tree_error("cannot remove a file", path + "/" + entry.name, errno);
  }
  return {};
}

/// Removes whatever has that name.
Result<void> remove_entry(int folder_fd, const std::string& name, const std::string& path) {
  if (::unlinkat(folder_fd, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return tree_error("cannot remove a file", path, errno);
  if (const auto folder = open_in(folder_fd, name)) {
    if (auto done = remove_below(folder.get(), path, depth_max); !done) return done;
  }
  if (::unlinkat(folder_fd, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  return tree_error("cannot remove a folder", path, errno);
}

Result<FileDescriptor> make_folder(int folder_fd, const std::string& name, const std::string& path) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (::mkdirat(folder_fd, name.c_str(), 0755) != 0 && errno != EEXIST) return tree_error("cannot make a folder", path, errno);
    FileDescriptor folder = open_in(folder_fd, name);
    if (folder) return folder;
    if (auto gone = remove_entry(folder_fd, name, path); !gone) return std::move(gone).error();
  }
  return tree_error("cannot make a folder", path, ENOTDIR);
}

Result<void> write_file(int folder_fd, const std::string& name, const EtcFile& file, const std::string& path) {
  const bool type = (file.mode & S_IFMT) != 0;  // what somebody put there and a rollback puts back
  if (type) {
    if (auto gone = remove_entry(folder_fd, name, path); !gone) return gone;
    if (S_ISLNK(file.mode) && ::symlinkat(file.text().c_str(), folder_fd, name.c_str()) == 0) return {};
    if (S_ISFIFO(file.mode) && ::mkfifoat(folder_fd, name.c_str(), file.mode & permissions) == 0) return {};
    return tree_error("cannot put back what somebody had put there", path, S_ISLNK(file.mode) || S_ISFIFO(file.mode) ? errno : EINVAL);
  }
  FileDescriptor out;
  for (int attempt = 0; attempt < 2 && !out; ++attempt) {
    out.reset(::openat(folder_fd, name.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
    struct stat found {};
    if (out && ::fstat(out.get(), &found) == 0 && S_ISREG(found.st_mode)) break;
    out.reset();
    if (auto gone = remove_entry(folder_fd, name, path); !gone) return gone;
  }
  const auto size = static_cast<off_t>(file.text().size());
  // Its mode first where that keeps others out, and nothing is cut off before the rest is written.
  if (out && ::fchmod(out.get(), file.mode & permissions) == 0 && write_all(out.get(), file.text()) && ::ftruncate(out.get(), size) == 0) return {};
  return tree_error("cannot write a file", path, errno);
}

Result<void> put_file(int folder_fd, const std::string& path, const EtcFile& file, const std::string& root) {
  FileDescriptor inner;
  int in = folder_fd;
  std::size_t begin = 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', begin)) {
    auto made = make_folder(in, path.substr(begin, slash - begin), root + "/" + path.substr(0, slash));
    if (!made) return std::move(made).error();
    inner = std::move(*made);
    in = inner.get();
    begin = slash + 1;
  }
  return write_file(in, path.substr(begin), file, root + "/" + path);
}

/// Folders without a file in them go as well.
Result<void> take_file(int folder_fd, const std::string& path, const std::string& root) {
  const std::size_t slash = path.find('/');
  if (slash == std::string::npos) return remove_entry(folder_fd, path, root + "/" + path);
  const std::string first = path.substr(0, slash);
  const auto inner = open_in(folder_fd, first);
  if (!inner) return {};
  if (auto done = take_file(inner.get(), path.substr(slash + 1), root + "/" + first); !done) return done;
  (void)::unlinkat(folder_fd, first.c_str(), AT_REMOVEDIR);
  return {};
}

}  // namespace

std::set<std::string> names_in(const std::string& path) {
  std::set<std::string> names;
  const auto folder = open_in(AT_FDCWD, path);
  const auto entries = folder ? entries_of(folder.get(), path) : Result<std::vector<Entry>>(std::vector<Entry>());
  for (const Entry& entry : entries ? *entries : std::vector<Entry>()) names.insert(entry.name);
  return names;
}

Result<EtcFiles> read_tree(const std::string& path) {
  EtcFiles files;
  const auto folder = open_in(AT_FDCWD, path);
  if (!folder) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return files;
    return tree_error("cannot read a folder", path, errno);
  }
  if (auto read = read_below(folder.get(), path, "", depth_max, files); !read) return std::move(read).error();
  return files;
}

Result<void> write_tree(const std::string& path, const EtcFiles& files) {
  const auto folder = make_folder(AT_FDCWD, path, path);
  if (!folder) return folder.error();
  if (::fchmod(folder->get(), 0755) != 0) return tree_error("cannot make a folder", path, errno);
  const auto there = read_tree(path);
  if (!there) return there.error();
  for (const auto& [name, file] : *there) {
    if (files.contains(name)) continue;
    if (auto gone = take_file(folder->get(), name, path); !gone) return gone;
  }
  for (const auto& [name, file] : files) {
    const auto same = there->find(name);
    if (same != there->end() && same->second == file) continue;
    if (auto put = put_file(folder->get(), name, file, path); !put) return put;
  }
  return {};
}

Result<void> remove_tree(const std::string& path) { return remove_entry(AT_FDCWD, path, path); }

Result<std::string> make_folders(const std::vector<std::string>& folders) {
  std::string path;
  for (const auto& folder : folders) {
    path += (path.empty() ? "" : "/") + folder;
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return tree_error("cannot make a folder", path, errno);
    struct stat found {};
    const bool own = ::lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() && (found.st_mode & 022U) == 0;
    if (!own) return Error{Exit::conflict, path + " is not topo's", {}, "another user owns it or may write to it", "remove it", {}};
  }
  return path;
}

}  // namespace topo::kernel
