#include "kernel/sysctl.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "kernel/file_descriptor.hpp"

namespace topo::kernel {
namespace {

std::string path_of(const std::string& name) { return "/proc/sys/" + name; }

Error sysctl_error(const std::string& verb, const std::string& name, int error) {
  return {Exit::rolled_back, "cannot " + verb + " " + name, path_of(name), std::strerror(error), {}, {}};
}

std::string tidy(std::string_view text) {
  std::string tidied;
  bool gap = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n') {
      gap = !tidied.empty();
      continue;
    }
    if (gap) tidied += '\t';
    gap = false;
    tidied += c;
  }
  return tidied;
}

}  // namespace

Result<std::optional<std::string>> read_sysctl(const std::string& name) {
  const FileDescriptor fd(::open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::optional<std::string>{};
  if (!fd) return sysctl_error("read", name, errno);
  char text[4096];
  const ssize_t size = ::read(fd.get(), text, sizeof text);
  if (size < 0) return sysctl_error("read", name, errno);
  return std::optional(tidy({text, static_cast<std::size_t>(size)}));
}

bool has_no_value(const Error& error) { return error.kernel == std::strerror(EACCES) || error.kernel == std::strerror(EIO); }

Result<void> write_sysctl(const std::string& name, const std::string& value) {
  const FileDescriptor fd(::open(path_of(name).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return sysctl_error("set", name, errno);
  const std::string_view text = value.empty() ? "\n" : std::string_view(value);  // to write nothing changes nothing
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return sysctl_error("set", name, errno);
  return {};
}

}  // namespace topo::kernel
