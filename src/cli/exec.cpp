#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/environment.hpp"
#include "cli/inside.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "kernel/netns.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

constexpr int cannot_invoke = 126, not_found = 127;  // env(1)

Error unknown_namespace(const std::string& ns) {
  Error error{Exit::invalid, "there is no namespace " + ns, {}, {}, {}, {}};
  const auto names = kernel::namespace_names();
  if (const auto near = names ? nearest(ns, *names) : std::nullopt) error.remedy = "did you mean '" + *near + "'?";
  return error;
}

Result<void> enter(const std::string& ns) {
  if (ns.empty() || ns == "." || ns == ".." || ns.find('/') != std::string::npos) return unknown_namespace(ns);
  auto entry = kernel::open_named(ns);
  if (!entry) return std::move(entry).error();
  if (!*entry || !(*entry)->netns) return unknown_namespace(ns);
  if (::setns((*entry)->netns.get(), CLONE_NEWNET) == 0) return {};
  return Error{Exit::unsupported, "cannot enter namespace " + ns, {}, std::strerror(errno), "run topo as root", {}};
}

Error mount_error(const std::string& what) { return Error{Exit::unsupported, what, {}, std::strerror(errno), {}, {}}; }

/// As `ip netns exec` does: a /sys that shows this namespace, and the files of /etc/netns/NS over those of /etc, for the command alone.
Result<void> mount_own_files(const std::string& ns) {
  if (::unshare(CLONE_NEWNS) != 0) return mount_error("cannot make a mount namespace");
  if (::mount("", "/", "none", MS_SLAVE | MS_REC, nullptr) != 0) return mount_error("cannot make mounts private");
  struct statvfs sys {};
  const unsigned long flags = ::statvfs("/sys", &sys) == 0 && (sys.f_flag & ST_RDONLY) != 0 ? MS_RDONLY : 0;
  if (::mount(ns.c_str(), "/sys", "sysfs", flags, nullptr) != 0) return mount_error("cannot mount the namespace's /sys");
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/etc/netns/" + ns, none)) {
    const std::string from = entry.path(), to = "/etc/" + entry.path().filename().string();
    if (::mount(from.c_str(), to.c_str(), "none", MS_BIND, nullptr) != 0) warn("cannot bind " + from + " over " + to + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace

Result<void> enter_named(const std::string& ns) {
  if (auto entered = enter(ns); !entered) return entered;
  return mount_own_files(ns);
}

int cannot_run(const std::string& program, int problem) {
  complain(Error{Exit::rolled_back, "cannot run " + program, {}, std::strerror(problem), {}, {}});
  return problem == ENOENT ? not_found : cannot_invoke;
}

namespace {

/// As execve(2) takes them, as long as `words` lives.
std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

int run_inside(const std::string& ns, std::vector<std::string> command) {
  if (auto allowed = need_privilege("enter a namespace"); !allowed) return static_cast<int>(complain(allowed.error()));
  if (auto entered = enter_named(ns); !entered) return static_cast<int>(complain(entered.error()));
  auto environment = clean_environment(environ);
  close_others_on_exec();
  // Found by the caller's own PATH, which it is given as well.
  ::execvpe(command.front().c_str(), pointers(command).data(), pointers(environment).data());
  return cannot_run(command.front(), errno);
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
