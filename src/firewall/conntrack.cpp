#include "firewall/conntrack.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <unistd.h>

#include <charconv>
#include <map>
#include <memory>
#include <sstream>
#include <string_view>

#include "kernel/file_descriptor.hpp"
#include "kernel/netns.hpp"

namespace topo::firewall::conntrack {
namespace {

constexpr std::uint8_t icmp = 1;

std::uint16_t number_in(const nlattr* attribute) { return attribute == nullptr ? std::uint16_t{0} : ntohs(nla_get_u16(attribute)); }

std::optional<Tuple> tuple_in(nlattr* attribute) {
  nlattr* tuple[CTA_TUPLE_MAX + 1] = {};
  nlattr* ip[CTA_IP_MAX + 1] = {};
  nlattr* protocol[CTA_PROTO_MAX + 1] = {};
  if (attribute == nullptr || nla_parse_nested(tuple, CTA_TUPLE_MAX, attribute, nullptr) != 0) return std::nullopt;
  if (tuple[CTA_TUPLE_IP] == nullptr || tuple[CTA_TUPLE_PROTO] == nullptr) return std::nullopt;
  if (nla_parse_nested(ip, CTA_IP_MAX, tuple[CTA_TUPLE_IP], nullptr) != 0) return std::nullopt;
  if (nla_parse_nested(protocol, CTA_PROTO_MAX, tuple[CTA_TUPLE_PROTO], nullptr) != 0 || protocol[CTA_PROTO_NUM] == nullptr) return std::nullopt;
  Tuple found;
  if (ip[CTA_IP_V4_SRC] != nullptr && ip[CTA_IP_V4_DST] != nullptr) {
    found.source = IpAddress::from_bytes(Family::v4, nla_data(ip[CTA_IP_V4_SRC]));
    found.destination = IpAddress::from_bytes(Family::v4, nla_data(ip[CTA_IP_V4_DST]));
  } else if (ip[CTA_IP_V6_SRC] != nullptr && ip[CTA_IP_V6_DST] != nullptr) {
    found.source = IpAddress::from_bytes(Family::v6, nla_data(ip[CTA_IP_V6_SRC]));
    found.destination = IpAddress::from_bytes(Family::v6, nla_data(ip[CTA_IP_V6_DST]));
  } else {
    return std::nullopt;
  }
  found.protocol = nla_get_u8(protocol[CTA_PROTO_NUM]);
  found.source_port = number_in(protocol[CTA_PROTO_SRC_PORT]);
  found.destination_port = number_in(protocol[CTA_PROTO_DST_PORT]);
  const nlattr* type = found.protocol == icmp ? protocol[CTA_PROTO_ICMP_TYPE] : protocol[CTA_PROTO_ICMPV6_TYPE];
  if (type != nullptr) found.icmp_type = nla_get_u8(type);
  return found;
}

std::optional<Connection> connection_of(nlmsghdr* message) {
  nlattr* parts[CTA_MAX + 1] = {};
  if (nlmsg_parse(message, sizeof(nfgenmsg), parts, CTA_MAX, nullptr) != 0) return std::nullopt;
  const auto original = tuple_in(parts[CTA_TUPLE_ORIG]), reply = tuple_in(parts[CTA_TUPLE_REPLY]);
  if (!original || !reply) return std::nullopt;
  Connection found{*original, *reply, 0, number_in(parts[CTA_ZONE]), {}};
  if (parts[CTA_STATUS] != nullptr) found.status = ntohl(nla_get_u32(parts[CTA_STATUS]));
  // With its id, so that a new connection with the same addresses and ports is not taken for it.
  for (const int part : {CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID}) {
    if (const nlattr* attribute = parts[part]) {
      found.key.emplace_back(attribute->nla_type,
                             std::string(static_cast<const char*>(nla_data(attribute)), static_cast<std::size_t>(nla_len(attribute))));
    }
  }
  return found;
}

kernel::Message question(int type, std::uint8_t family) { return {(NFNL_SUBSYS_CTNETLINK << 8) | type, 0, nfgenmsg{family, NFNETLINK_V0, 0}}; }

template <class Number>
bool read_number(const std::string& text, Number& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size();
}

/// Of one direction; ports and the ICMP type where there are any.
std::optional<Tuple> tuple_of(std::uint8_t protocol, const std::map<std::string, std::string>& fields) {
  Tuple tuple;
  tuple.protocol = protocol;
  const auto field = [&](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  const auto source = IpAddress::parse(field("src")), destination = IpAddress::parse(field("dst"));
  if (!source || !destination) return std::nullopt;
  tuple.source = *source;
  tuple.destination = *destination;
  for (const auto& [name, number] : {std::pair("sport", &tuple.source_port), std::pair("dport", &tuple.destination_port)}) {
    if (fields.contains(name) && !read_number(field(name), *number)) return std::nullopt;
  }
  if (fields.contains("type") && !read_number(field("type"), tuple.icmp_type)) return std::nullopt;
  return tuple;
}

/// A line of the kernel's list (ct_seq_show in net/netfilter/nf_conntrack_standalone.c): "ipv4 2 tcp 6 117 SYN_SENT src=… dst=… sport=… dport=…
/// [UNREPLIED] src=… dst=… sport=… dport=… mark=0 zone=0 use=2". nullopt: not understood.
std::optional<Connection> connection_in(const std::string& line) {
  std::istringstream words(line);
  std::string family, family_number, protocol_name, protocol_number;
  std::uint8_t protocol = 0;
  if (!(words >> family >> family_number >> protocol_name >> protocol_number) || !read_number(protocol_number, protocol)) return std::nullopt;
  std::map<std::string, std::string> directions[2], rest;
  int direction = -1;
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
    const bool is_of_tuple = name == "src" || name == "dst" || name == "sport" || name == "dport" || name == "type";
    if (name == "src" && ++direction > 1) return std::nullopt;
    if (is_of_tuple && direction < 0) return std::nullopt;
    (is_of_tuple ? directions[direction] : rest)[name] = value;
  }
  const auto original = tuple_of(protocol, directions[0]), reply = tuple_of(protocol, directions[1]);
  if (!original || !reply) return std::nullopt;
  Connection found{*original, *reply, 0, 0, {}};
  // nf_nat sets the bits where what it does changes something.
  if (reply->source != original->destination || reply->source_port != original->destination_port) found.status |= IPS_DST_NAT;
  if (reply->destination != original->source || reply->destination_port != original->source_port) found.status |= IPS_SRC_NAT;
  for (const char* zone : {"zone", "zone-orig"}) {
    if (rest.contains(zone) && !read_number(rest.at(zone), found.zone)) return std::nullopt;
  }
  return found;
}

}  // namespace

Result<std::optional<std::vector<Connection>>> list_few(const Place& place) {
  using Few = std::optional<std::vector<Connection>>;
  auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
  if (!inside) return std::move(inside).error();
  const kernel::FileDescriptor file(::open("/proc/thread-self/net/nf_conntrack", O_RDONLY | O_CLOEXEC));
  if (!file) return Few();
  // What one read gives is of one moment. A second one begins to count anew, and would miss what moved up meanwhile.
  constexpr std::size_t most_bytes = 64 * 1024;
  const auto text = std::make_unique_for_overwrite<char[]>(most_bytes);
  const ssize_t size = ::read(file.get(), text.get(), most_bytes);
  char more = 0;
  if (size < 0 || (size > 0 && ::read(file.get(), &more, 1) != 0)) return Few();
  std::vector<Connection> found;
  std::istringstream lines(std::string(text.get(), static_cast<std::size_t>(size)));
  for (std::string line; std::getline(lines, line);) {
    auto connection = connection_in(line);
    if (!connection) return Few();
    found.push_back(std::move(*connection));
  }
  return Few(std::move(found));
}

Result<std::vector<Connection>> read(kernel::Channel& channel, const std::function<bool(const Connection&)>& wanted) {
  std::vector<Connection> found;
  // Both families at once: it is going through the whole hash table of the kernel, empty as it may be, that takes the time.
  auto read = channel.dump(
      question(IPCTNL_MSG_CT_GET, AF_UNSPEC), [&] { found.clear(); },
      [&](nlmsghdr* message) {
        auto connection = connection_of(message);
        if (connection && wanted(*connection)) found.push_back(std::move(*connection));
      });
  if (!read) return std::move(read).error();
  return found;
}

kernel::Message deletion_of(const Connection& connection) {
  auto request = question(IPCTNL_MSG_CT_DELETE, connection.original.source.family() == Family::v4 ? AF_INET : AF_INET6);
  for (const auto& [attribute, content] : connection.key) request.put(attribute, content.data(), content.size());
  return request;
}

}  // namespace topo::firewall::conntrack
