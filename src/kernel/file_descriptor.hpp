// Owner of one file descriptor, and what is done with them.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace topo::kernel {

/// Closes its descriptor when it goes. -1 is "none".
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { reset(); }

  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  /// Identity of the file among those of its filesystem; 0 where there is none.
  [[nodiscard]] std::uint64_t inode() const {
    struct stat status {};
    return ::fstat(fd_, &status) == 0 ? status.st_ino : 0;
  }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Writes all of `text`, to a file or a pipe; false, and errno set, where not all of it could be.
[[nodiscard]] bool write_all(int fd, std::string_view text);

}  // namespace topo::kernel
