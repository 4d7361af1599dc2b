#include "resources/firewall/nftables.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "resources/firewall/protocol_name.hpp"

namespace topo::nftables {
namespace {

constexpr std::size_t name_size = 16;  // IFNAMSIZ, linux/if.h
constexpr std::uint32_t nf_ipv4 = 2, nf_ipv6 = 10;

struct TypeWords {
  std::string_view name;
  std::size_t size;
};
constexpr std::array<TypeWords, 16> types{{{"ifname", name_size},
                                           {"ipv4_addr", 4},
                                           {"ipv6_addr", 16},
                                           {"inet_proto", 1},
                                           {"inet_service", 2},
                                           {"mark", 4},
                                           {"nf_proto", 1},
                                           {"integer", 2},
                                           {"devgroup", 4},
                                           {"icmp_type", 1},
                                           {"icmpv6_type", 1},
                                           {"ct_state", 4},
                                           {"ct_dir", 1},
                                           {"ct_status", 4},
                                           {"fib_addrtype", 4},
                                           {"verdict", 0}}};

struct FieldWords {
  std::string_view name;
  Type type;
};
constexpr std::array<FieldWords, field_count> fields{{{"iifname", Type::ifname},
                                                      {"oifname", Type::ifname},
                                                      {"iifgroup", Type::devgroup},
                                                      {"oifgroup", Type::devgroup},
                                                      {"meta mark", Type::mark},
                                                      {"meta nfproto", Type::nf_proto},
                                                      {"meta l4proto", Type::inet_proto},
                                                      {"ip saddr", Type::ipv4_addr},
                                                      {"ip daddr", Type::ipv4_addr},
                                                      {"ip6 saddr", Type::ipv6_addr},
                                                      {"ip6 daddr", Type::ipv6_addr},
                                                      {"th dport", Type::inet_service},
                                                      {"icmp type", Type::icmp_type},
                                                      {"icmpv6 type", Type::icmpv6_type},
                                                      {"ct state", Type::ct_state},
                                                      {"ct direction", Type::ct_dir},
                                                      {"ct status", Type::ct_status},
                                                      {"fib daddr type", Type::fib_addrtype}}};

std::string hexadecimal(std::uint32_t number) {
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[number >> static_cast<unsigned>(shift) & 15U];
  return text;
}

/// What nft calls a number of these types; empty for others.
std::string word_for(Type type, std::uint32_t number) {
  if (type == Type::inet_proto) return protocol_name(number);
  if (type == Type::nf_proto) return number == nf_ipv4 ? "ipv4" : number == nf_ipv6 ? "ipv6" : "";
  if (type == Type::ct_state)
    return number == state_established ? "established" : number == state_related ? "related" : number == state_new ? "new" : "";
  if (type == Type::ct_status) return number == status_dnat ? "dnat" : "";
  if (type == Type::ct_dir) return number == direction_reply ? "reply" : "original";
  if (type == Type::fib_addrtype) return number == type_local ? "local" : "";
  if (type == Type::mark || type == Type::devgroup) return hexadecimal(number);
  return {};
}

std::string one_text(Type type, std::string_view bytes) {
  if (type == Type::ifname) return '"' + name_in(bytes) + '"';
  if (type == Type::ipv4_addr || type == Type::ipv6_addr) return address_in(bytes).to_string();
  const std::uint32_t number = number_in(bytes);
  const std::string word = word_for(type, number);
  return word.empty() ? std::to_string(number) : word;
}

/// The network from `first` to `last`; nullopt where that is none.
std::optional<Cidr> network_of(const IpAddress& first, const IpAddress& last) {
  for (std::uint8_t prefix = 0; prefix <= first.bits(); ++prefix) {
    const Cidr network(first, prefix);
    if (network.is_network() && network.last() == last) return network;
  }
  return std::nullopt;
}

std::string range_text(Type type, std::string_view first, std::string_view last) {
  if (first == last) return one_text(type, first);
  if (type == Type::ipv4_addr || type == Type::ipv6_addr) {
    if (const auto network = network_of(address_in(first), address_in(last))) return network->to_string();
  }
  return one_text(type, first) + '-' + one_text(type, last);
}

std::string text_of(const std::vector<Type>& of, const Value& value) {
  std::string text;
  std::size_t at = 0;
  for (const Type type : of) {
    const std::size_t size = size_of(type);
    if (!text.empty()) text += " . ";
    text += range_text(type, std::string_view(value.first).substr(at, size), std::string_view(value.last).substr(at, size));
    at += size;
  }
  return text;
}

std::string text_of(const Fields& looked_at) {
  std::string text;
  for (const Field field : looked_at) text += (text.empty() ? "" : " . ") + to_string(field);
  return text;
}

std::vector<Type> types_of(const Fields& looked_at) {
  std::vector<Type> found;
  for (const Field field : looked_at) found.push_back(type_of(field));
  return found;
}

/// `iifgroup & 0xff000000 == 0x74000000`: groups with the same upper bits. nft has no other way to say a range of what is in the machine's byte
/// order.
std::string group_text(const Match& match) {
  const std::uint32_t first = number_in(match.values.front().first), last = number_in(match.values.front().last);
  return to_string(match.fields.front()) + " & " + hexadecimal(~(first ^ last)) + (match.negated ? " != " : " == ") + hexadecimal(first);
}

std::string text_of(const Match& match) {
  const std::string front = text_of(match.fields) + (match.negated ? " != " : " ");
  if (!match.set.empty()) return front + '@' + match.set;
  const std::vector<Type> of = types_of(match.fields);
  if ((of.front() == Type::devgroup || of.front() == Type::mark) && match.values.front().first != match.values.front().last) return group_text(match);
  const bool bits = of.front() == Type::ct_state || of.front() == Type::ct_status;
  std::string list;
  for (const Value& each : match.values) list += (list.empty() ? "" : bits ? "," : ", ") + text_of(of, each);
  return front + (match.values.size() > 1 && !bits ? "{ " + list + " }" : list);
}

std::string lookup(const Action& action) { return text_of(action.fields) + " map @" + action.target; }

std::string text_of(const Action& action) {
  using Kind = Action::Kind;
  const std::string family = action.family == Family::v4 ? " ip" : " ip6";
  switch (action.kind) {
    case Kind::accept:
      return "accept";
    case Kind::drop:
      return "drop";
    case Kind::return_:
      return "return";
    case Kind::continue_:
      return "continue";
    case Kind::jump:
      return "jump " + action.target;
    case Kind::go_to:
      return "goto " + action.target;
    case Kind::vmap:
      return text_of(action.fields) + " vmap @" + action.target;
    case Kind::reject_admin_prohibited:
      return "reject with icmpx admin-prohibited";
    case Kind::reject_tcp_reset:
      return "reject with tcp reset";
    case Kind::dnat:
      return "dnat" + family + " to " + lookup(action);
    case Kind::snat:
      return "snat" + family + " to " + (action.address ? action.address->to_string() : lookup(action));
    case Kind::masquerade:
      return "masquerade";
    case Kind::set_mark:
      return "meta mark set " + (action.target.empty() ? hexadecimal(action.mark) : lookup(action));
    case Kind::set_zone:
      return "ct zone set " + lookup(action);
  }
  return {};
}

std::string bytes_of(std::uint32_t number, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = size; i-- > 0; number >>= 8U) bytes[i] = static_cast<char>(number & 0xffU);
  return bytes;
}

std::string bytes_of(const IpAddress& address) { return {reinterpret_cast<const char*>(address.bytes().data()), std::size_t{address.bits()} / 8}; }

}  // namespace

