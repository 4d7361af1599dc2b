// Files that are laid over the /etc of whatever runs in a namespace, by /etc/netns/NAME (ip-netns(8)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/relation.hpp"
#include "topo/topology.hpp"

namespace topo {

struct Etc {
  std::string ns;
  EtcFiles files;
  std::string folder;  ///< where the file says `etc: FOLDER`: that, as an absolute path
  std::string amiss;   ///< live only: what no file tells ("not linked")
  bool operator==(const Etc&) const = default;

  static constexpr std::string_view kind = "etc";
  static constexpr int rank = 80;
  [[nodiscard]] std::string key() const { return ns; }
  [[nodiscard]] std::vector<std::string> needs() const { return {}; }  // files stay where a namespace goes
  [[nodiscard]] std::string title() const { return ns; }
  [[nodiscard]] std::string summary() const;
};
[[nodiscard]] Differences differences(const Etc& before, const Etc& after);

/// What programs see of a change only when they are started again: the names in /etc, and the files of `folder`. Equal where nothing of that differs.
[[nodiscard]] std::string fingerprint(const Etc& etc);

inline constexpr const char* resolver_file = "resolv.conf";
inline constexpr const char* hosts_file = "hosts";

/// The text of resolv.conf(5) for these name servers, with the topology's mark; and what such a text says, nullopt where it is none of topo's.
[[nodiscard]] std::string resolver_text(std::string_view topology, const std::vector<IpAddress>& servers);
[[nodiscard]] std::optional<std::vector<IpAddress>> servers_in(std::string_view text);

/// The text of hosts(5), `localhost` among the names, which are in the order of names, whatever that of the file; `all`: they are the namespaces of the topology. And what such a text says.
using HostNames = std::vector<std::pair<std::string, std::vector<IpAddress>>>;
[[nodiscard]] std::string hosts_text(std::string_view topology, HostNames names, bool all);
[[nodiscard]] std::optional<HostsSpec> hosts_in(std::string_view text);

}  // namespace topo
