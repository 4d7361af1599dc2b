// Rules to bytes.
#include <algorithm>

#include "firewall/iptables/entry.hpp"
#include "firewall/iptables/entry_layout.hpp"

namespace topo::firewall {
namespace {

using namespace layout;
using netfilter::Ports;
using netfilter::Rule;
using netfilter::Target;

constexpr std::size_t chain_name_max = 28;  // what iptables itself takes, XT_EXTENSION_MAXNAMELEN - 1

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
void put_extension(Entry& entry, std::string_view name, std::uint8_t revision, const Zeroed<T>& content) {
  put_extension(entry, name, revision, &content.value, sizeof content.value);
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
void put_ports(const Rule& rule, std::string_view name, Entry& entry) {
  Zeroed<Xt> match;
  const Ports source = rule.source_ports.value_or(Ports{}), destination = rule.destination_ports.value_or(Ports{});
  match->spts[0] = source.first;
  match->spts[1] = source.last;
  match->dpts[0] = destination.first;
  match->dpts[1] = destination.last;
  put_extension(entry, name, 0, match);
}

/// Any code of an ICMP type; ipt_icmp and ip6t_icmp are one structure with two names.
template <class Icmp>
void put_icmp_type(const Rule& rule, std::string_view name, Entry& entry) {
  Zeroed<Icmp> match;
  match->type = *rule.icmp_type;
  match->code[1] = 255;
  put_extension(entry, name, 0, match);
}

void put_protocol_match(const Rule& rule, Family family, Entry& entry) {
  if (rule.source_ports || rule.destination_ports) {
    if (rule.protocol == tcp) put_ports<xt_tcp>(rule, "tcp", entry);
    if (rule.protocol == udp) put_ports<xt_udp>(rule, "udp", entry);
  }
  if (!rule.icmp_type) return;
  if (family == Family::v4) {
    put_icmp_type<ipt_icmp>(rule, "icmp", entry);
  } else {
    put_icmp_type<ip6t_icmp>(rule, "icmp6", entry);
  }
}

void put_groups(const Rule& rule, Entry& entry) {
  if (!rule.in_group && !rule.out_group) return;
  Zeroed<xt_devgroup_info> match;
  if (rule.in_group) {
    match->flags |= XT_DEVGROUP_MATCH_SRC | (rule.in_group->negated ? unsigned{XT_DEVGROUP_INVERT_SRC} : 0U);
    match->src_group = rule.in_group->value.value;
    match->src_mask = rule.in_group->value.mask;
  }
  if (rule.out_group) {
    match->flags |= XT_DEVGROUP_MATCH_DST | (rule.out_group->negated ? unsigned{XT_DEVGROUP_INVERT_DST} : 0U);
    match->dst_group = rule.out_group->value.value;
    match->dst_mask = rule.out_group->value.mask;
  }
  put_extension(entry, "devgroup", 0, match);
}

void put_states(const Rule& rule, Entry& entry) {
  if (rule.states == 0) return;
  Zeroed<xt_conntrack_mtinfo3> match;
  match->match_flags = XT_CONNTRACK_STATE;
  if (rule.states_negated) match->invert_flags = XT_CONNTRACK_STATE;
  if (rule.reply) {
    // REPLY is "not ORIGINAL".
    match->match_flags |= XT_CONNTRACK_DIRECTION;
    match->invert_flags |= XT_CONNTRACK_DIRECTION;
  }
  for (const auto& [ours, kernels] : state_bits) {
    if ((rule.states & ours) != 0) match->state_mask = static_cast<std::uint16_t>(match->state_mask | kernels);
  }
  put_extension(entry, "conntrack", 3, match);
}

void put_address_types(const Rule& rule, Entry& entry) {
  if (!rule.source_type && !rule.destination_type) return;
  Zeroed<xt_addrtype_info_v1> match;
  match->source = address_type_bit(rule.source_type);
  match->dest = address_type_bit(rule.destination_type);
  put_extension(entry, "addrtype", 1, match);
}

void put_ports_of_bridge(const Rule& rule, Entry& entry) {
  if (!rule.physical_in && !rule.physical_out && !rule.bridged) return;
  Zeroed<xt_physdev_info> match;
  if (rule.physical_in) {
    put_interface(*rule.physical_in, match->physindev, match->in_mask);
    match->bitmask |= XT_PHYSDEV_OP_IN;
  }
  if (rule.physical_out) {
    put_interface(*rule.physical_out, match->physoutdev, match->out_mask);
    match->bitmask |= XT_PHYSDEV_OP_OUT;
  }
  if (rule.bridged) match->bitmask |= XT_PHYSDEV_OP_BRIDGED;
  put_extension(entry, "physdev", 0, match);
}

void put_comment(const Rule& rule, Entry& entry) {
  if (rule.comment.empty()) return;
  Zeroed<xt_comment_info> match;
  rule.comment.copy(match->comment, sizeof match->comment - 1);
  put_extension(entry, "comment", 0, match);
}

nf_inet_addr kernel_address(const IpAddress& address) {
  nf_inet_addr to{};
  std::memcpy(&to, address.bytes().data(), address.bits() / 8U);
  return to;
}

void put_dnat(const Target& target, Entry& entry) {
  Zeroed<nf_nat_range2> range;
  if (target.address) {
    range->flags |= NF_NAT_RANGE_MAP_IPS;
    range->min_addr = range->max_addr = kernel_address(*target.address);
  }
  if (target.ports) {
    range->flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
    range->min_proto.all = htons(target.ports->first);
    range->max_proto.all = htons(target.ports->last);
  }
  if (target.base) {
    range->flags |= NF_NAT_RANGE_PROTO_OFFSET;
    range->base_proto.all = htons(*target.base);
  }
  put_extension(entry, "DNAT", 2, range);
}

/// SNAT to `address`, or MASQUERADE without one: the same structures, those of the oldest revisions.
void put_source_nat(std::string_view name, std::uint8_t v6_revision, const std::optional<IpAddress>& address, Family family, Entry& entry) {
  const nf_inet_addr to = address ? kernel_address(*address) : nf_inet_addr{};
  if (family == Family::v4) {
    Zeroed<nf_nat_ipv4_multi_range_compat> ranges;
    ranges->rangesize = 1;
    if (address) ranges->range[0].flags = NF_NAT_RANGE_MAP_IPS;
    ranges->range[0].min_ip = ranges->range[0].max_ip = to.ip;
    put_extension(entry, name, 0, ranges);
  } else {
    Zeroed<nf_nat_range> range;
    if (address) range->flags = NF_NAT_RANGE_MAP_IPS;
    range->min_addr = range->max_addr = to;
    put_extension(entry, name, v6_revision, range);
  }
}

void put_reject(const Target& target, Family family, Entry& entry) {
  const bool reset = target.reject == Target::Reject::tcp_reset;
  if (family == Family::v4) {
    Zeroed<ipt_reject_info> refusal;
    refusal->with = reset ? IPT_TCP_RESET : IPT_ICMP_ADMIN_PROHIBITED;
    put_extension(entry, "REJECT", 0, refusal);
  } else {
    Zeroed<ip6t_reject_info> refusal;
    refusal->with = reset ? IP6T_TCP_RESET : IP6T_ICMP6_ADM_PROHIBITED;
    put_extension(entry, "REJECT", 0, refusal);
  }
}

void put_zone(const Target& target, Entry& entry) {
  Zeroed<xt_ct_target_info_v1> tracking;
  tracking->zone = target.zone;
  put_extension(entry, "CT", 2, tracking);
}

void put_target(const Target& target, Family family, Entry& entry) {
  const Zeroed<int> verdict;  // libiptc puts in what the name stands for
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
    case Target::Kind::zone:
      return put_zone(target, entry);
  }
}

template <class Version>
Entry write_entry(const Rule& rule) {
  typename Version::Header header;
  std::memset(&header, 0, sizeof header);  // its padding as well
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

}  // namespace

Result<Entry> encode(const Rule& rule, Family family) {
  if (!rule.opaque.empty()) return rule.opaque;
  if (auto why = problem(rule, family); !why.empty())
    return Error{Exit::rolled_back, "a firewall rule cannot be written", rule.comment, std::move(why), {}, {}};
  return family == Family::v4 ? write_entry<V4>(rule) : write_entry<V6>(rule);
}

}  // namespace topo::firewall
