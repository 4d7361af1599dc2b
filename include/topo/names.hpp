// Which names are allowed, and how marks and kernel names are derived from them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topo {

inline constexpr std::size_t interface_name_max = 15;  ///< IFNAMSIZ - 1, linux/if.h
inline constexpr std::size_t namespace_name_max = 64;
inline constexpr std::size_t topology_name_max = 32;

/// What is wrong with the name, in a user's words; nullopt where nothing is.
[[nodiscard]] std::optional<std::string> topology_name_problem(std::string_view name);   ///< [a-z][a-z0-9-]*, at most 32
[[nodiscard]] std::optional<std::string> namespace_name_problem(std::string_view name);  ///< letters, digits, _ - . , at most 64, not reserved
[[nodiscard]] std::optional<std::string> bridge_name_problem(std::string_view name);     ///< same, at most 15
[[nodiscard]] std::optional<std::string> interface_name_problem(std::string_view name);  ///< same as a bridge's; `lo` is reserved
[[nodiscard]] std::optional<std::string> zone_name_problem(std::string_view name);       ///< same as a namespace's

/// The nearest of `candidates` by edit distance, or nullopt where none is near enough to suggest.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// FNV-1a, 64 bits: the one hash that marks, MACs and derived names come from. It must never change.
[[nodiscard]] std::uint64_t stable_hash(std::string_view text);

/// The link group (IFLA_GROUP) that all links of a topology bear: 0x74 in the top byte, 24 bits of the name's hash below.
[[nodiscard]] std::uint32_t link_group(std::string_view topology);
/// Every topology's links match `(group & link_group_mask) == link_group_any`.
inline constexpr std::uint32_t link_group_any = 0x74000000;
inline constexpr std::uint32_t link_group_mask = 0xff000000;

/// Protocol number (rtm_protocol, IFA_PROTO, FRA_PROTOCOL) on all that topo puts into a kernel.
inline constexpr std::uint8_t owner_protocol = 0x74;

/// "topo:v1:NAME" - the alias of `lo` in an owned namespace, and the comment of a topology's jumps. Links bear "topo:v1:NAME:REF".
[[nodiscard]] std::string owner_mark(std::string_view topology);
/// The topology named by a mark of owner_mark's form (with or without a REF), or nullopt.
[[nodiscard]] std::optional<std::string> owner_of(std::string_view mark);
/// The REF of "topo:v1:NAME:REF", empty where there is none.
[[nodiscard]] std::string mark_ref(std::string_view mark);

/// "TOPO-" and 8 hexadecimal digits of the topology's name: the prefix of its iptables chains.
[[nodiscard]] std::string chain_prefix(std::string_view topology);

/// "topo_NAME": the name of its tables of nf_tables. Their comment is owner_mark.
[[nodiscard]] std::string table_name(std::string_view topology);
/// The mark on what all topologies of a namespace share in a firewall, and the name of the table of nf_tables for that.
inline constexpr const char* shared_mark = "topo:v1";
inline constexpr const char* shared_table = "topo";

/// The name of the gateway's end of a cable to `interface` of namespace `ns`: "NS.INTERFACE" where that fits and is unambiguous, else
/// a readable beginning and a hash; at most 15 bytes, a function of its arguments alone.
[[nodiscard]] std::string host_end_name(std::string_view ns, std::string_view interface);

/// Of a topology with `gateway: own`: the namespace of its bridges, and the name that the end of a bridge's cable to the host has there.
[[nodiscard]] std::string gateway_name(std::string_view topology);
[[nodiscard]] std::string uplink_name(std::string_view bridge);

/// The folder that `ip netns exec NS` lays over /etc: NETNS_ETC_DIR/NS, ip-netns(8).
inline constexpr const char* netns_etc_folder = "/etc/netns";
/// Where topo keeps what it lays over the /etc of a namespace. A link in `netns_etc_folder` that leads there is the mark of it.
[[nodiscard]] std::string etc_folder(std::string_view topology, std::string_view ns);
/// The topology whose link of namespace `ns` leads to `target`; nullopt where it is nobody's that we know.
[[nodiscard]] std::optional<std::string> owner_of_etc(std::string_view target, std::string_view ns);

/// The abstract name of the socket (unix(7)) by which command `name` of namespace `ns` is known; and what all of a topology begin with, or of every
/// topology where it is empty.
[[nodiscard]] std::string command_place(std::string_view topology, std::string_view ns, std::string_view name);
[[nodiscard]] std::string command_prefix(std::string_view topology);
/// The file of what that command has printed.
[[nodiscard]] std::string log_path(std::string_view topology, std::string_view ns, std::string_view name);

/// Length in bytes of the valid UTF-8 sequence (RFC 3629) at the front of `text`, 0 where there is none; `text` must not be empty.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// Control characters, DEL and bytes that are no UTF-8 as \xNN; the rest unchanged. For everything printed that comes from outside.
[[nodiscard]] std::string printable(std::string_view text);

/// The folder of everything topo keeps in files; it goes with a reboot, as the kernel's state does.
inline constexpr const char* state_folder = "/run/topo";

}  // namespace topo
