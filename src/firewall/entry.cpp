#include "firewall/entry.hpp"

// libc's headers first: linux/libc-compat.h decides once who defines struct ifreq.
#include <net/if.h>
#include <netinet/in.h>
// then the kernel's
#include <linux/netfilter/nf_nat.h>
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

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace topo::firewall {
namespace {

using netfilter::AddressType;
using netfilter::Ports;
using netfilter::Rule;
using netfilter::Target;

constexpr std::uint8_t tcp = 6, udp = 17, icmp = 1, icmp6 = 58;
constexpr std::size_t chain_name_max = 28;  // what iptables itself takes, XT_EXTENSION_MAXNAMELEN - 1

constexpr std::size_t aligned(std::size_t size) { return (size + 7) / 8 * 8; }  // XT_ALIGN

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

template <class T>
T read_as(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
  return value;
}

// --- writing ---

/// Appends struct xt_entry_match or xt_entry_target (they are laid out alike) with its content.
void put_extension(Entry& entry, std::string_view name, std::uint8_t revision, const void* content, std::size_t size) {
  xt_entry_match head{};
  head.u.user.match_size = static_cast<std::uint16_t>(sizeof head + aligned(size));
  name.copy(head.u.user.name, sizeof head.u.user.name - 1);
  head.u.user.revision = revision;
  entry.append(reinterpret_cast<const char*>(&head), sizeof head);
  entry.append(static_cast<const char*>(content), size);
  entry.append(aligned(size) - size, '\0');
}

template <class T>
void put_extension(Entry& entry, std::string_view name, std::uint8_t revision, const T& content) {
  put_extension(entry, name, revision, &content, sizeof content);
}

/// A name and the mask of the bytes that count: all of them and the NUL behind.
template <class Mask>
void put_interface(const std::string& name, char* to, Mask* mask) {
  name.copy(to, IFNAMSIZ - 1);
  std::memset(mask, 0xff, name.size() + 1);
}

void put_network(const Cidr& cidr, void* address, void* mask) {
  const std::size_t size = cidr.address().bits() / 8U;
  std::memcpy(address, cidr.network().address().bytes().data(), size);
  auto* byte = static_cast<std::uint8_t*>(mask);
  for (unsigned left = cidr.prefix(); left > 0; left -= std::min(left, 8U)) *byte++ = static_cast<std::uint8_t>(0xff00U >> std::min(left, 8U));
}

template <class Version>
void put_header(const Rule& rule, typename Version::Header& header) {
  auto& ip = Version::ip(header);
  const auto invert = [&](bool negated, unsigned flag) {
    if (negated) ip.invflags = static_cast<std::uint8_t>(ip.invflags | flag);
  };
  if (rule.source) {
    put_network(rule.source->value, &ip.src, &ip.smsk);
    invert(rule.source->negated, IPT_INV_SRCIP);
  }
  if (rule.destination) {
    put_network(rule.destination->value, &ip.dst, &ip.dmsk);
    invert(rule.destination->negated, IPT_INV_DSTIP);
  }
  if (rule.in) {
    put_interface(rule.in->value, ip.iniface, ip.iniface_mask);
    invert(rule.in->negated, IPT_INV_VIA_IN);
  }
  if (rule.out) {
    put_interface(rule.out->value, ip.outiface, ip.outiface_mask);
    invert(rule.out->negated, IPT_INV_VIA_OUT);
  }
  if (rule.protocol) {
    ip.proto = *rule.protocol;
    if constexpr (Version::family == Family::v6) ip.flags = static_cast<std::uint8_t>(ip.flags | IP6T_F_PROTO);
  }
  if (rule.target.kind == Target::Kind::go_to) ip.flags = static_cast<std::uint8_t>(ip.flags | Version::go_to);
}

template <class Xt>
Xt ports_match(const Rule& rule) {
  Xt match{};
  const Ports source = rule.source_ports.value_or(Ports{}), destination = rule.destination_ports.value_or(Ports{});
  match.spts[0] = source.first;
  match.spts[1] = source.last;
  match.dpts[0] = destination.first;
  match.dpts[1] = destination.last;
  return match;
}

void put_protocol_match(const Rule& rule, Family family, Entry& entry) {
  if (rule.source_ports || rule.destination_ports) {
    if (rule.protocol == tcp) put_extension(entry, "tcp", 0, ports_match<xt_tcp>(rule));
    if (rule.protocol == udp) put_extension(entry, "udp", 0, ports_match<xt_udp>(rule));
  }
  if (!rule.icmp_type) return;
  if (family == Family::v4) {
    put_extension(entry, "icmp", 0, ipt_icmp{*rule.icmp_type, {0, 255}, 0});
  } else {
    put_extension(entry, "icmp6", 0, ip6t_icmp{*rule.icmp_type, {0, 255}, 0});
  }
}

void put_groups(const Rule& rule, Entry& entry) {
  if (!rule.in_group && !rule.out_group) return;
  xt_devgroup_info match{};
  if (rule.in_group) {
    match.flags |= XT_DEVGROUP_MATCH_SRC | (rule.in_group->negated ? unsigned{XT_DEVGROUP_INVERT_SRC} : 0U);
    match.src_group = rule.in_group->value.value;
    match.src_mask = rule.in_group->value.mask;
  }
  if (rule.out_group) {
    match.flags |= XT_DEVGROUP_MATCH_DST | (rule.out_group->negated ? unsigned{XT_DEVGROUP_INVERT_DST} : 0U);
    match.dst_group = rule.out_group->value.value;
    match.dst_mask = rule.out_group->value.mask;
  }
  put_extension(entry, "devgroup", 0, match);
}

/// netfilter::ConnectionState bit by bit, and the kernel's.
constexpr std::array<std::pair<unsigned, unsigned>, 7> state_bits{{{netfilter::ct_invalid, XT_CONNTRACK_STATE_INVALID},
                                                                   {netfilter::ct_established, XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED)},
                                                                   {netfilter::ct_related, XT_CONNTRACK_STATE_BIT(IP_CT_RELATED)},
                                                                   {netfilter::ct_new, XT_CONNTRACK_STATE_BIT(IP_CT_NEW)},
                                                                   {netfilter::ct_untracked, XT_CONNTRACK_STATE_UNTRACKED},
                                                                   {netfilter::ct_snat, XT_CONNTRACK_STATE_SNAT},
                                                                   {netfilter::ct_dnat, XT_CONNTRACK_STATE_DNAT}}};

void put_states(const Rule& rule, Entry& entry) {
  if (rule.states == 0) return;
  xt_conntrack_mtinfo3 match{};
  match.match_flags = XT_CONNTRACK_STATE;
  if (rule.states_negated) match.invert_flags = XT_CONNTRACK_STATE;
  for (const auto& [ours, kernels] : state_bits) {
    if ((rule.states & ours) != 0) match.state_mask = static_cast<std::uint16_t>(match.state_mask | kernels);
  }
  put_extension(entry, "conntrack", 3, match);
}

std::uint16_t address_type_bit(const std::optional<AddressType>& type) {
  if (!type) return 0;
  return *type == AddressType::local ? XT_ADDRTYPE_LOCAL : *type == AddressType::broadcast ? XT_ADDRTYPE_BROADCAST : XT_ADDRTYPE_MULTICAST;
}

void put_address_types(const Rule& rule, Entry& entry) {
  if (!rule.source_type && !rule.destination_type) return;
  put_extension(entry, "addrtype", 1, xt_addrtype_info_v1{address_type_bit(rule.source_type), address_type_bit(rule.destination_type), 0});
}

void put_ports_of_bridge(const Rule& rule, Entry& entry) {
  if (!rule.physical_in && !rule.physical_out && !rule.bridged) return;
  xt_physdev_info match{};
  if (rule.physical_in) {
    put_interface(*rule.physical_in, match.physindev, match.in_mask);
    match.bitmask |= XT_PHYSDEV_OP_IN;
  }
  if (rule.physical_out) {
    put_interface(*rule.physical_out, match.physoutdev, match.out_mask);
    match.bitmask |= XT_PHYSDEV_OP_OUT;
  }
  if (rule.bridged) match.bitmask |= XT_PHYSDEV_OP_BRIDGED;
  put_extension(entry, "physdev", 0, match);
}

void put_comment(const Rule& rule, Entry& entry) {
  if (rule.comment.empty()) return;
  xt_comment_info match{};
  rule.comment.copy(match.comment, sizeof match.comment - 1);
  put_extension(entry, "comment", 0, match);
}

nf_inet_addr kernel_address(const IpAddress& address) {
  nf_inet_addr to{};
  std::memcpy(&to, address.bytes().data(), address.bits() / 8U);
  return to;
}

void put_dnat(const Target& target, Entry& entry) {
  nf_nat_range2 range{};
  if (target.address) {
    range.flags |= NF_NAT_RANGE_MAP_IPS;
    range.min_addr = range.max_addr = kernel_address(*target.address);
  }
  if (target.ports) {
    range.flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
    range.min_proto.all = htons(target.ports->first);
    range.max_proto.all = htons(target.ports->last);
  }
  if (target.base) {
    range.flags |= NF_NAT_RANGE_PROTO_OFFSET;
    range.base_proto.all = htons(*target.base);
  }
  put_extension(entry, "DNAT", 2, range);
}

/// SNAT to `address`, or MASQUERADE without one: the same structures, those of the oldest revisions.
void put_source_nat(std::string_view name, std::uint8_t v6_revision, const std::optional<IpAddress>& address, Family family, Entry& entry) {
  const nf_inet_addr to = address ? kernel_address(*address) : nf_inet_addr{};
  if (family == Family::v4) {
    nf_nat_ipv4_multi_range_compat ranges{};
    ranges.rangesize = 1;
    if (address) ranges.range[0].flags = NF_NAT_RANGE_MAP_IPS;
    ranges.range[0].min_ip = ranges.range[0].max_ip = to.ip;
    put_extension(entry, name, 0, ranges);
  } else {
    nf_nat_range range{};
    if (address) range.flags = NF_NAT_RANGE_MAP_IPS;
    range.min_addr = range.max_addr = to;
    put_extension(entry, name, v6_revision, range);
  }
}

void put_reject(const Target& target, Family family, Entry& entry) {
  const bool reset = target.reject == Target::Reject::tcp_reset;
  if (family == Family::v4) {
    put_extension(entry, "REJECT", 0, ipt_reject_info{reset ? IPT_TCP_RESET : IPT_ICMP_ADMIN_PROHIBITED});
  } else {
    put_extension(entry, "REJECT", 0, ip6t_reject_info{reset ? IP6T_TCP_RESET : IP6T_ICMP6_ADM_PROHIBITED});
  }
}

void put_target(const Target& target, Family family, Entry& entry) {
  const int verdict = 0;
  const auto standard = [&](std::string_view name) { put_extension(entry, name, 0, verdict); };
  switch (target.kind) {
    case Target::Kind::accept:
      return standard("ACCEPT");
    case Target::Kind::drop:
      return standard("DROP");
    case Target::Kind::return_:
      return standard("RETURN");
    case Target::Kind::jump:
    case Target::Kind::go_to:
      return standard(target.chain);
    case Target::Kind::reject:
      return put_reject(target, family, entry);
    case Target::Kind::dnat:
      return put_dnat(target, entry);
    case Target::Kind::snat:
      return put_source_nat("SNAT", 1, target.address, family, entry);
    case Target::Kind::masquerade:
      return put_source_nat("MASQUERADE", 0, std::nullopt, family, entry);
  }
}

template <class Version>
Entry write_entry(const Rule& rule) {
  typename Version::Header header{};
  put_header<Version>(rule, header);
  Entry entry(sizeof header, '\0');
  put_protocol_match(rule, Version::family, entry);
  put_groups(rule, entry);
  put_states(rule, entry);
  put_address_types(rule, entry);
  put_ports_of_bridge(rule, entry);
  put_comment(rule, entry);
  header.target_offset = static_cast<std::uint16_t>(entry.size());
  put_target(rule.target, Version::family, entry);
  header.next_offset = static_cast<std::uint16_t>(entry.size());
  std::memcpy(entry.data(), &header, sizeof header);
  return entry;
}

/// What makes the rule one that no table can hold.
std::string problem(const Rule& rule, Family family) {
  for (const auto* name : {rule.in ? &rule.in->value : nullptr, rule.out ? &rule.out->value : nullptr,
                           rule.physical_in ? &*rule.physical_in : nullptr, rule.physical_out ? &*rule.physical_out : nullptr}) {
    if (name != nullptr && (name->empty() || name->size() >= IFNAMSIZ)) return "interface name '" + *name + "' is empty or too long";
  }
  for (const auto& network : {rule.source, rule.destination}) {
    if (network && network->value.family() != family) return network->value.to_string() + " is of the other family";
  }
  if (rule.target.address && rule.target.address->family() != family) return rule.target.address->to_string() + " is of the other family";
  if (rule.comment.size() >= XT_MAX_COMMENT_LEN) return "the comment is longer than 255 bytes";
  const bool jumps = rule.target.kind == Target::Kind::jump || rule.target.kind == Target::Kind::go_to;
  if (jumps && (rule.target.chain.empty() || rule.target.chain.size() > chain_name_max))
    return "chain name '" + rule.target.chain + "' is empty or too long";
  const bool ports = rule.source_ports || rule.destination_ports;
  if (ports && rule.protocol != tcp && rule.protocol != udp) return "ports need tcp or udp";
  if (rule.icmp_type && rule.protocol != (family == Family::v4 ? icmp : icmp6)) return "an ICMP type needs the family's ICMP";
  if (rule.target.kind == Target::Kind::snat && !rule.target.address) return "SNAT needs an address";
  return {};
}

// --- reading ---

struct Part {
  Extension extension;
  std::string_view content;
};

/// One match or target at the front of `bytes`; nullopt where it does not fit into them.
std::optional<Part> part_at(std::string_view bytes, bool target) {
  xt_entry_match head{};
  if (bytes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::size_t size = head.u.user.match_size;
  if (size < sizeof head || size > bytes.size()) return std::nullopt;
  const std::string name(head.u.user.name, strnlen(head.u.user.name, sizeof head.u.user.name));
  return Part{{name, head.u.user.revision, target}, bytes.substr(sizeof head, size - sizeof head)};
}

/// The matches in their order and last the target; empty where the entry's sizes do not add up.
template <class Version>
std::vector<Part> parts(std::string_view entry) {
  std::vector<Part> found;
  if (entry.size() < sizeof(typename Version::Header)) return {};
  const auto header = read_as<typename Version::Header>(entry);
  std::size_t at = sizeof header;
  while (at <= header.target_offset && at < entry.size()) {
    const auto part = part_at(entry.substr(at), at == header.target_offset);
    if (!part) return {};
    found.push_back(*part);
    if (part->extension.target) return found;
    at += sizeof(xt_entry_match) + part->content.size();
  }
  return {};
}

/// The prefix length of a mask; a mask with holes gives some length that does not encode to it again.
std::uint8_t prefix_of(const void* mask, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(mask);
  unsigned prefix = 0;
  for (std::size_t i = 0; i < size; ++i) prefix += static_cast<unsigned>(std::popcount(bytes[i]));
  return static_cast<std::uint8_t>(prefix);
}

std::optional<netfilter::Maybe<Cidr>> read_network(Family family, const void* address, const void* mask, bool negated) {
  const std::uint8_t prefix = prefix_of(mask, family == Family::v4 ? 4 : 16);
  if (prefix == 0 && !negated) return std::nullopt;
  return netfilter::Maybe<Cidr>{Cidr(IpAddress::from_bytes(family, address), prefix), negated};
}

std::string read_name(const char* name, std::size_t size) { return {name, strnlen(name, size)}; }

std::optional<netfilter::Maybe<std::string>> read_interface(const char* name, bool negated) {
  if (name[0] == '\0') return std::nullopt;
  return netfilter::Maybe<std::string>{read_name(name, IFNAMSIZ), negated};
}

template <class Version>
void read_header(typename Version::Header header, Rule& rule) {
  const auto& ip = Version::ip(header);
  rule.source = read_network(Version::family, &ip.src, &ip.smsk, (ip.invflags & IPT_INV_SRCIP) != 0);
  rule.destination = read_network(Version::family, &ip.dst, &ip.dmsk, (ip.invflags & IPT_INV_DSTIP) != 0);
  rule.in = read_interface(ip.iniface, (ip.invflags & IPT_INV_VIA_IN) != 0);
  rule.out = read_interface(ip.outiface, (ip.invflags & IPT_INV_VIA_OUT) != 0);
  if (ip.proto != 0) rule.protocol = static_cast<std::uint8_t>(ip.proto);
}

std::optional<Ports> read_ports(const std::uint16_t (&range)[2]) {
  if (range[0] == 0 && range[1] == 65535) return std::nullopt;
  return Ports{range[0], range[1]};
}

template <class Xt>
void read_ports_match(std::string_view content, Rule& rule) {
  const auto match = read_as<Xt>(content);
  rule.source_ports = read_ports(match.spts);
  rule.destination_ports = read_ports(match.dpts);
}

void read_groups(std::string_view content, Rule& rule) {
  const auto match = read_as<xt_devgroup_info>(content);
  using Group = netfilter::Maybe<netfilter::DeviceGroup>;
  if ((match.flags & XT_DEVGROUP_MATCH_SRC) != 0)
    rule.in_group = Group{{match.src_group, match.src_mask}, (match.flags & XT_DEVGROUP_INVERT_SRC) != 0};
  if ((match.flags & XT_DEVGROUP_MATCH_DST) != 0)
    rule.out_group = Group{{match.dst_group, match.dst_mask}, (match.flags & XT_DEVGROUP_INVERT_DST) != 0};
}

void read_states(std::string_view content, Rule& rule) {
  const auto match = read_as<xt_conntrack_mtinfo3>(content);
  rule.states_negated = (match.invert_flags & XT_CONNTRACK_STATE) != 0;
  for (const auto& [ours, kernels] : state_bits) {
    if ((match.state_mask & kernels) != 0) rule.states = static_cast<std::uint8_t>(rule.states | ours);
  }
}

std::optional<AddressType> read_address_type(std::uint16_t bits) {
  for (const auto type : {AddressType::local, AddressType::broadcast, AddressType::multicast}) {
    if (bits == address_type_bit(type)) return type;
  }
  return std::nullopt;
}

void read_address_types(std::string_view content, Rule& rule) {
  const auto match = read_as<xt_addrtype_info_v1>(content);
  rule.source_type = read_address_type(match.source);
  rule.destination_type = read_address_type(match.dest);
}

void read_ports_of_bridge(std::string_view content, Rule& rule) {
  const auto match = read_as<xt_physdev_info>(content);
  if ((match.bitmask & XT_PHYSDEV_OP_IN) != 0) rule.physical_in = read_name(match.physindev, IFNAMSIZ);
  if ((match.bitmask & XT_PHYSDEV_OP_OUT) != 0) rule.physical_out = read_name(match.physoutdev, IFNAMSIZ);
  rule.bridged = (match.bitmask & XT_PHYSDEV_OP_BRIDGED) != 0;
}

void read_match(const Part& part, Rule& rule) {
  const auto& name = part.extension.name;
  if (name == "tcp") read_ports_match<xt_tcp>(part.content, rule);
  if (name == "udp") read_ports_match<xt_udp>(part.content, rule);
  if (name == "icmp" || name == "icmp6") rule.icmp_type = static_cast<std::uint8_t>(part.content[0]);  // both begin with the type
  if (name == "devgroup") read_groups(part.content, rule);
  if (name == "conntrack") read_states(part.content, rule);
  if (name == "addrtype") read_address_types(part.content, rule);
  if (name == "physdev") read_ports_of_bridge(part.content, rule);
  if (name == "comment") rule.comment = read_name(part.content.data(), part.content.size());
}

Target read_dnat(std::string_view content, Family family) {
  const auto range = read_as<nf_nat_range2>(content);
  Target target{Target::Kind::dnat, {}, {}, {}, {}, {}};
  if ((range.flags & NF_NAT_RANGE_MAP_IPS) != 0) target.address = IpAddress::from_bytes(family, &range.min_addr);
  if ((range.flags & NF_NAT_RANGE_PROTO_SPECIFIED) != 0) target.ports = Ports{ntohs(range.min_proto.all), ntohs(range.max_proto.all)};
  if ((range.flags & NF_NAT_RANGE_PROTO_OFFSET) != 0) target.base = ntohs(range.base_proto.all);
  return target;
}

Target read_snat(std::string_view content, Family family) {
  Target target{Target::Kind::snat, {}, {}, {}, {}, {}};
  const auto v4 = read_as<nf_nat_ipv4_multi_range_compat>(content);
  const auto v6 = read_as<nf_nat_range>(content);
  target.address = family == Family::v4 ? IpAddress::from_bytes(family, &v4.range[0].min_ip) : IpAddress::from_bytes(family, &v6.min_addr);
  return target;
}

Target read_target(const Part& part, Family family, bool go_to) {
  Target target;
  const auto& name = part.extension.name;
  const auto of_kind = [&](Target::Kind kind) {
    target.kind = kind;
    return target;
  };
  if (name == "ACCEPT") return of_kind(Target::Kind::accept);
  if (name == "DROP") return of_kind(Target::Kind::drop);
  if (name == "RETURN") return of_kind(Target::Kind::return_);
  if (name == "DNAT") return read_dnat(part.content, family);
  if (name == "SNAT") return read_snat(part.content, family);
  if (name == "MASQUERADE") return of_kind(Target::Kind::masquerade);
  if (name == "REJECT") {
    const auto with = read_as<ipt_reject_info>(part.content).with;  // both families' are one enum
    const bool reset = family == Family::v4 ? with == IPT_TCP_RESET : static_cast<int>(with) == static_cast<int>(IP6T_TCP_RESET);
    target.reject = reset ? Target::Reject::tcp_reset : Target::Reject::admin_prohibited;
    return of_kind(Target::Kind::reject);
  }
  target.chain = name;
  return of_kind(go_to ? Target::Kind::go_to : Target::Kind::jump);
}

template <class Version>
Rule read_entry(const Entry& entry) {
  Rule rule;
  const auto found = parts<Version>(entry);
  if (!found.empty()) {
    auto header = read_as<typename Version::Header>(entry);
    read_header<Version>(header, rule);
    for (const auto& part : found) {
      if (!part.extension.target) read_match(part, rule);
    }
    rule.target = read_target(found.back(), Version::family, (Version::ip(header).flags & Version::go_to) != 0);
    const auto again = encode(rule, Version::family);
    if (again && again.value() == entry) return rule;
  }
  Rule opaque;
  opaque.opaque = entry;
  return opaque;
}

void pad_name(char* name, std::size_t size) {
  const std::size_t length = strnlen(name, size);
  std::memset(name + length, 0, size - length);
}

template <class Version>
Entry normalised(const void* from, std::string_view target) {
  const auto original = read_as<typename Version::Header>({static_cast<const char*>(from), sizeof(typename Version::Header)});
  Entry entry(static_cast<const char*>(from), original.next_offset);
  auto header = original;
  header.nfcache = 0;
  header.comefrom = 0;
  header.counters = {};
  std::memcpy(entry.data(), &header, sizeof header);
  for (std::size_t at = sizeof header; at <= header.target_offset && at + sizeof(xt_entry_match) <= entry.size();) {
    xt_entry_match head{};
    std::memcpy(&head, &entry[at], sizeof head);
    const bool standard = at == header.target_offset && head.u.user.name[0] == '\0';
    if (standard) {
      std::memset(&entry[at + sizeof head], 0, entry.size() - at - sizeof head);
      std::memset(head.u.user.name, 0, sizeof head.u.user.name);
      target.copy(head.u.user.name, sizeof head.u.user.name - 1);
    }
    pad_name(head.u.user.name, sizeof head.u.user.name);
    std::memcpy(&entry[at], &head, sizeof head);
    if (head.u.user.match_size < sizeof head) break;
    at += head.u.user.match_size;
  }
  return entry;
}

}  // namespace

Result<Entry> encode(const Rule& rule, Family family) {
  if (!rule.opaque.empty()) return rule.opaque;
  if (auto why = problem(rule, family); !why.empty())
    return Error{Exit::rolled_back, "a firewall rule cannot be written", rule.comment, std::move(why), {}, {}};
  return family == Family::v4 ? write_entry<V4>(rule) : write_entry<V6>(rule);
}

Rule decode(const Entry& entry, Family family) { return family == Family::v4 ? read_entry<V4>(entry) : read_entry<V6>(entry); }

Entry normalise(const void* entry, std::string_view target, Family family) {
  return family == Family::v4 ? normalised<V4>(entry, target) : normalised<V6>(entry, target);
}

std::vector<Extension> extensions(const Entry& entry, Family family) {
  std::vector<Extension> found;
  for (const auto& part : family == Family::v4 ? parts<V4>(entry) : parts<V6>(entry)) {
    // A chain's name looks like a target's; the bare verdict behind it, zero in this form, tells them apart.
    const bool bare = part.content.size() == aligned(sizeof(int)) && part.content.find_first_not_of('\0') == std::string_view::npos;
    const bool standard = part.extension.target && bare && part.extension.revision == 0 && part.extension.name != "REJECT";
    if (!standard) found.push_back(part.extension);
  }
  return found;
}

}  // namespace topo::firewall
