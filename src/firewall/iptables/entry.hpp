// Rules as the kernel's legacy tables hold them: linux/netfilter_ipv4/ip_tables.h and linux/netfilter_ipv6/ip6_tables.h.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resources/firewall/rule.hpp"
#include "topo/error.hpp"

namespace topo::firewall {

/// An entry (struct ipt_entry or ip6t_entry with its matches and its target) in the one form that is compared and given to libiptc:
/// no counters, names padded with zeros, and a standard target's verdict replaced by its name (ACCEPT, a chain).
using Entry = std::string;

/// `rule` as iptables 1.8 itself would write it: the same matches, in the order of Rule's members, in the same revisions.
/// An error where the tables cannot hold it (an interface name too long, an address of the other family).
[[nodiscard]] Result<Entry> encode(const netfilter::Rule& rule, Family family);

/// The rule that `entry` is; Rule::opaque where only the bytes say it exactly.
[[nodiscard]] netfilter::Rule decode(const Entry& entry, Family family);

/// Brings an entry as libiptc gives it into the form of Entry. `target` is libiptc's name of its target.
[[nodiscard]] Entry normalise(const void* entry, std::string_view target, Family family);

/// A match or target that an entry needs of the kernel.
struct Extension {
  std::string name;
  std::uint8_t revision = 0;
  bool target = false;
  auto operator<=>(const Extension&) const = default;
};
/// The extensions of `entry`; standard targets are none.
[[nodiscard]] std::vector<Extension> extensions(const Entry& entry, Family family);

}  // namespace topo::firewall