std::size_t size_of(Type type) { return types[static_cast<std::size_t>(type)].size; }
std::string to_string(Type type) { return std::string(types[static_cast<std::size_t>(type)].name); }
Type type_of(Field field) { return fields[static_cast<std::size_t>(field)].type; }
std::string to_string(Field field) { return std::string(fields[static_cast<std::size_t>(field)].name); }

Value name_value(std::string_view interface) {
  std::string bytes(interface.substr(0, name_size - 1));
  bytes.resize(name_size, '\0');
  return {bytes, bytes};
}

Value value(const IpAddress& address) { return {bytes_of(address), bytes_of(address)}; }
Value value(const Cidr& network) { return {bytes_of(network.network().address()), bytes_of(network.last())}; }
Value value(Family family) { return number_value(Type::nf_proto, family == Family::v4 ? nf_ipv4 : nf_ipv6); }
Value number_value(Type type, std::uint32_t number) { return range_value(type, number, number); }
Value range_value(Type type, std::uint32_t first, std::uint32_t last) { return {bytes_of(first, size_of(type)), bytes_of(last, size_of(type))}; }

Value operator+(Value front, const Value& back) {
  front.first += back.first;
  front.last += back.last;
  return front;
}

std::uint32_t number_in(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

std::string name_in(std::string_view bytes) { return std::string(bytes.substr(0, bytes.find('\0'))); }

IpAddress address_in(std::string_view bytes) { return IpAddress::from_bytes(bytes.size() == 4 ? Family::v4 : Family::v6, bytes.data()); }

const Element* find(const Set& set, const std::string& value) {
  if (!set.interval) {
    const auto element = set.elements.find({value, value});
    return element == set.elements.end() ? nullptr : &element->second;
  }
  if (set.elements.empty() || value.compare(0, size_of(set.key.front()), set.elements.begin()->first.first, 0, size_of(set.key.front())) < 0)
    return nullptr;
  const auto holds = [&](const Value& range) {
    std::size_t at = 0;
    return std::all_of(set.key.begin(), set.key.end(), [&](Type type) {
      const std::size_t size = size_of(type), here = std::exchange(at, at + size);
      return range.first.compare(here, size, value, here, size) <= 0 && value.compare(here, size, range.last, here, size) <= 0;
    });
  };
  const auto element = std::find_if(set.elements.begin(), set.elements.end(), [&](const auto& each) { return holds(each.first); });
  return element == set.elements.end() ? nullptr : &element->second;
}

std::string to_string(const Rule& rule) {
  if (!rule.opaque.empty()) return "(a rule that topo did not write)";
  std::string text;
  for (const Match& match : rule.matches) text += text_of(match) + ' ';
  return text + (rule.counted ? "counter " : "") + text_of(rule.action);
}

std::string to_string(const Set& set, const Value& key, const Element& element) {
  std::string text = text_of(set.key, key);
  if (set.data.empty()) return text;
  return text + " : " + (set.data.front() == Type::verdict ? element.data : text_of(set.data, {element.data, element.data}));
}

}  // namespace topo::nftables
