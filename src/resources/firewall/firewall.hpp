// Filter, NAT and port maps of one namespace: one resource, compared and replaced as a whole.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "resources/difference.hpp"
#include "resources/firewall/nftables.hpp"
#include "resources/firewall/rule.hpp"

namespace topo {

namespace policy {
struct Intent;
}

/// What the kernel filters and translates with: the legacy tables of iptables, or nf_tables.
enum class Backend : std::uint8_t { iptables, nftables };

struct Firewall {
  std::string ns;            ///< empty: the namespace topo runs in
  netfilter::Ruleset rules;  ///< iptables: empty where the other backend is used
  /// The interfaces of this namespace that are no topology's forward this family's packets from and to ours (the way to the outside).
  bool forwards_v4 = false;
  bool forwards_v6 = false;
  nftables::Ruleset tables{};                     ///< nftables
  std::shared_ptr<const policy::Intent> meant{};  ///< desired only: what either backend's rules are compiled from
  [[nodiscard]] bool operator==(const Firewall& other) const {
    return ns == other.ns && rules == other.rules && forwards_v4 == other.forwards_v4 && forwards_v6 == other.forwards_v6 && tables == other.tables;
  }

  static constexpr std::string_view kind = "firewall";
  static constexpr int rank = 30;
  [[nodiscard]] std::string key() const { return ns; }
  [[nodiscard]] std::vector<std::string> needs() const;
  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string summary() const;
};

/// Those that the firewalls have rules of.
[[nodiscard]] std::set<Backend> backends_of(const std::vector<const Firewall*>& firewalls);
/// "iptables", "iptables and nftables"; empty where there is none.
[[nodiscard]] std::string to_string(const std::set<Backend>& backends);

/// One difference a chain's rule that is missing or too much, in the words of its comment where it has one.
[[nodiscard]] Differences differences(const Firewall& before, const Firewall& after);

}  // namespace topo
