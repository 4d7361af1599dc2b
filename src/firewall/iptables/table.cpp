#include "firewall/iptables/table.hpp"

// libc's headers first: linux/libc-compat.h decides once who defines struct ifreq.
#include <net/if.h>
#include <netinet/in.h>
// then libiptc's
#include <libiptc/libiptc.h>
extern "C" {
#include <libiptc/libip6tc.h>
}
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "firewall/modules.hpp"
#include "kernel/file_descriptor.hpp"
#include "kernel/netns.hpp"

namespace topo::firewall {
namespace {

/// libiptc is one library written twice; this is the part of it that is used, once.
struct Library {
  xtc_handle* (*init)(const char*);
  void (*free)(xtc_handle*);
  const char* (*first_chain)(xtc_handle*);
  const char* (*next_chain)(xtc_handle*);
  int (*is_chain)(const char*, xtc_handle*);
  int (*builtin)(const char*, xtc_handle*);
  const char* (*policy)(const char*, xt_counters*, xtc_handle*);
  const void* (*first_rule)(const char*, xtc_handle*);
  const void* (*next_rule)(const void*, xtc_handle*);
  const char* (*target)(const void*, xtc_handle*);
  int (*create)(const char*, xtc_handle*);
  int (*flush)(const char*, xtc_handle*);
  int (*erase)(const char*, xtc_handle*);
  int (*append)(const char*, const void*, xtc_handle*);
  int (*insert)(const char*, const void*, unsigned, xtc_handle*);
  int (*erase_rule)(const char*, unsigned, xtc_handle*);
  int (*set_policy)(const char*, const char*, xt_counters*, xtc_handle*);
  int (*commit)(xtc_handle*);
};

constexpr Library library_v4{
    iptc_init,
    iptc_free,
    iptc_first_chain,
    iptc_next_chain,
    iptc_is_chain,
    iptc_builtin,
    iptc_get_policy,
    [](const char* chain, xtc_handle* h) -> const void* { return iptc_first_rule(chain, h); },
    [](const void* rule, xtc_handle* h) -> const void* { return iptc_next_rule(static_cast<const ipt_entry*>(rule), h); },
    [](const void* rule, xtc_handle* h) { return iptc_get_target(static_cast<const ipt_entry*>(rule), h); },
    iptc_create_chain,
    iptc_flush_entries,
    iptc_delete_chain,
    [](const char* chain, const void* rule, xtc_handle* h) { return iptc_append_entry(chain, static_cast<const ipt_entry*>(rule), h); },
    [](const char* chain, const void* rule, unsigned at, xtc_handle* h) {
      return iptc_insert_entry(chain, static_cast<const ipt_entry*>(rule), at, h);
    },
    iptc_delete_num_entry,
    iptc_set_policy,
    iptc_commit};

constexpr Library library_v6{
    ip6tc_init,
    ip6tc_free,
    ip6tc_first_chain,
    ip6tc_next_chain,
    ip6tc_is_chain,
    ip6tc_builtin,
    ip6tc_get_policy,
    [](const char* chain, xtc_handle* h) -> const void* { return ip6tc_first_rule(chain, h); },
    [](const void* rule, xtc_handle* h) -> const void* { return ip6tc_next_rule(static_cast<const ip6t_entry*>(rule), h); },
    [](const void* rule, xtc_handle* h) { return ip6tc_get_target(static_cast<const ip6t_entry*>(rule), h); },
    ip6tc_create_chain,
    ip6tc_flush_entries,
    ip6tc_delete_chain,
    [](const char* chain, const void* rule, xtc_handle* h) { return ip6tc_append_entry(chain, static_cast<const ip6t_entry*>(rule), h); },
    [](const char* chain, const void* rule, unsigned at, xtc_handle* h) {
      return ip6tc_insert_entry(chain, static_cast<const ip6t_entry*>(rule), at, h);
    },
    ip6tc_delete_num_entry,
    ip6tc_set_policy,
    ip6tc_commit};

const Library& library_of(Family family) { return family == Family::v4 ? library_v4 : library_v6; }

constexpr int init_attempts = 20;

struct Opened {
  xtc_handle* handle = nullptr;
  int number = 0;
};

/// libiptc's own second try after EAGAIN uses the socket that it has closed already (EBADF); so the tries are made here.
Opened try_init(TableId id) {
  Opened opened;
  for (int attempt = 0; attempt < init_attempts; ++attempt) {
    errno = 0;
    opened.handle = library_of(id.family).init(id.name().c_str());
    opened.number = errno;
    if (opened.handle != nullptr || (opened.number != EAGAIN && opened.number != EBADF)) break;
  }
  return opened;
}

/// The module that answers for the whole family, and the one that answers for the table.
std::string family_module(Family family) { return family == Family::v4 ? "ip_tables" : "ip6_tables"; }
std::string table_module(TableId id) { return (id.family == Family::v4 ? "iptable_" : "ip6table_") + id.name(); }

Error cannot_open(TableId id, int number) {
  Error error{Exit::unsupported, "cannot open " + id.title(), {}, std::strerror(number), {}, {}};
  if (number == EPERM) {
    error.remedy = "run topo as root";
  } else if (number == ENOPROTOOPT || number == ENOENT) {
    error.kernel = number == ENOPROTOOPT ? "the kernel has no legacy iptables" : "the kernel has no such table";
    error.remedy = "modprobe " + family_module(id.family) + " " + table_module(id) +
                   "; where there is no such module the kernel was built without CONFIG_NETFILTER_XTABLES_LEGACY and topo cannot filter on it";
  } else if (number == EAFNOSUPPORT) {
    error.remedy = "boot a kernel with IPv6, or take the IPv6 addresses out of the file";
  } else {
    error.exit = Exit::rolled_back;
  }
  return error;
}

/// As the kernel lists them, one a line.
Result<std::string> table_names(Family family) {
  const char* path = family == Family::v4 ? "/proc/thread-self/net/ip_tables_names" : "/proc/thread-self/net/ip6_tables_names";
  const kernel::FileDescriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::string();  // no ip_tables, and so no table
  std::array<char, 4096> text{};
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) return Error{Exit::rolled_back, "cannot list the tables of iptables", path, std::strerror(errno), {}, {}};
  return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace

std::string TableId::name() const { return netfilter::to_string(table); }
std::string TableId::title() const { return std::string("the IPv") + (family == Family::v4 ? "4" : "6") + " table " + name(); }

Result<std::vector<TableId>> existing_tables(const Place& place) {
  const auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
  if (!inside) return inside.error();
  return existing_tables_here();
}

Result<std::vector<TableId>> existing_tables_here() {
  std::vector<TableId> found;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto text = table_names(family);
    if (!text) return text.error();
    for (std::string_view rest = *text; !rest.empty();) {
      const std::string_view name = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(name.size() + 1, rest.size()));
      for (const auto table : {netfilter::Table::filter, netfilter::Table::nat, netfilter::Table::raw}) {
        if (name == netfilter::to_string(table)) found.push_back({family, table});
      }
    }
  }
  return found;
}

