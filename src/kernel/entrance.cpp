#include "kernel/entrance.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "kernel/netns.hpp"
#include "topo/names.hpp"

namespace topo::kernel {
namespace {

namespace fs = std::filesystem;

constexpr const char* etc = "/etc";
constexpr const char* scaffold = "/run/etc";

Error entrance_error(const std::string& what, Exit exit = Exit::unsupported) { return Error{exit, what, {}, std::strerror(errno), {}, {}}; }

Error unknown_namespace(const std::string& ns) {
  Error error{Exit::invalid, "there is no namespace " + ns, {}, {}, {}, {}};
  const auto names = namespace_names();
  if (const auto near = names ? nearest(ns, *names) : std::nullopt) error.remedy = "did you mean '" + *near + "'?";
  return error;
}

Result<void> enter(const std::string& ns) {
  if (ns.empty() || ns == "." || ns == ".." || ns.find('/') != std::string::npos) return unknown_namespace(ns);
  auto entry = open_named(ns);
  if (!entry) return std::move(entry).error();
  if (!*entry || !(*entry)->netns) return unknown_namespace(ns);
  if (::setns((*entry)->netns.get(), CLONE_NEWNET) == 0) return {};
  return Error{Exit::unsupported, "cannot enter namespace " + ns, {}, std::strerror(errno), "run topo as root", {}};
}

bool bind_mount(const std::string& from, const std::string& to, unsigned long more = 0) {
  return ::mount(from.c_str(), to.c_str(), "none", MS_BIND | more, nullptr) == 0;
}

/// In a folder of its own, whatever the machine has in /etc: links as they are, the rest mounted.
Result<void> build_etc() {
  std::error_code error;
  for (fs::directory_iterator at(etc, error), end; !error && at != end; at.increment(error)) {
    const std::string from = at->path(), to = std::string(scaffold) + "/" + at->path().filename().string();
    std::error_code trouble;
    const auto status = at->symlink_status(trouble);
    if (fs::is_symlink(status)) {
      fs::copy_symlink(from, to, trouble);
    } else if (fs::is_directory(status)) {
      if (::mkdir(to.c_str(), 0755) != 0 || !bind_mount(from, to, MS_REC)) return entrance_error("cannot mount " + from);
    } else if (fs::is_regular_file(status)) {
      const FileDescriptor file(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (!file || !bind_mount(from, to)) return entrance_error("cannot mount " + from);
    }
  }
  return {};
}

Result<void> make_etc() {
  if (::mkdir(scaffold, 0755) != 0 || ::mount("tmpfs", scaffold, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0)
    return entrance_error("cannot mount an /etc of the private host's own");
  if (auto built = build_etc(); !built) return built;
  if (::mkdir((std::string(scaffold) + "/netns").c_str(), 0755) != 0 || ::mount(scaffold, etc, "none", MS_MOVE, nullptr) != 0)
    return entrance_error("cannot mount an /etc of the private host's own");
  (void)::rmdir(scaffold);
  return {};
}

/// Makes `path` what it is by its first link, whether or not anything is there; false where it has none.
bool follow_one_link(fs::path& path) {
  fs::path at;
  for (auto part = path.begin(); part != path.end(); ++part) {
    std::error_code error;
    const fs::path next = *part == ".." ? at.parent_path() : at / *part;
    const fs::path target = *part == ".." ? fs::path() : fs::read_symlink(next, error);
    if (error || target.empty()) {
      at = next;
      continue;
    }
    at /= target;  // which begins anew where it is absolute
    while (++part != path.end()) at /= *part;
    path = at;
    return true;
  }
  path = at;
  return false;
}

/// Where `path` leads in the end, be that there or not; fs::weakly_canonical stops at a link that leads to nothing. Empty where it leads in circles.
fs::path end_of(fs::path path) {
  constexpr int links_max = 40;  // as for the kernel, path_resolution(7)
  for (int links = 0; links <= links_max; ++links) {
    if (!follow_one_link(path)) return path;
  }
  return {};
}

/// The machine's /etc/resolv.conf may lead into its /run, which is not there: nothing could be mounted over it.
void provide_resolver_file() {
  std::error_code error;
  const fs::path target = end_of("/etc/resolv.conf");
  if (!target.string().starts_with("/run/") || fs::exists(target, error)) return;
  fs::create_directories(target.parent_path(), error);
  const FileDescriptor file(::open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

}  // namespace

Result<std::vector<std::string>> enter_named(const std::string& ns) {
  if (auto entered = enter(ns); !entered) return std::move(entered).error();
  if (::unshare(CLONE_NEWNS) != 0) return entrance_error("cannot make a mount namespace");
  if (::mount("", "/", "none", MS_SLAVE | MS_REC, nullptr) != 0) return entrance_error("cannot make mounts private");
  struct statvfs sys {};
  const unsigned long flags = ::statvfs("/sys", &sys) == 0 && (sys.f_flag & ST_RDONLY) != 0 ? MS_RDONLY : 0;
  if (::mount(ns.c_str(), "/sys", "sysfs", flags, nullptr) != 0) return entrance_error("cannot mount the namespace's /sys");
  std::vector<std::string> warnings;
  std::error_code none;
  for (fs::directory_iterator at(std::string(netns_etc_folder) + "/" + ns, none), end; !none && at != end; at.increment(none)) {
    const std::string from = at->path(), to = std::string(etc) + "/" + at->path().filename().string();
    if (!bind_mount(from, to)) warnings.push_back("cannot bind " + from + " over " + to + ": " + std::strerror(errno));
  }
  return warnings;
}

Result<void> provide_etc(bool needed) {
  provide_resolver_file();
  struct stat found {};
  const bool is_there = ::stat(netns_etc_folder, &found) == 0 && S_ISDIR(found.st_mode);
  if (!is_there) return needed ? make_etc() : Result<void>();
  if (::mount("tmpfs", netns_etc_folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0) return {};
  return entrance_error("cannot mount an /etc/netns of the private host's own");
}

}  // namespace topo::kernel
