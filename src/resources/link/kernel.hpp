// What all links of a topology have in common: marks, being up, and the settings of their interfaces.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernel/message.hpp"
#include "kernel/work.hpp"
#include "resources/kernel.hpp"

namespace topo::link {

/// True where the link is `topology`'s: by its group, or by an alias that says where it is. An alias that names another topology wins.
[[nodiscard]] bool is_owned(const kernel::LinkRecord& link, const std::string& ns, const std::string& topology);
/// Whose a link that is not the topology's is: "belongs to topology lab".
[[nodiscard]] std::string whose(const kernel::LinkRecord& link);
/// Adds what holds the name of an interface that is wanted.
void check_name(const Reading& reading, const std::string& ns, const std::string& name, Hindrances& found);
/// The group that a topology's links bear while they are being deleted. To the rules of all it is one of another topology, and none of the host's ways out.
/// Between two of them nobody's rules decide, so they are down by then (Work::delete_links).
[[nodiscard]] std::uint32_t scratch_group(const std::string& topology);

/// rp_filter (Documentation/networking/ip-sysctl.rst): the kernel takes the greater of an interface's own value and the host's for all,
/// so this keeps the host's strict checks off, which would lose replies that take another way.
inline constexpr std::uint32_t loose_rp_filter = 2;

/// What is written to a link of ours after it is made, and compared when it is read.
struct Settings {
  std::string ns;
  std::string name;
  std::string alias;
  std::uint32_t group = 0;
  std::uint32_t mtu = 1500;
  std::vector<std::pair<int, std::uint32_t>> ipv4;  ///< IPV4_DEVCONF_x (linux/ip.h)
  bool silence_ipv6 = true;                         ///< IPv6 makes no address of its own
};

/// How a message tells which interface it is for: by its name, or, of one that is being made, by the index chosen for it.
struct Addressee {
  std::string name;
  int index = 0;  ///< 0: by name
};

/// The SET message that gives a link its alias and group and its settings of both families. The caller may add attributes. `index`: as in Addressee.
[[nodiscard]] kernel::Message set_message(const Settings& settings, bool has_ipv6, int index = 0);
/// Brings it up. A message of its own: the kernel carries out IFF_UP before the rest of its message, and IPv6 would have made addresses by then.
[[nodiscard]] kernel::Message up_message(const Addressee& link);
[[nodiscard]] kernel::Message down_message(const Addressee& link);
/// What of it somebody changed, "down, alias lost"; empty where nothing.
[[nodiscard]] std::string amiss(const Settings& settings, const kernel::LinkRecord& link);

/// One setting alone, IPV4_DEVCONF_x (linux/ip.h).
[[nodiscard]] kernel::Message ipv4_message(int index, int setting, std::uint32_t value);
/// The MTU alone: IPv6 takes settings only while it is above its least MTU.
[[nodiscard]] kernel::Message mtu_message(const std::string& name, std::uint32_t mtu);

/// Sets an option of a bridge's port, IFLA_BRPORT_x (linux/if_link.h).
[[nodiscard]] kernel::Message port_message(const Addressee& port, int option, std::uint8_t value);

/// For a link of the gateway's own: forwards IPv6 from there and believes no router advertisement, or has no IPv6 at all. Flushes what is queued.
[[nodiscard]] Result<void> serve_ipv6(kernel::Work& work, const std::string& ns, const std::string& name, std::uint32_t mtu, bool gateway);
/// Gives back all that `serve_ipv6` sets, so that the link equals one that it never was called for.
[[nodiscard]] Result<void> retire_ipv6(kernel::Work& work, const std::string& ns, const std::string& name, std::uint32_t mtu);
/// What somebody changed of that on a gateway; empty where nothing.
[[nodiscard]] std::string amiss_as_ipv6_gateway(const kernel::LinkRecord& link, const kernel::Place& place);

/// The sysctls that the file sets in a namespace are remembered by alternative names of its `lo`, since a namespace of ours is its own record.
[[nodiscard]] std::vector<std::string> remembered_sysctls(const kernel::Place& place);
[[nodiscard]] std::string memo_of(const std::string& sysctl);
/// Drops the settings that remembered sysctls decide: they are neither written nor compared.
void yield_to_sysctls(Settings& settings, const kernel::Place& place);

}  // namespace topo::link
