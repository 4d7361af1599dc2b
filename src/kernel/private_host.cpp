#include "kernel/private_host.hpp"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernel/channel.hpp"
#include "kernel/entrance.hpp"
#include "kernel/netns.hpp"
#include "kernel/sysctl.hpp"

namespace topo::kernel {
namespace {

bool is(const char* setting, const char* value) {
  const auto found = read_sysctl(setting);
  return found && *found == value;
}

/// A kind of namespaces, and how many of them there may be.
struct Limit {
  const char* kind = nullptr;
  const char* setting = nullptr;  ///< "max_net_namespaces"
};
constexpr std::array limits{Limit{"network", "max_net_namespaces"}, Limit{"mount", "max_mnt_namespaces"}, Limit{"process", "max_pid_namespaces"}};

/// The first of which none may be, as the calling process sees it.
std::optional<Limit> find_forbidden() {
  for (const Limit& limit : limits) {
    if (is((std::string("user/") + limit.setting).c_str(), "0")) return limit;
  }
  return std::nullopt;
}

/// As the machine had it when this process left its user namespace: the limits of that count on, and in the new one no process can read them.
std::optional<Limit> forbidden_outside;

/// What the kernel refused to a process that is on its way to a private host, and why it may have.
Error refused(const std::string& what, int error) {
  Error failure{Exit::unsupported, what, {}, std::strerror(error), "run topo as root", {}};
  if (error == ENOSPC) {
    const auto forbidden = forbidden_outside ? forbidden_outside : find_forbidden();
    if (forbidden) {
      failure.kernel = std::string("this machine allows no ") + forbidden->kind + " namespaces";
      failure.remedy = std::string("sudo sysctl -w user.") + forbidden->setting + "=10000";
      return failure;
    }
  }
  if (const auto ban = user_namespace_ban()) {
    failure.kernel = "this machine keeps user namespaces from users without privilege (" + ban->setting + ")";
    failure.remedy = ban->remedy + "; or run topo as root";
  } else if (error == ENOSPC || error == EUSERS) {
    failure.kernel += ": too many namespaces are in use, or in one another";
  } else if (error == EINVAL) {
    failure.kernel = "this kernel has no such namespaces";
  } else if (error == EPERM || error == EACCES) {
    failure.remedy += "; in a container: start that with --privileged";
  }
  return failure;
}

bool write_file(const char* path, const std::string& text) {
  const FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// The first process of a process namespace: the kernel kills all the others when it dies.
[[noreturn]] void adopt_orphans(const FileDescriptor& maker) {
  ::signal(SIGCHLD, SIG_IGN);  // what it adopts leaves no zombies
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Had the maker died before, its death would be none that kills; but then it takes no word either.
  if (::send(maker.get(), "", 1, MSG_NOSIGNAL) != 1) std::_Exit(EXIT_FAILURE);
  // Whoever reads what the command writes waits for no other writer.
  ::close_range(0, ~0U, 0);
  for (;;) ::pause();
}

Result<void> mount_own(const char* type, const char* target, unsigned long flags, const char* options = nullptr) {
  if (::mount(type, target, type, flags | MS_NOSUID | MS_NODEV, options) == 0) return {};
  const bool denied = errno == EPERM || errno == EACCES;
  return Error{denied ? Exit::unsupported : Exit::rolled_back,
               std::string("cannot mount a ") + target + " of the private host's own",
               {},
               std::strerror(errno),
               denied ? "in a container, which hides parts of it: start that with --privileged, or with --security-opt systempaths=unconfined" : "",
               {}};
}

/// New network and mount namespaces, and what `more` says.
Result<void> leave(int more) {
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET | more) != 0) return refused("cannot make a private host", errno);
  // What the machine mounts and unmounts goes on to be seen; nothing goes the other way.
  if (::mount("", "/", "none", MS_SLAVE | MS_REC, nullptr) != 0) return refused("cannot make mounts private", errno);
  return {};
}

Result<void> mount_run() { return mount_own("tmpfs", "/run", 0, "mode=755"); }

Result<void> raise_loopback() {
  auto here = own_namespace();
  if (!here) return std::move(here).error();
  Channel channel(here->get(), here->get());
  ifinfomsg fixed{};
  fixed.ifi_index = 1;
  fixed.ifi_flags = IFF_UP;
  fixed.ifi_change = IFF_UP;
  Batch batch;
  batch.add(Message(RTM_NEWLINK, 0, fixed, 64), "cannot bring up the loopback");
  return channel.perform(batch);
}

}  // namespace

