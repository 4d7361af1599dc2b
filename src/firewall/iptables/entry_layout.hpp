// How an entry's bytes are laid out; for the two halves of entry.hpp.
#pragma once

// libc's headers first: linux/libc-compat.h decides once who defines struct ifreq.
#include <net/if.h>
#include <netinet/in.h>
// then the kernel's
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_devgroup.h>
#include <linux/netfilter/xt_physdev.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv4/ipt_REJECT.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netfilter_ipv6/ip6t_REJECT.h>

#include <array>
#include <cstring>
#include <optional>

#include "firewall/iptables/entry.hpp"

namespace topo::firewall::layout {

inline constexpr std::uint8_t tcp = 6, udp = 17, icmp = 1, icmp6 = 58;

constexpr std::size_t aligned(std::size_t size) { return (size + 7) / 8 * 8; }  // XT_ALIGN

/// A kernel structure with its padding zeroed, too: the entries are compared byte by byte, and {} promises nothing about padding.
template <class T>
struct Zeroed {
  T value;
  Zeroed() { std::memset(static_cast<void*>(&value), 0, sizeof value); }
  Zeroed(const Zeroed&) = delete;
  Zeroed& operator=(const Zeroed&) = delete;
  T* operator->() { return &value; }
};

/// The two families' entries differ in their addresses and in a few flags.
struct V4 {
  using Header = ipt_entry;
  static constexpr Family family = Family::v4;
  static auto& ip(Header& header) { return header.ip; }
  static constexpr std::uint8_t go_to = IPT_F_GOTO;
};
struct V6 {
  using Header = ip6t_entry;
  static constexpr Family family = Family::v6;
  static auto& ip(Header& header) { return header.ipv6; }
  static constexpr std::uint8_t go_to = IP6T_F_GOTO;
};

/// netfilter::ConnectionState bit by bit, and the kernel's.
inline constexpr std::array<std::pair<unsigned, unsigned>, 7> state_bits{{{netfilter::ct_invalid, XT_CONNTRACK_STATE_INVALID},
                                                                          {netfilter::ct_established, XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED)},
                                                                          {netfilter::ct_related, XT_CONNTRACK_STATE_BIT(IP_CT_RELATED)},
                                                                          {netfilter::ct_new, XT_CONNTRACK_STATE_BIT(IP_CT_NEW)},
                                                                          {netfilter::ct_untracked, XT_CONNTRACK_STATE_UNTRACKED},
                                                                          {netfilter::ct_snat, XT_CONNTRACK_STATE_SNAT},
                                                                          {netfilter::ct_dnat, XT_CONNTRACK_STATE_DNAT}}};

inline std::uint16_t address_type_bit(const std::optional<netfilter::AddressType>& type) {
  using netfilter::AddressType;
  if (!type) return 0;
  return *type == AddressType::local ? XT_ADDRTYPE_LOCAL : *type == AddressType::broadcast ? XT_ADDRTYPE_BROADCAST : XT_ADDRTYPE_MULTICAST;
}

}  // namespace topo::firewall::layout
