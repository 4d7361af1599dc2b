#include "apply/state.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "apply/confirm/rendezvous.hpp"
#include "kernel/tree.hpp"
#include "vocabulary/fields.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

constexpr std::string_view format = "topo.applied/2", without_firewall = "topo.applied/1";
constexpr const char* file_name = "applied";
constexpr const char* unfinished_name = "applied.new";
constexpr std::size_t largest = std::size_t{256} << 20U;

std::string to_text(const Applied& applied) {
  std::string text;
  append_field(text, format);
  append_field(text, std::to_string(static_cast<int>(applied.firewall)));
  append_field(text, std::to_string(applied.set.size()));
  for (const auto& [name, value] : applied.set) {
    append_field(text, name);
    append_field(text, value);
  }
  for (const auto& source : applied.sources) {
    append_field(text, source.name);
    append_field(text, source.text);
  }
  return text;
}

std::optional<Applied> from_text(std::string_view text) {
  Applied applied;
  const auto version = take_field(text);
  if (version == format) {
    const auto choice = take_number(text);
    if (!choice || *choice < 0 || *choice > static_cast<int>(FirewallChoice::none)) return std::nullopt;
    applied.firewall = static_cast<FirewallChoice>(*choice);
  } else if (version != without_firewall) {
    return std::nullopt;
  }
  auto count = take_number(text);
  if (!count || *count < 0) return std::nullopt;
  while (!text.empty()) {
    auto first = take_field(text);
    auto second = take_field(text);
    if (!first || !second) return std::nullopt;
    if (*count > 0) {
      applied.set[*first] = *second;
      --*count;
    } else {
      applied.sources.push_back({std::move(*first), std::move(*second)});
    }
  }
  return *count == 0 && !applied.sources.empty() ? std::optional(std::move(applied)) : std::nullopt;
}

/// A folder in another, or none; a link to one is none.
kernel::FileDescriptor open_existing(int parent_fd, const std::string& folder) {
  return kernel::FileDescriptor(::openat(parent_fd, folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// The folder of one topology, or none. The name is checked, so that it cannot lead elsewhere.
kernel::FileDescriptor open_topology(const std::string& topology, const std::string& folder) {
  if (topology_name_problem(topology)) return {};
  return open_existing(open_existing(AT_FDCWD, folder).get(), topology);
}

bool write_file(int folder_fd, const std::string& text) {
  ::unlinkat(folder_fd, unfinished_name, 0);
  const kernel::FileDescriptor file(::openat(folder_fd, unfinished_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  return file && kernel::write_all(file.get(), text) && ::renameat(folder_fd, unfinished_name, folder_fd, file_name) == 0;
}

}  // namespace

bool operator==(const Applied& a, const Applied& b) {
  return a.set == b.set && a.firewall == b.firewall && std::equal(a.sources.begin(), a.sources.end(), b.sources.begin(), b.sources.end(),
                                      [](const Source& x, const Source& y) { return x.name == y.name && x.text == y.text; });
}

std::optional<Applied> recall(const std::string& topology, const std::string& folder) {
  const auto folder_fd = open_topology(topology, folder);
  if (!folder_fd) return std::nullopt;
  const kernel::FileDescriptor file(::openat(folder_fd.get(), file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_uid != ::geteuid()) return std::nullopt;
  std::string text;
  for (std::string block(std::size_t{1} << 16U, '\0'); text.size() <= largest;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(block, 0, static_cast<std::size_t>(got));
  }
  auto applied = from_text(text);
  if (applied) applied->when = found.st_mtime;
  return applied;
}

Result<void> record(const std::string& topology, const Applied& applied, const std::string& folder) {
  const std::string path = folder + "/" + topology;
  auto parent = open_folder(folder);
  if (!parent) return std::move(parent).error();
  auto own = open_folder(path);
  if (!own) return std::move(own).error();
  if (write_file(own->get(), to_text(applied))) return {};
  Error error{Exit::rolled_back, "cannot record what was applied", path, std::strerror(errno), {}, {}};
  ::unlinkat(own->get(), unfinished_name, 0);
  ::unlinkat(own->get(), file_name, 0);
  return error;
}

Result<void> forget(const std::string& topology, const std::string& folder) {
  if (topology_name_problem(topology)) return {};
  const std::string path = folder + "/" + topology;
  if (const auto own = open_topology(topology, folder)) {
    ::unlinkat(own.get(), unfinished_name, 0);
    ::unlinkat(own.get(), file_name, 0);
    // Commands that had ended when they were to be removed leave what they printed.
    if (auto gone = kernel::remove_tree(path + "/log"); !gone) return gone;
  }
  if (auto cleared = rendezvous::clear(folder, topology); !cleared) return cleared;
  ::unlink((path + ".lock").c_str());
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  return Error{Exit::rolled_back, "cannot remove what is recorded of " + topology, path, std::strerror(errno), "rm -r " + path, {}};
}

std::vector<std::string> recorded(const std::string& folder) {
  std::vector<std::string> names;
  const auto close = [](DIR* directory) { ::closedir(directory); };
  auto folder_fd = open_existing(AT_FDCWD, folder);
  const std::unique_ptr<DIR, decltype(close)> directory(::fdopendir(folder_fd.get()), close);
  if (!directory) return names;
  (void)folder_fd.release();
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (!topology_name_problem(name) && recall(name, folder)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace topo