std::optional<Ban> user_namespace_ban() {
  if (is("user/max_user_namespaces", "0")) return Ban{"user.max_user_namespaces is 0", "sudo sysctl -w user.max_user_namespaces=10000"};
  if (is("kernel/unprivileged_userns_clone", "0"))
    return Ban{"kernel.unprivileged_userns_clone is 0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"};
  if (is("kernel/apparmor_restrict_unprivileged_userns", "1"))
    return Ban{"AppArmor: kernel.apparmor_restrict_unprivileged_userns is 1", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"};
  return std::nullopt;
}

Result<void> become_root() {
  const std::string user = std::to_string(::geteuid()), group = std::to_string(::getegid());
  const char* const what = "cannot make a user namespace";
  forbidden_outside = find_forbidden();
  if (::unshare(CLONE_NEWUSER) != 0) return refused(what, errno);
  // Without setgroups(2), which could give up a group that something is refused to, one's own group needs no privilege to be mapped.
  const bool mapped = write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", "0 " + user + " 1") &&
                      write_file("/proc/self/gid_map", "0 " + group + " 1");
  if (!mapped) return refused(what, errno);
  return {};
}

Result<PrivateHost> PrivateHost::make() {
  if (auto left = leave(CLONE_NEWPID); !left) return std::move(left).error();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return refused("cannot make a private host", errno);
  FileDescriptor own(ends[0]), its(ends[1]);
  const pid_t first = ::fork();
  if (first < 0) return refused("cannot make a private host", errno);
  if (first == 0) {
    own.reset();
    adopt_orphans(its);
  }
  its.reset();
  PrivateHost host(first);
  char word = 0;
  ssize_t got = -1;
  while ((got = ::recv(own.get(), &word, 1, 0)) < 0 && errno == EINTR) {
  }
  // Until now a death of this process would have left the other one; whatever is made from here on ends with it.
  if (got != 1) return refused("cannot make a private host", ECHILD);
  return host;
}

Result<void> try_processes() {
  // In a child: the processes that this one starts later are to be where it is.
  const pid_t child = ::fork();
  if (child < 0) return refused("cannot start a process", errno);
  if (child == 0) std::_Exit(::unshare(CLONE_NEWPID) == 0 ? 0 : errno);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const int error = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
  return error == 0 ? Result<void>() : refused("cannot make a private host", error);
}

PrivateHost::~PrivateHost() {
  if (first_ < 0) return;
  ::kill(first_, SIGKILL);
  // The kernel lets the first process be waited for when there is no other left.
  while (::waitpid(first_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<void> settle_network() {
  if (auto raised = raise_loopback(); !raised) return raised;
  // The first before the others, which it resets.
  std::vector<std::string> inherited{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"};
  for (const std::string interface : {"all", "default"}) {
    for (const char* name : {"rp_filter", "arp_ignore", "arp_announce", "arp_filter", "proxy_arp", "route_localnet", "accept_local"})
      inherited.push_back("net/ipv4/conf/" + interface + "/" + name);
  }
  for (const auto& name : inherited) {
    const auto there = read_sysctl(name);
    if (!there) return there.error();
    if (!*there || **there == "0") continue;
    if (auto written = write_sysctl(name, "0"); !written) return written;
  }
  return {};
}

Result<void> furnish(bool lays_over_etc) {
  struct statvfs sys {};
  const unsigned long read_only = ::statvfs("/sys", &sys) == 0 && (sys.f_flag & ST_RDONLY) != 0 ? MS_RDONLY : 0;
  if (auto mounted = mount_own("proc", "/proc", MS_NOEXEC); !mounted) return mounted;
  if (auto mounted = mount_own("sysfs", "/sys", MS_NOEXEC | read_only); !mounted) return mounted;
  if (auto mounted = mount_run(); !mounted) return mounted;
  constexpr mode_t for_all = 01777;
  if (::mkdir("/run/lock", for_all) == 0) (void)::chmod("/run/lock", for_all);
  if (auto provided = provide_etc(lays_over_etc); !provided) return provided;
  return settle_network();
}

Result<void> retire() {
  if (auto left = leave(0); !left) return left;
  if (auto mounted = mount_run(); !mounted) return mounted;
  if (auto provided = provide_etc(true); !provided) return provided;
  return settle_network();
}

}  // namespace topo::kernel
