#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "kernel/file_descriptor.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

constexpr const char* namespace_folder = "/run/netns";
constexpr int cannot_invoke = 126, not_found = 127;  // env(1)

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

std::vector<std::string> entries_of(const std::string& path) {
  std::vector<std::string> names;
  const Folder folder(::opendir(path.c_str()));
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

Error unknown_namespace(const std::string& ns) {
  Error error{Exit::invalid, "there is no namespace " + ns, {}, {}, {}, {}};
  if (const auto near = nearest(ns, entries_of(namespace_folder))) error.remedy = "did you mean '" + *near + "'?";
  return error;
}

Result<void> enter(const std::string& ns) {
  if (ns.empty() || ns == "." || ns == ".." || ns.find('/') != std::string::npos) return unknown_namespace(ns);
  const std::string path = std::string(namespace_folder) + "/" + ns;
  const kernel::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct statfs kind {};
  if (!fd && (errno == ENOENT || errno == ELOOP)) return unknown_namespace(ns);
  if (!fd || ::fstatfs(fd.get(), &kind) != 0) return Error{Exit::rolled_back, "cannot open namespace " + ns, path, std::strerror(errno), {}, {}};
  if (kind.f_type != NSFS_MAGIC) return Error{Exit::conflict, ns + " is no namespace", path, {}, "remove the file", {}};
  if (::setns(fd.get(), CLONE_NEWNET) != 0)
    return Error{Exit::unsupported, "cannot enter namespace " + ns, path, std::strerror(errno), "run topo as root", {}};
  return {};
}

Error mount_error(const std::string& what) { return Error{Exit::unsupported, what, {}, std::strerror(errno), {}, {}}; }

/// As `ip netns exec` does: a /sys that shows this namespace, and the files of /etc/netns/NS over those of /etc, for the command alone.
Result<void> mount_own_files(const std::string& ns) {
  if (::unshare(CLONE_NEWNS) != 0) return mount_error("cannot make a mount namespace");
  if (::mount("", "/", "none", MS_SLAVE | MS_REC, nullptr) != 0) return mount_error("cannot make mounts private");
  struct statvfs sys {};
  const unsigned long flags = ::statvfs("/sys", &sys) == 0 && (sys.f_flag & ST_RDONLY) != 0 ? MS_RDONLY : 0;
  if (::mount(ns.c_str(), "/sys", "sysfs", flags, nullptr) != 0) return mount_error("cannot mount the namespace's /sys");
  const std::string folder = "/etc/netns/" + ns;
  for (const auto& name : entries_of(folder)) {
    const std::string from = folder + "/" + name, to = "/etc/" + name;
    if (::mount(from.c_str(), to.c_str(), "none", MS_BIND, nullptr) != 0) warn("cannot bind " + from + " over " + to + ": " + std::strerror(errno));
  }
  return {};
}

int run_inside(const std::string& ns, std::vector<std::string> command) {
  if (auto allowed = need_privilege("enter a namespace"); !allowed) return static_cast<int>(complain(allowed.error()));
  if (auto entered = enter(ns); !entered) return static_cast<int>(complain(entered.error()));
  if (auto mounted = mount_own_files(ns); !mounted) return static_cast<int>(complain(mounted.error()));
  std::vector<char*> words;
  for (auto& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  const int problem = errno;
  complain(Error{Exit::rolled_back, "cannot run " + command.front(), {}, std::strerror(problem), {}, {}});
  return problem == ENOENT ? not_found : cannot_invoke;
}

}  // namespace

int exec(const Arguments& arguments) {
  if (!arguments.command_line.empty()) return run_inside(arguments.operands.front(), arguments.command_line);
  return static_cast<int>(complain(Error{Exit::invalid, "no command to run", {}, {}, "usage: topo exec NS [--] COMMAND...", {}}));
}

int shell(const Arguments& arguments) {
  const char* chosen = std::getenv("SHELL");
  return run_inside(arguments.operands.front(), {chosen != nullptr && *chosen != '\0' ? chosen : "/bin/sh"});
}

}  // namespace topo::cli
