#include "kernel/dump.hpp"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace topo::kernel {
namespace {

/// Of six bytes.
Mac mac_in(nlattr* attribute) {
  std::array<std::uint8_t, 6> bytes{};
  std::memcpy(bytes.data(), nla_data(attribute), bytes.size());
  return Mac(bytes);
}

/// The attributes of a message or of a nested attribute, by their number.
template <int max>
class Attributes {
 public:
  Attributes(nlmsghdr* header, std::size_t fixed) { valid_ = nlmsg_parse(header, static_cast<int>(fixed), table_.data(), max, nullptr) == 0; }
  explicit Attributes(nlattr* nested) { valid_ = nla_parse_nested(table_.data(), max, nested, nullptr) == 0; }
  explicit Attributes(const rtnexthop* hop) {
    valid_ = nla_parse(table_.data(), max, reinterpret_cast<nlattr*>(RTNH_DATA(const_cast<rtnexthop*>(hop))),
                       static_cast<int>(hop->rtnh_len - RTNH_LENGTH(0)), nullptr) == 0;
  }
  [[nodiscard]] nlattr* operator[](int number) const { return valid_ ? table_[static_cast<std::size_t>(number)] : nullptr; }
  [[nodiscard]] std::uint32_t u32(int number, std::uint32_t otherwise = 0) const {
    return sized(number, sizeof(std::uint32_t)) ? nla_get_u32((*this)[number]) : otherwise;
  }
  [[nodiscard]] std::uint8_t u8(int number, std::uint8_t otherwise = 0) const { return sized(number, 1) ? nla_get_u8((*this)[number]) : otherwise; }
  [[nodiscard]] std::string text(int number) const {
    const nlattr* const attribute = (*this)[number];
    if (attribute == nullptr) return {};
    const auto* const bytes = static_cast<const char*>(nla_data(attribute));
    return {bytes, ::strnlen(bytes, static_cast<std::size_t>(nla_len(attribute)))};
  }
  [[nodiscard]] std::optional<IpAddress> address(int number, Family family) const {
    if (!sized(number, family == Family::v4 ? 4 : 16)) return std::nullopt;
    return IpAddress::from_bytes(family, nla_data((*this)[number]));
  }

