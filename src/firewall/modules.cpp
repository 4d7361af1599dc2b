#include "firewall/modules.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace topo::firewall {

namespace {

bool loads = true;
std::vector<std::string> asked_for;

/// Runs modprobe with `option`; false where there is none or it refuses.
bool run_modprobe(std::string option, const std::string& name) {
  for (const char* path : {"/sbin/modprobe", "/usr/sbin/modprobe"}) {
    if (::access(path, X_OK) != 0) continue;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd <= 2; ++fd) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    std::string program = path, end = "--", module = name, search = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char* arguments[] = {program.data(), option.data(), end.data(), module.data(), nullptr};
    char* environment[] = {search.data(), nullptr};
    pid_t child = -1;
    const int failed = posix_spawn(&child, path, &actions, nullptr, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) continue;
    int status = -1;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return false;
}

}  // namespace

bool load_module(const std::string& name) {
  if (loads) return run_modprobe("-q", name);
  asked_for.push_back(name);
  return false;
}

void load_no_modules() { loads = false; }

std::vector<std::string> take_modules_asked_for() { return std::exchange(asked_for, {}); }

bool has_module(const std::string& name) { return run_modprobe("-qn", name); }

bool may_lack_modules() {
  const auto there = [](const char* path) { return ::access(path, F_OK) == 0; };
  // What comes with ip_tables, ip6_tables and br_netfilter.
  return there("/proc/modules") && !(there("/proc/net/ip_tables_names") && there("/proc/net/ip6_tables_names") && there("/proc/sys/net/bridge"));
}

}  // namespace topo::firewall
