// Filter, NAT and port maps of one namespace: one resource, compared and replaced as a whole.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/firewall/rule.hpp"

namespace topo {

struct Firewall {
  std::string ns;  ///< empty: the namespace topo runs in
  netfilter::Ruleset rules;
  /// The interfaces of this namespace that are no topology's forward this family's packets from and to ours (the way to the outside).
  bool forwards_v4 = false;
  bool forwards_v6 = false;
  bool operator==(const Firewall&) const = default;

  static constexpr std::string_view kind = "firewall";
  static constexpr int rank = 30;
  [[nodiscard]] std::string key() const { return ns; }
  [[nodiscard]] std::vector<std::string> needs() const;
  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string summary() const;
};
/// One difference a chain's rule that is missing or too much, in the words of its comment where it has one.
[[nodiscard]] Differences differences(const Firewall& before, const Firewall& after);

}  // namespace topo