 private:
  [[nodiscard]] bool sized(int number, std::size_t size) const {
    const nlattr* const attribute = (*this)[number];
    return attribute != nullptr && static_cast<std::size_t>(nla_len(attribute)) >= size;
  }
  std::array<nlattr*, max + 1> table_{};
  bool valid_ = false;
};

std::vector<std::uint32_t> numbers(const nlattr* attribute) {
  if (attribute == nullptr) return {};
  std::vector<std::uint32_t> values(static_cast<std::size_t>(nla_len(attribute)) / sizeof(std::uint32_t));
  std::memcpy(values.data(), nla_data(attribute), values.size() * sizeof(std::uint32_t));
  return values;
}

std::optional<Family> family_of(unsigned char family) {
  if (family == AF_INET) return Family::v4;
  if (family == AF_INET6) return Family::v6;
  return std::nullopt;
}

void read_kind(LinkRecord& link, nlattr* attribute) {
  const Attributes<IFLA_INFO_MAX> details(attribute);
  link.kind = details.text(IFLA_INFO_KIND);
  if (link.kind == "bridge" && details[IFLA_INFO_DATA] != nullptr) {
    const Attributes<IFLA_BR_MAX> bridge(details[IFLA_INFO_DATA]);
    link.bridge = BridgeRecord{bridge.u32(IFLA_BR_STP_STATE) != 0, bridge.u8(IFLA_BR_TOPOLOGY_CHANGE) != 0, bridge.u32(IFLA_BR_AGEING_TIME),
                               bridge.u8(IFLA_BR_NF_CALL_IPTABLES) != 0, bridge.u8(IFLA_BR_NF_CALL_IP6TABLES) != 0};
  }
  if (details.text(IFLA_INFO_SLAVE_KIND) == "bridge" && details[IFLA_INFO_SLAVE_DATA] != nullptr) {
    const Attributes<IFLA_BRPORT_MAX> port(details[IFLA_INFO_SLAVE_DATA]);
    link.port = PortRecord{port.u8(IFLA_BRPORT_STATE), port.u8(IFLA_BRPORT_MODE) != 0};
  }
}

void read_families(LinkRecord& link, nlattr* attribute) {
  const Attributes<AF_MAX> families(attribute);
  if (families[AF_INET] != nullptr) link.ipv4 = numbers(Attributes<IFLA_INET_MAX>(families[AF_INET])[IFLA_INET_CONF]);
  if (families[AF_INET6] != nullptr) link.ipv6 = numbers(Attributes<IFLA_INET6_MAX>(families[AF_INET6])[IFLA_INET6_CONF]);
}

std::optional<LinkRecord> read_link(nlmsghdr* header) {
  if (header->nlmsg_type != RTM_NEWLINK) return std::nullopt;
  const auto* fixed = static_cast<const ifinfomsg*>(nlmsg_data(header));
  const Attributes<IFLA_MAX> attributes(header, sizeof *fixed);
  LinkRecord link;
  link.index = fixed->ifi_index;
  link.flags = fixed->ifi_flags;
  link.name = attributes.text(IFLA_IFNAME);
  link.alias = attributes.text(IFLA_IFALIAS);
  link.group = attributes.u32(IFLA_GROUP);
  link.mtu = attributes.u32(IFLA_MTU);
  link.master = static_cast<int>(attributes.u32(IFLA_MASTER));
  link.peer = static_cast<int>(attributes.u32(IFLA_LINK));
  if (nlattr* mac = attributes[IFLA_ADDRESS]; mac != nullptr && nla_len(mac) == 6) link.mac = mac_in(mac);
  if (nlattr* list = attributes[IFLA_PROP_LIST]; list != nullptr) {
    int left = nla_len(list);
    for (auto* name = static_cast<nlattr*>(nla_data(list)); nla_ok(name, left) != 0; name = nla_next(name, &left)) {
      if (nla_type(name) == IFLA_ALT_IFNAME) link.alternative_names.emplace_back(nla_get_string(name));
    }
  }
  if (attributes[IFLA_LINKINFO] != nullptr) read_kind(link, attributes[IFLA_LINKINFO]);
  if (attributes[IFLA_AF_SPEC] != nullptr) read_families(link, attributes[IFLA_AF_SPEC]);
  return link;
}

std::optional<AddressRecord> read_address(nlmsghdr* header) {
  if (header->nlmsg_type != RTM_NEWADDR) return std::nullopt;
  const auto* fixed = static_cast<const ifaddrmsg*>(nlmsg_data(header));
  const Attributes<IFA_MAX> attributes(header, sizeof *fixed);
  const auto family = family_of(fixed->ifa_family);
  if (!family) return std::nullopt;
  auto address = attributes.address(IFA_LOCAL, *family);
  if (!address) address = attributes.address(IFA_ADDRESS, *family);
  if (!address || fixed->ifa_prefixlen > address->bits()) return std::nullopt;
  const std::uint32_t flags = attributes.u32(IFA_FLAGS, fixed->ifa_flags);
  return AddressRecord{static_cast<int>(fixed->ifa_index), Cidr(*address, fixed->ifa_prefixlen), attributes.u8(IFA_PROTO),
                       (flags & IFA_F_PERMANENT) != 0, *family == Family::v4 && (flags & IFA_F_SECONDARY) != 0};
}

std::vector<NextHopRecord> read_next_hops(const Attributes<RTA_MAX>& attributes, Family family) {
  std::vector<NextHopRecord> hops;
  nlattr* const list = attributes[RTA_MULTIPATH];
  if (list == nullptr) {
    if (attributes[RTA_OIF] != nullptr) hops.push_back({attributes.address(RTA_GATEWAY, family), static_cast<int>(attributes.u32(RTA_OIF)), 1});
    return hops;
  }
  auto left = static_cast<std::size_t>(nla_len(list));
  const auto* hop = static_cast<const rtnexthop*>(nla_data(list));
  while (left >= sizeof *hop && hop->rtnh_len >= sizeof *hop && hop->rtnh_len <= left) {
    const Attributes<RTA_MAX> details(hop);
    hops.push_back({details.address(RTA_GATEWAY, family), hop->rtnh_ifindex, static_cast<std::uint16_t>(hop->rtnh_hops + 1)});
    const std::size_t size = RTNH_ALIGN(hop->rtnh_len);
    if (size >= left) break;
    left -= size;
    hop = reinterpret_cast<const rtnexthop*>(reinterpret_cast<const char*>(hop) + size);
  }
  return hops;
}

std::optional<RouteRecord> read_route(nlmsghdr* header, std::uint8_t protocol) {
  if (header->nlmsg_type != RTM_NEWROUTE) return std::nullopt;
  const auto* fixed = static_cast<const rtmsg*>(nlmsg_data(header));
  const auto family = family_of(fixed->rtm_family);
  if (!family || (fixed->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  if (fixed->rtm_protocol != RTPROT_BOOT && fixed->rtm_protocol != RTPROT_STATIC && fixed->rtm_protocol != protocol) return std::nullopt;
  const Attributes<RTA_MAX> attributes(header, sizeof *fixed);
  RouteRecord route;
  const auto destination = attributes.address(RTA_DST, *family).value_or(IpAddress::any(*family));
  if (fixed->rtm_dst_len > destination.bits()) return std::nullopt;
  route.destination = Cidr(destination, fixed->rtm_dst_len);
  route.table = attributes.u32(RTA_TABLE, fixed->rtm_table);
  route.metric = attributes.u32(RTA_PRIORITY);
  route.type = fixed->rtm_type;
  route.protocol = fixed->rtm_protocol;
  route.source = attributes.address(RTA_PREFSRC, *family);
  route.next_hops = read_next_hops(attributes, *family);
  return route;
}

std::optional<RuleRecord> read_rule(nlmsghdr* header) {
  if (header->nlmsg_type != RTM_NEWRULE) return std::nullopt;
  const auto* fixed = static_cast<const fib_rule_hdr*>(nlmsg_data(header));
  const auto family = family_of(fixed->family);
  if (!family) return std::nullopt;
  const Attributes<FRA_MAX> attributes(header, sizeof *fixed);
  RuleRecord rule;
  rule.family = *family;
  rule.protocol = attributes.u8(FRA_PROTOCOL);
  if (rule.protocol == RTPROT_KERNEL) return std::nullopt;
  rule.priority = attributes.u32(FRA_PRIORITY);
  rule.action = fixed->action;
  rule.table = attributes.u32(FRA_TABLE, fixed->table);
  rule.iif = attributes.text(FRA_IIFNAME);
  if (const auto from = attributes.address(FRA_SRC, *family)) rule.from = Cidr(*from, fixed->src_len);
  if (const auto to = attributes.address(FRA_DST, *family)) rule.to = Cidr(*to, fixed->dst_len);
  rule.more = fixed->tos != 0 || (fixed->flags & FIB_RULE_INVERT) != 0;
  for (const int other : {FRA_FWMARK, FRA_OIFNAME, FRA_TUN_ID, FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_L3MDEV}) {
    rule.more = rule.more || attributes[other] != nullptr;
  }
  return rule;
}

std::optional<NeighbourRecord> read_neighbour(nlmsghdr* header) {
  if (header->nlmsg_type != RTM_NEWNEIGH) return std::nullopt;
  const auto* fixed = static_cast<const ndmsg*>(nlmsg_data(header));
  const Attributes<NDA_MAX> attributes(header, sizeof *fixed);
  const auto family = family_of(fixed->ndm_family);
  const auto address = family ? attributes.address(NDA_DST, *family) : std::nullopt;
  if (!address) return std::nullopt;
  NeighbourRecord neighbour{fixed->ndm_ifindex, *address, fixed->ndm_state, {}};
  if (nlattr* mac = attributes[NDA_LLADDR]; mac != nullptr && nla_len(mac) == 6) neighbour.mac = mac_in(mac);
  return neighbour;
}

template <class Record, class Read>
Result<void> dump_into(Channel& channel, const Message& question, std::vector<Record>& records, const Read& read) {
  return channel.dump(
      question, [&] { records.clear(); },
      [&](nlmsghdr* header) {
        if (auto record = read(header)) records.push_back(std::move(*record));
      });
}

Message link_question(int index) {
  ifinfomsg fixed{};
  fixed.ifi_index = index;
  Message question(RTM_GETLINK, 0, fixed, 128);
  question.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return question;
}

/// RTM_GETNETCONF of one family for the whole namespace (NETCONFA_IFINDEX_ALL).
Result<bool> read_family_settings(Channel& channel, unsigned char family, std::optional<bool>& forwarding, std::uint32_t* rp_filter) {
  netconfmsg fixed{};
  fixed.ncm_family = family;
  Message question(RTM_GETNETCONF, 0, fixed, 64);
  question.put_u32(NETCONFA_IFINDEX, static_cast<std::uint32_t>(NETCONFA_IFINDEX_ALL));
  return channel.ask(question, [&](nlmsghdr* header) {
    const Attributes<NETCONFA_MAX> attributes(header, sizeof(netconfmsg));
    forwarding = attributes.u32(NETCONFA_FORWARDING) != 0;
    if (rp_filter != nullptr) *rp_filter = attributes.u32(NETCONFA_RP_FILTER);
  });
}

}  // namespace

Result<void> dump_links(Channel& channel, Snapshot& into) {
  auto done = dump_into(channel, link_question(0), into.links, [](nlmsghdr* header) { return read_link(header); });
  into.index_links();
  return done;
}

Result<void> dump_addresses(Channel& channel, Snapshot& into) {
  const ifaddrmsg fixed{};
  return dump_into(channel, Message(RTM_GETADDR, 0, fixed, 128), into.addresses, [](nlmsghdr* header) { return read_address(header); });
}

Result<void> dump_routes(Channel& channel, std::uint8_t protocol, Snapshot& into) {
  const rtmsg fixed{};
  return dump_into(channel, Message(RTM_GETROUTE, 0, fixed, 128), into.routes, [&](nlmsghdr* header) { return read_route(header, protocol); });
}

Result<void> dump_rules(Channel& channel, Snapshot& into) {
  const fib_rule_hdr fixed{};
  return dump_into(channel, Message(RTM_GETRULE, 0, fixed, 128), into.rules, [](nlmsghdr* header) { return read_rule(header); });
}

Result<void> dump_neighbours(Channel& channel, std::vector<NeighbourRecord>& into, bool proxies) {
  ndmsg fixed{};
  fixed.ndm_flags = proxies ? NTF_PROXY : 0;
  return dump_into(channel, Message(RTM_GETNEIGH, 0, fixed, 128), into, [](nlmsghdr* header) { return read_neighbour(header); });
}

Result<void> read_settings(Channel& channel, Snapshot& into) {
  into.settings = {};
  const auto v4 = read_family_settings(channel, AF_INET, into.settings.forwarding_v4, &into.settings.rp_filter);
  if (!v4) return v4.error();
  const auto v6 = read_family_settings(channel, AF_INET6, into.settings.forwarding_v6, nullptr);
  if (!v6) return v6.error();
  return {};
}

Result<std::optional<LinkRecord>> read_link(Channel& channel, const std::string& name) {
  Message question = link_question(0);
  question.put_text(IFLA_IFNAME, name);
  std::optional<LinkRecord> link;
  const auto asked = channel.ask(question, [&](nlmsghdr* header) { link = read_link(header); });
  if (!asked) return asked.error();
  return link;
}

}  // namespace topo::kernel
