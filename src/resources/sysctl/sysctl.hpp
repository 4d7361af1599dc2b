// A sysctl of a namespace that the file sets (sysctl(8), net.* only).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/relation.hpp"

namespace topo {

struct Sysctl {
  std::string ns;
  std::string name;   ///< with slashes between its parts, as below /proc/sys: "net/ipv4/tcp_syncookies"
  std::string value;  ///< white space as the kernel prints it, runs of it as one tab
  bool operator==(const Sysctl&) const = default;

  static constexpr std::string_view kind = "sysctl";
  static constexpr int rank = 45;  ///< after the links, so that net.ipv4.conf.eth0.* is there; before addresses
  [[nodiscard]] std::string key() const { return ns + ":" + name; }
  /// What writes others too comes first: ip_forward, then conf/all and conf/default, then the rest.
  [[nodiscard]] int order() const;
  [[nodiscard]] std::vector<std::string> needs() const;
  [[nodiscard]] Circumstances spoils(Turn turn) const;
  /// What is set for all interfaces, or for new ones, is set when all of them are there, since a new one may not get it.
  [[nodiscard]] Circumstances relies_on() const;
  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string summary() const;
};
/// `value` as the kernel prints it once it is written: white space as one tab, numbers in decimal, ports in ascending ranges.
[[nodiscard]] std::string as_printed(std::string_view name, std::string_view value);
[[nodiscard]] Differences differences(const Sysctl& before, const Sysctl& after);

}  // namespace topo
