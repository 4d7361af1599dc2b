// A named network namespace (ip-netns(8)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/relation.hpp"

namespace topo {

struct Namespace {
  std::string name;
  bool forwards = false;  ///< net.ipv4.ip_forward and net.ipv6.conf.all.forwarding
  /// Live only: what someone changed that no other field tells ("down", "mark lost"); empty: as made. A difference of its own, "state".
  std::string amiss;
  bool operator==(const Namespace&) const = default;

  static constexpr std::string_view kind = "namespace";
  static constexpr int rank = 10;
  [[nodiscard]] std::string key() const { return name; }
  [[nodiscard]] std::vector<std::string> needs() const { return {}; }
  [[nodiscard]] std::vector<std::string> provides() const { return {interface_need(name, "lo")}; }
  [[nodiscard]] Circumstances spoils(Turn turn) const;  ///< writing ip_forward resets settings of every interface
  [[nodiscard]] std::string title() const;    ///< how reports name it: "web-server"
  [[nodiscard]] std::string summary() const;  ///< what it is, for the column behind the title
};
[[nodiscard]] Differences differences(const Namespace& before, const Namespace& after);

}  // namespace topo
