// Bytes to rules.
#include <algorithm>
#include <bit>

#include "firewall/iptables/entry.hpp"
#include "firewall/iptables/entry_layout.hpp"

namespace topo::firewall {
namespace {

using namespace layout;
using netfilter::AddressType;
using netfilter::Ports;
using netfilter::Rule;
using netfilter::Target;

template <class T>
T read_as(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
  return value;
}

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
  rule.reply = (match.invert_flags & XT_CONNTRACK_DIRECTION) != 0;
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
  if (name == "CT") {
    target.zone = read_as<xt_ct_target_info_v1>(part.content).zone;
    return of_kind(Target::Kind::zone);
  }
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
  using Header = typename Version::Header;
  std::memset(&entry[offsetof(Header, nfcache)], 0, sizeof original.nfcache);
  std::memset(&entry[offsetof(Header, comefrom)], 0, sizeof original.comefrom);
  std::memset(&entry[offsetof(Header, counters)], 0, sizeof original.counters);
  for (std::size_t at = sizeof original; at <= original.target_offset && at + sizeof(xt_entry_match) <= entry.size();) {
    xt_entry_match head{};
    std::memcpy(&head, &entry[at], sizeof head);
    const bool standard = at == original.target_offset && head.u.user.name[0] == '\0';
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