struct Table::Snapshot {
  const Library* library;
  xtc_handle* handle;
  Snapshot(const Library* of, xtc_handle* opened) : library(of), handle(opened) {}
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { library->free(handle); }
};

Table::Table(TableId id, std::unique_ptr<Snapshot> snapshot) : id_(id), snapshot_(std::move(snapshot)) {}
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(Table&&) noexcept = default;
Table::~Table() = default;

Result<Table> Table::open(const Place& place, TableId id) {
  Opened opened;
  for (const bool last : {false, true}) {
    {
      auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
      if (!inside) return inside.error();
      opened = try_init(id);
    }
    const bool absent = opened.number == ENOPROTOOPT || opened.number == ENOENT;
    if (opened.handle != nullptr || !absent || last) break;
    const bool family_loaded = load_module(family_module(id.family)), table_loaded = load_module(table_module(id));
    if (!family_loaded && !table_loaded) break;
  }
  if (opened.handle == nullptr) return cannot_open(id, opened.number);
  return Table(id, std::make_unique<Snapshot>(&library_of(id.family), opened.handle));
}

Error Table::failure(const std::string& what, int number) const { return Error{Exit::rolled_back, what, id_.title(), std::strerror(number), {}, {}}; }

std::vector<std::string> Table::chains() const {
  std::vector<std::string> names;
  const auto& [library, handle] = *snapshot_;
  for (const char* name = library->first_chain(handle); name != nullptr; name = library->next_chain(handle)) names.emplace_back(name);
  return names;
}

bool Table::has_chain(const std::string& chain) const { return snapshot_->library->is_chain(chain.c_str(), snapshot_->handle) != 0; }
bool Table::is_builtin(const std::string& chain) const { return snapshot_->library->builtin(chain.c_str(), snapshot_->handle) != 0; }

std::string Table::policy(const std::string& chain) const {
  xt_counters counters{};
  const char* policy = snapshot_->library->policy(chain.c_str(), &counters, snapshot_->handle);
  return policy == nullptr ? "" : policy;
}

std::vector<Entry> Table::rules(const std::string& chain) const {
  std::vector<Entry> found;
  const auto& [library, handle] = *snapshot_;
  for (const void* rule = library->first_rule(chain.c_str(), handle); rule != nullptr; rule = library->next_rule(rule, handle)) {
    const char* target = library->target(rule, handle);
    found.push_back(normalise(rule, target == nullptr ? "" : target, id_.family));
  }
  return found;
}

