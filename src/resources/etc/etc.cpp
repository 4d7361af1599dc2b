#include "resources/etc/etc.hpp"

#include <algorithm>
#include <set>

#include "topo/names.hpp"

namespace topo {
namespace {

constexpr std::string_view loopback = "127.0.0.1\tlocalhost\n::1\tlocalhost\n";
constexpr std::string_view name_server = "nameserver ";
constexpr std::string_view of_all = " hosts: true";

std::string head(std::string_view topology, std::string_view what) { return "# " + owner_mark(topology) + std::string(what) + "\n"; }

/// Takes the first line with topo's mark; what is written behind that, or nullopt.
std::optional<std::string> take_head(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  if (!line.starts_with("# ")) return std::nullopt;
  const std::string_view mark = line.substr(2, line.find(' ', 2) - 2);
  if (!owner_of(mark)) return std::nullopt;
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return std::string(line.substr(2 + mark.size()));
}

template <class Each>
bool for_each_line(std::string_view text, Each each) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !each(text.substr(0, end))) return false;
    text.remove_prefix(end + 1);
  }
  return true;
}

std::string octal(std::uint32_t mode) {
  std::string text;
  for (unsigned shift = 9; shift > 0; shift -= 3) text += static_cast<char>('0' + ((mode >> (shift - 3)) & 7U));
  return text;
}

/// Of the two files that topo writes itself, what they say.
std::string told(const std::string& path, const EtcFile& file) {
  std::string words;
  if (path == resolver_file) {
    for (const auto& server : servers_in(file.text()).value_or(std::vector<IpAddress>())) words += (words.empty() ? "" : " ") + server.to_string();
  }
  if (const auto hosts = path == hosts_file ? hosts_in(file.text()) : std::nullopt) words = std::to_string(hosts->names.size()) + " names";
  return words;
}

Difference difference(const std::string& path, const EtcFile& before, const EtcFile& after) {
  if (before.text() == after.text()) return {path + " mode", octal(before.mode), octal(after.mode), false};
  const std::string was = told(path, before), is = told(path, after);
  if (!was.empty() && !is.empty() && was != is) return {path, was, is, false};
  return {path, "", "changed", false};
}

}  // namespace

std::string Etc::summary() const {
  std::string text;
  std::set<std::string> seen;
  for (const auto& [path, file] : files) {
    const std::string name = path.substr(0, path.find('/'));
    if (seen.insert(name).second) text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

Differences differences(const Etc& before, const Etc& after) {
  Differences found;
  for (const auto& [path, file] : before.files) {
    const auto other = after.files.find(path);
    if (other == after.files.end()) {
      found.push_back({path, "", "removed", false});
    } else if (!(other->second == file)) {
      found.push_back(difference(path, file, other->second));
    }
  }
  for (const auto& [path, file] : after.files) {
    if (!before.files.contains(path)) found.push_back({path, "", "added", false});
  }
  compare(found, "from", before.folder, after.folder);
  compare(found, "state", before.amiss, after.amiss);
  return found;
}

std::string fingerprint(const Etc& etc) {
  std::uint64_t hash = stable_hash("");
  for (const auto& [path, file] : etc.files) {
    const bool read_again = path == hosts_file || path == resolver_file;
    hash = stable_hash(std::to_string(hash) + "\n" + path + "\n" + (read_again ? std::string() : octal(file.mode) + file.text()));
  }
  return etc.files.empty() ? std::string() : std::to_string(hash);
}

std::string resolver_text(std::string_view topology, const std::vector<IpAddress>& servers) {
  std::string text = head(topology, " dns");
  for (const auto& server : servers) text += std::string(name_server) + server.to_string() + "\n";
  return text;
}

std::optional<std::vector<IpAddress>> servers_in(std::string_view text) {
  if (take_head(text) != " dns") return std::nullopt;
  std::vector<IpAddress> servers;
  const bool good = for_each_line(text, [&](std::string_view line) {
    const auto server = line.starts_with(name_server) ? IpAddress::parse(line.substr(name_server.size())) : std::nullopt;
    if (server) servers.push_back(*server);
    return server.has_value();
  });
  return good ? std::optional(std::move(servers)) : std::nullopt;
}

std::string hosts_text(std::string_view topology, HostNames names, bool all) {
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text = head(topology, all ? of_all : " hosts");
  text += loopback;
  for (const auto& [name, addresses] : names) {
    for (const auto& address : addresses) text += address.to_string() + "\t" + name + "\n";
  }
  return text;
}

std::optional<HostsSpec> hosts_in(std::string_view text) {
  const auto what = take_head(text);
  if (!what || (*what != of_all && *what != " hosts") || !text.starts_with(loopback)) return std::nullopt;
  HostsSpec hosts{{}, *what == of_all, {}};
  text.remove_prefix(loopback.size());
  const bool good = for_each_line(text, [&](std::string_view line) {
    const std::size_t tab = line.find('\t');
    const auto address = tab == std::string_view::npos ? std::nullopt : IpAddress::parse(line.substr(0, tab));
    if (!address) return false;
    const std::string name(line.substr(tab + 1));
    if (hosts.names.empty() || hosts.names.back().first != name) hosts.names.emplace_back(name, std::vector<IpAddress>());
    hosts.names.back().second.push_back(*address);
    return true;
  });
  return good ? std::optional(std::move(hosts)) : std::nullopt;
}

}  // namespace topo
