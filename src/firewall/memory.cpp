#include "firewall/memory.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "kernel/netns.hpp"

namespace topo::firewall {
namespace {

constexpr const char* file_name = "host.forwarding";
constexpr const char* unfinished_name = "host.forwarding.new";
constexpr std::size_t largest = std::size_t{1} << 20U;

struct KnownGuard {
  unsigned index = 0;
  std::string interface;
  bool host_forwarded = false;
};
struct Known {
  std::vector<KnownGuard> guards;
  std::set<std::string> topologies;
};
/// By family, 4 and 6. The text is "topo.forwarding/1 NAMESPACE", then lines "4 guard INDEX NAME 0", "4 topology NAME".
using Copy = std::map<int, Known>;

int number_of(Family family) { return family == Family::v4 ? 4 : 6; }

/// Of another network namespace's interfaces nothing is known here.
std::string first_line(const Place& place) {
  struct stat netns {};
  if (::fstat(place.netns_fd, &netns) != 0) return {};
  return "topo.forwarding/1 " + std::to_string(netns.st_ino);
}

kernel::FileDescriptor open_state(const Place& place) {
  if (place.state.empty()) return {};
  return kernel::FileDescriptor(::open(place.state.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::string read_text(int folder_fd) {
  const kernel::FileDescriptor file(::openat(folder_fd, file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat found {};
  const bool ours = file && ::fstat(file.get(), &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == ::geteuid() && (found.st_mode & 022U) == 0;
  if (!ours || found.st_size <= 0 || static_cast<std::size_t>(found.st_size) > largest) return {};
  std::string text(static_cast<std::size_t>(found.st_size), '\0');
  return ::read(file.get(), text.data(), text.size()) == found.st_size ? text : std::string();
}

Copy parse(const std::string& text, const std::string& first) {
  std::istringstream lines(text);
  std::string line, kind;
  Copy copy;
  if (!std::getline(lines, line) || line != first) return copy;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    int family = 0;
    KnownGuard guard;
    words >> family >> kind;
    if (kind == "guard" && words >> guard.index >> guard.interface >> guard.host_forwarded) {
      copy[family].guards.push_back(std::move(guard));
    } else if (kind == "topology" && words >> line) {
      copy[family].topologies.insert(line);
    }
  }
  return copy;
}

std::string to_text(const Copy& copy, const std::string& first) {
  std::string text = first + "\n";
  for (const auto& [family, known] : copy) {
    const std::string front = std::to_string(family);
    for (const auto& guard : known.guards)
      text += front + " guard " + std::to_string(guard.index) + " " + guard.interface + (guard.host_forwarded ? " 1\n" : " 0\n");
    for (const auto& topology : known.topologies) text.append(front).append(" topology ").append(topology).append("\n");
  }
  return text;
}

bool write_text(int folder_fd, const std::string& text) {
  ::unlinkat(folder_fd, unfinished_name, 0);
  const kernel::FileDescriptor file(::openat(folder_fd, unfinished_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         ::renameat(folder_fd, unfinished_name, folder_fd, file_name) == 0;
}

bool has_guard(const SharedChain& chain, const std::string& interface) {
  return std::any_of(chain.guards.begin(), chain.guards.end(), [&](const auto& guard) { return guard.interface == interface; });
}

}  // namespace

Result<SharedChain> recalled(const Place& place, Family family, SharedChain chain) {
  const auto folder = open_state(place);
  if (!folder || chain.foreign) return chain;
  const Known known = parse(read_text(folder.get()), first_line(place))[number_of(family)];
  if (known.guards.empty()) return chain;
  auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
  if (!inside) return std::move(inside).error();
  std::map<std::string, std::string> names;  // as they were, and as they are
  bool in_force = false;
  SharedChain missing;
  for (const auto& guard : known.guards) {
    char name[IF_NAMESIZE];
    if (::if_indextoname(guard.index, name) == nullptr) continue;
    names[guard.interface] = name;
    auto on = is_turned_on(family, {name, guard.host_forwarded});
    if (!on) return std::move(on).error();
    in_force = in_force || *on;
    if (*on && !has_guard(chain, guard.interface) && !has_guard(chain, name)) missing.guards.push_back({name, guard.host_forwarded});
  }
  for (auto& guard : chain.guards) {
    if (const auto now = names.find(guard.interface); now != names.end()) guard.interface = now->second;
  }
  chain.guards.insert(chain.guards.end(), missing.guards.begin(), missing.guards.end());
  if (chain.topologies.empty() && in_force) chain.topologies = known.topologies;
  return chain;
}

void remember(const Place& place, Family family, const SharedChain& chain) {
  const auto folder = open_state(place);
  if (!folder) return;
  const std::string first = first_line(place), before = read_text(folder.get());
  Copy copy = parse(before, first);
  copy.erase(number_of(family));
  if (!chain.guards.empty()) {
    const auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
    Known& known = copy[number_of(family)];
    known.topologies = chain.topologies;
    for (const auto& guard : chain.guards) {
      const unsigned index = inside ? ::if_nametoindex(guard.interface.c_str()) : 0;
      if (index != 0) known.guards.push_back({index, guard.interface, guard.host_forwarded});
    }
  }
  const std::string text = copy.empty() ? std::string() : to_text(copy, first);
  if (text == before || (text.empty() && !before.starts_with(first))) return;  // another namespace's is left to it
  if (text.empty() || !write_text(folder.get(), text)) {
    ::unlinkat(folder.get(), unfinished_name, 0);
    ::unlinkat(folder.get(), file_name, 0);
  }
}

}  // namespace topo::firewall