std::vector<std::uint64_t> Table::packets(const std::string& chain) const {
  std::vector<std::uint64_t> found;
  const auto& [library, handle] = *snapshot_;
  for (const void* rule = library->first_rule(chain.c_str(), handle); rule != nullptr; rule = library->next_rule(rule, handle)) {
    found.push_back(id_.family == Family::v4 ? static_cast<const ipt_entry*>(rule)->counters.pcnt
                                             : static_cast<const ip6t_entry*>(rule)->counters.pcnt);
  }
  return found;
}

Result<void> Table::create(const std::string& chain) {
  if (snapshot_->library->create(chain.c_str(), snapshot_->handle) == 0) return failure("cannot make chain " + chain, errno);
  return {};
}

Result<void> Table::flush(const std::string& chain) {
  if (snapshot_->library->flush(chain.c_str(), snapshot_->handle) == 0) return failure("cannot empty chain " + chain, errno);
  return {};
}

Result<void> Table::erase(const std::string& chain) {
  if (snapshot_->library->erase(chain.c_str(), snapshot_->handle) != 0) return {};
  auto error = failure("cannot remove chain " + chain, errno);
  if (errno == EMLINK) {
    error.exit = Exit::conflict;
    error.kernel = "rules that are not topo's jump to it";
    error.remedy = std::string(id_.family == Family::v4 ? "iptables-legacy" : "ip6tables-legacy") + " -t " + id_.name() + " -S | grep -e '-[jg] " +
                   chain + "' shows them; delete them";
  }
  return error;
}

Result<void> Table::append(const std::string& chain, const Entry& entry) {
  if (snapshot_->library->append(chain.c_str(), entry.data(), snapshot_->handle) == 0) return failure("cannot add a rule to chain " + chain, errno);
  return {};
}

Result<void> Table::insert_first(const std::string& chain, const Entry& entry) {
  if (snapshot_->library->insert(chain.c_str(), entry.data(), 0, snapshot_->handle) == 0)
    return failure("cannot add a rule to chain " + chain, errno);
  return {};
}

Result<void> Table::erase_rule(const std::string& chain, std::size_t index) {
  if (snapshot_->library->erase_rule(chain.c_str(), static_cast<unsigned>(index), snapshot_->handle) == 0) {
    return failure("cannot remove a rule of chain " + chain, errno);
  }
  return {};
}

Result<Table::Outcome> Table::commit() {
  const auto& [library, handle] = *snapshot_;
  // libiptc zeroes the counters of the built-in chains' policies in every commit, unless they are set.
  for (const auto& chain : chains()) {
    if (!is_builtin(chain)) continue;
    xt_counters counters{};
    const std::string verdict = library->policy(chain.c_str(), &counters, handle);
    if (library->set_policy(chain.c_str(), verdict.c_str(), &counters, handle) == 0)
      return failure("cannot keep the policy of chain " + chain, errno);
  }
  if (library->commit(handle) != 0) return Outcome::done;
  switch (errno) {
    case EAGAIN:
      return Outcome::overtaken;
    case ENOENT:
    case EPROTOTYPE:
    case EPROTONOSUPPORT:
      return Outcome::lacks_extension;
    case EPERM:
      return Error{Exit::unsupported, "cannot change " + id_.title(), {}, std::strerror(EPERM), "run topo as root", {}};
    case EINVAL:
      return Outcome::refused;
    default:
      return Error{Exit::rolled_back, "cannot change " + id_.title(), {}, std::strerror(errno), {}, {}};
  }
}

Result<std::optional<Extension>> missing_extension(const Place& place, Family family, const std::vector<Extension>& needed) {
  kernel::FileDescriptor socket;
  {
    auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
    if (!inside) return inside.error();
    socket.reset(::socket(family == Family::v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  }
  if (!socket) return Error{Exit::rolled_back, "cannot open a raw socket", {}, std::strerror(errno), {}, {}};
  const auto known = [&](const Extension& extension) {
    xt_get_revision asked{};
    extension.name.copy(asked.name, sizeof asked.name - 1);
    asked.revision = extension.revision;
    socklen_t size = sizeof asked;
    const bool v4 = family == Family::v4;
    const int option = extension.target ? (v4 ? IPT_SO_GET_REVISION_TARGET : IP6T_SO_GET_REVISION_TARGET)
                                        : (v4 ? IPT_SO_GET_REVISION_MATCH : IP6T_SO_GET_REVISION_MATCH);
    return ::getsockopt(socket.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, option, &asked, &size) == 0;
  };
  for (const auto& extension : needed) {
    if (known(extension)) continue;
    if (!load_module("xt_" + extension.name) || !known(extension)) return std::optional(extension);
  }
  return std::optional<Extension>();
}

}  // namespace topo::firewall
