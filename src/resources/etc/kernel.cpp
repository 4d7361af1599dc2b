#include "resources/etc/kernel.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <map>
#include <set>

#include "kernel/file_descriptor.hpp"
#include "kernel/tree.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

/// That topo made the folder of links, so that the last link takes it along. Lost, an empty folder stays.
constexpr const char* made_folder = "/run/topo/host.etc-netns";

std::string in_etc(const std::string& name) { return "/etc/" + name; }
std::string link_path(const std::string& ns) { return std::string(netns_etc_folder) + "/" + ns; }
std::string own_folder(const std::string& topology, const std::string& ns) {
  const std::string files = etc_folder(topology, ns);
  return files.substr(0, files.rfind('/'));
}
std::string origin_path(const std::string& topology, const std::string& ns) { return own_folder(topology, ns) + "/origin"; }

/// Where a link leads; empty where there is none.
std::string target_of(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  return {target.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

Error file_error(const std::string& what, const std::string& path, int error) {
  const bool denied = error == EROFS || error == EACCES || error == EPERM;
  return {denied ? Exit::unsupported : Exit::rolled_back, what, path, std::strerror(error), denied ? "have " + path + " writable" : "", {}};
}

std::string whose(const std::string& ns) {
  const auto owner = owner_of_etc(target_of(link_path(ns)), ns);
  return owner ? "belongs to topology " + *owner : "is not made by topo";
}

bool is_linked(const std::string& topology, const std::string& ns) { return target_of(link_path(ns)) == etc_folder(topology, ns); }

/// A link comes to lead to `target` where nothing was, or another of topo's own.
Result<void> make_link(const std::string& path, const std::string& target) {
  if (::symlink(target.c_str(), path.c_str()) == 0) return {};
  return file_error("cannot make a link", path, errno);
}

Result<void> note_origin(const Etc& etc, const std::string& topology) {
  const std::string path = origin_path(topology, etc.ns);
  if (target_of(path) == etc.folder) return {};
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return file_error("cannot remove a link", path, errno);
  return etc.folder.empty() ? Result<void>() : make_link(path, etc.folder);
}

Result<void> link_up(const std::string& topology, const std::string& ns) {
  if (is_linked(topology, ns)) return {};
  if (::mkdir(netns_etc_folder, 0755) == 0) {
    const kernel::FileDescriptor note(::open(made_folder, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  } else if (errno != EEXIST) {
    return file_error("cannot make a folder", netns_etc_folder, errno);
  }
  const std::string path = link_path(ns);
  if (exists(path)) return Error{Exit::conflict, path + " " + whose(ns), {}, {}, {}, {}};
  return make_link(path, etc_folder(topology, ns));
}

/// The folder of links, where topo has made it and none is left.
Result<void> leave_folder() {
  if (!exists(made_folder)) return {};
  if (::rmdir(netns_etc_folder) != 0 && errno != ENOENT) {
    // Others have links in it, or whatever else.
    return errno == ENOTEMPTY || errno == EEXIST ? Result<void>() : file_error("cannot remove a folder", netns_etc_folder, errno);
  }
  if (::unlink(made_folder) != 0 && errno != ENOENT) return file_error("cannot remove a file", made_folder, errno);
  return {};
}

Result<void> put(const Etc& wanted, const std::string& topology) {
  auto made = kernel::make_folders({state_folder, topology, "etc", wanted.ns});
  if (!made) return std::move(made).error();
  if (auto written = kernel::write_tree(etc_folder(topology, wanted.ns), wanted.files); !written) return written;
  if (auto noted = note_origin(wanted, topology); !noted) return noted;
  return link_up(topology, wanted.ns);
}

/// What namespaces have for /etc and nobody sees: where the machine has nothing of that name, or another kind of thing, nothing can be mounted.
struct Unseen {
  bool is_folder = false;
  std::vector<std::string> namespaces;
};

std::map<std::string, Unseen> unseen_of(const Graph& desired) {
  std::map<std::string, Unseen> found;
  for (const Etc* wanted : desired.all<Etc>()) {
    for (const auto& [path, file] : wanted->files) {
      const std::string name = path.substr(0, path.find('/'));
      const bool is_folder = name != path;
      struct stat there {};
      if (::stat(in_etc(name).c_str(), &there) == 0 && S_ISDIR(there.st_mode) == is_folder) continue;
      Unseen& unseen = found[name];
      unseen.is_folder = is_folder;
      if (unseen.namespaces.empty() || unseen.namespaces.back() != wanted->ns) unseen.namespaces.push_back(wanted->ns);
    }
  }
  return found;
}

Warning warning_of(const std::string& name, const Unseen& unseen) {
  const auto& names = unseen.namespaces;
  const std::string path = printable(in_etc(name)), more = names.size() == 1 ? "" : " and " + std::to_string(names.size() - 1) + " more";
  const std::string what = "nobody sees the " + path + " of namespace " + names.front() + more + ": the machine has ";
  struct stat there {};
  if (::stat(in_etc(name).c_str(), &there) == 0) return {what + "something else of that name", {}, {}};
  return {what + "none that it could be laid over", "to have one", (unseen.is_folder ? "mkdir " : "touch ") + path};
}

/// The topologies whose links are in /etc/netns, by namespace.
std::map<std::string, std::string> etc_owners() {
  std::map<std::string, std::string> owners;
  for (const auto& ns : kernel::names_in(netns_etc_folder)) {
    if (auto owner = owner_of_etc(target_of(link_path(ns)), ns)) owners.emplace(ns, *std::move(owner));
  }
  return owners;
}

}  // namespace

Result<void> KernelHalf<Etc>::create(const Etc& wanted, Execution& execution) { return put(wanted, execution.plan.topology); }

Result<void> KernelHalf<Etc>::update(const Etc&, const Etc& after, Execution& execution) { return put(after, execution.plan.topology); }

Result<void> KernelHalf<Etc>::remove(const Etc& live, Execution& execution) {
  const std::string& topology = execution.plan.topology;
  const std::string path = link_path(live.ns), own = own_folder(topology, live.ns);
  if (is_linked(topology, live.ns) && ::unlink(path.c_str()) != 0 && errno != ENOENT) return file_error("cannot remove a link", path, errno);
  // While its files are there it is seen, so that whoever comes after an end in between goes through all of this again.
  if (auto left = leave_folder(); !left) return left;
  if (auto gone = kernel::remove_tree(own); !gone) return gone;
  (void)::rmdir(own.substr(0, own.rfind('/')).c_str());
  return {};
}

Result<void> KernelHalf<Etc>::observe(const Reading& reading, Graph& live) {
  const std::string any = own_folder(reading.topology, "x");
  std::set<std::string> names = kernel::names_in(any.substr(0, any.rfind('/')));
  for (const auto& [ns, owner] : etc_owners()) {
    if (owner == reading.topology) names.insert(ns);
  }
  for (const auto& ns : names) {
    if (namespace_name_problem(ns)) continue;
    auto files = kernel::read_tree(etc_folder(reading.topology, ns));
    if (!files) return std::move(files).error();
    live.put(Etc{ns, *std::move(files), target_of(origin_path(reading.topology, ns)), is_linked(reading.topology, ns) ? "" : "not linked"});
  }
  return {};
}

Result<void> KernelHalf<Etc>::find_hindrances(const Reading& reading, const Graph&, Hindrances& found) {
  for (const Etc* wanted : reading.desired.all<Etc>()) {
    if (!exists(link_path(wanted->ns)) || is_linked(reading.topology, wanted->ns)) continue;
    found.obstacles.push_back({link_path(wanted->ns), whose(wanted->ns), false});
  }
  for (const auto& [name, unseen] : unseen_of(reading.desired)) found.warnings.push_back(warning_of(name, unseen));
  return {};
}

std::vector<std::string> KernelHalf<Etc>::owners() {
  std::vector<std::string> names;
  for (auto& [ns, owner] : etc_owners()) names.push_back(owner);
  return names;
}

}  // namespace topo
