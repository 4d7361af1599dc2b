// What a namespace has in its /etc.
#include <algorithm>
#include <filesystem>
#include <set>

#include "load/folder.hpp"
#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "topo/names.hpp"

namespace topo::reading {
namespace {

constexpr std::size_t name_servers_max = 3;  // MAXNS, resolv.h
constexpr std::size_t host_name_max = 253;   // RFC 1035, section 2.3.4

/// An address that a program in a namespace can reach, its own loopback's among them.
std::optional<IpAddress> read_reachable(Mistakes& mistakes, const Node& node, std::string_view what) {
  if (node.is_scalar()) {
    const auto address = IpAddress::parse(node.text);
    if (address && (address->is_loopback() || (address->is_link_local() && address->family() == Family::v4))) return address;
  }
  return read_address(mistakes, node, what);
}

bool is_host_name(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= host_name_max && alphanumeric(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

void read_host(Reading& reading, const Node& key, const Node& value, HostsSpec& hosts) {
  if (!is_host_name(key.text)) {
    return reading.mistakes.add(key, "host name " + in_quotes(key.text) + " may hold only letters, digits, '_', '-' and '.'");
  }
  if (key.text == "localhost") return reading.mistakes.add(key, "\"localhost\" is there by itself");
  std::vector<IpAddress> addresses;
  for_one_or_each(reading.mistakes, value, in_quotes(key.text), [&](const Node& item) {
    const auto address = read_reachable(reading.mistakes, item, in_quotes(key.text));
    if (!address) return;
    if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end())
      return reading.mistakes.add(item, address->to_string() + " is listed twice");
    addresses.push_back(*address);
  });
  hosts.names.emplace_back(key.text, std::move(addresses));
}

/// The folder as it is on disk, or as it was recorded, and its text among the sources.
std::optional<Folder> folder_named(Reading& reading, const Node& value, const std::string& path) {
  const std::string name = path + "/";
  const Sources& known = reading.options.recorded == nullptr ? reading.topology.sources : *reading.options.recorded;
  const auto found = std::find_if(known.begin(), known.end(), [&](const Source& source) { return source.name == name; });
  Folder folder;
  if (found != known.end()) {
    auto recorded = folder_from(found->text);
    if (recorded) folder = *std::move(recorded);
  } else if (reading.options.recorded != nullptr) {
    reading.mistakes.add(value, "etc " + in_quotes(value.text) + " was not recorded");
    return std::nullopt;
  } else if (const auto problem = read_folder(path, reading.options.max_bytes, folder)) {
    const std::string where = problem->file.empty() ? "" : ", in it " + in_quotes(problem->file);
    reading.mistakes.add(value, "etc " + in_quotes(value.text) + where + ": " + problem->why, problem->hint);
    return std::nullopt;
  }
  const Sources& own = reading.topology.sources;
  if (std::none_of(own.begin(), own.end(), [&](const Source& source) { return source.name == name; }))
    reading.topology.sources.push_back({name, to_text(folder)});
  return folder;
}

}  // namespace

void read_dns(Reading& reading, const Node& value, NamespaceSpec& ns) {
  std::set<IpAddress> seen;
  for_one_or_each(reading.mistakes, value, "dns", [&](const Node& item) {
    const auto address = read_reachable(reading.mistakes, item, "dns");
    if (!address) return;
    if (!seen.insert(*address).second) return reading.mistakes.add(item, address->to_string() + " is listed twice");
    if (seen.size() == name_servers_max + 1) return reading.mistakes.add(item, "dns takes three addresses at most: resolvers ask no more of them");
    ns.dns.push_back({*address, item.at});
  });
}

void read_hosts(Reading& reading, const Node& value, NamespaceSpec& ns) {
  HostsSpec hosts{value.at, false, {}};
  if (value.is_scalar() && (value.text == "true" || value.text == "false")) {
    hosts.all = read_boolean(reading.mistakes, value, "hosts").value_or(false);
    if (hosts.all) ns.hosts = std::move(hosts);
    return;
  }
  if (value.is_scalar()) {
    return reading.mistakes.add(value, "hosts takes true or a map, not " + described(value), "hosts: { NAME: ADDRESS }");
  }
  if (!is_map(reading.mistakes, value, "hosts", "hosts: true, or hosts: { NAME: ADDRESS }")) return;
  for (std::size_t i = 0; i < value.pairs(); ++i) {
    if (!value.key(i).is_refused()) read_host(reading, value.key(i), value.value(i), hosts);
  }
  ns.hosts = std::move(hosts);
}

void read_etc(Reading& reading, const Node& value, NamespaceSpec& ns) {
  if (!is_scalar(reading.mistakes, value, "etc", "a folder")) return;
  if (value.text.empty()) return reading.mistakes.add(value, "etc takes a folder, not nothing", "etc: ./DIR");
  const bool odd = std::any_of(value.text.begin(), value.text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  if (odd) return reading.mistakes.add(value, "the path of a folder holds no control characters");
  const std::string& includer = reading.topology.sources[value.at.source].name;
  const std::filesystem::path folder = includer == "-" ? std::filesystem::path() : std::filesystem::path(includer).parent_path();
  std::string path = (folder / value.text).lexically_normal().string();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  auto files = folder_named(reading, value, path);
  if (files) ns.etc = EtcSpec{std::move(files->path), value.at, std::move(files->files)};
}

}  // namespace topo::reading
