#include "firewall/modules.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace topo::firewall {

bool load_module(const std::string& name) {
  for (const char* path : {"/sbin/modprobe", "/usr/sbin/modprobe"}) {
    if (::access(path, X_OK) != 0) continue;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd <= 2; ++fd) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    std::string program = path, quiet = "-q", end = "--", module = name, search = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char* arguments[] = {program.data(), quiet.data(), end.data(), module.data(), nullptr};
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

bool may_lack_modules() {
  const auto there = [](const char* path) { return ::access(path, F_OK) == 0; };
  // What comes with ip_tables, ip6_tables and br_netfilter.
  return there("/proc/modules") && !(there("/proc/net/ip_tables_names") && there("/proc/net/ip6_tables_names") && there("/proc/sys/net/bridge"));
}

}  // namespace topo::firewall
