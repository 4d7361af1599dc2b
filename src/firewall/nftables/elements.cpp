#include "firewall/nftables/elements.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <optional>

namespace topo::firewall::nftables {
namespace {

using topo::nftables::Element;
using topo::nftables::Set;
using topo::nftables::size_of;
using topo::nftables::Type;
using topo::nftables::Value;

kernel::Message question(int type, std::uint8_t family) { return {(NFNL_SUBSYS_NFTABLES << 8) | type, 0, nfgenmsg{family, NFNETLINK_V0, 0}}; }

std::string bytes_in(const nlattr* attribute) {
  return {static_cast<const char*>(nla_data(attribute)), static_cast<std::size_t>(nla_len(attribute))};
}

/// A comment in what user space keeps with an object: type, length, and the text with its NUL (libnftnl's udata; the type is 0 for all objects).
/// nullopt where there is something else.
std::optional<std::string> comment_in(const nlattr* attribute) {
  std::string comment;
  if (attribute == nullptr) return comment;
  const std::string bytes = bytes_in(attribute);
  for (std::size_t at = 0; at + 2 <= bytes.size();) {
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at + 1]));
    if (at + 2 + size > bytes.size()) return std::nullopt;
    if (bytes[at] == 0) comment = bytes.substr(at + 2, size > 0 ? size - 1 : 0);
    at += 2 + size;
  }
  return comment;
}

/// Values of `types` as the kernel has them: each padded to whole words where there are several, some in the machine's byte order
/// where no ranges are to be told.
std::optional<std::string> unpack(const std::vector<Type>& types, const std::string& bytes, bool ranges) {
  std::string value;
  std::size_t at = 0;
  for (const Type type : types) {
    const std::size_t size = size_of(type), width = types.size() > 1 ? (size + 3) / 4 * 4 : size;
    if (at + width > bytes.size()) return std::nullopt;
    std::string one = bytes.substr(at, size);
    const bool of_machine = !ranges && (type == Type::mark || type == Type::zone);
    if (of_machine && htonl(1) != 1) std::reverse(one.begin(), one.end());
    value += one;
    at += width;
  }
  return at == bytes.size() ? std::optional(std::move(value)) : std::nullopt;
}

std::optional<std::string> verdict_in(nlattr* attribute) {
  nlattr* parts[NFTA_VERDICT_MAX + 1] = {};
  if (nla_parse_nested(parts, NFTA_VERDICT_MAX, attribute, nullptr) != 0 || parts[NFTA_VERDICT_CODE] == nullptr) return std::nullopt;
  const auto code = static_cast<std::int32_t>(ntohl(nla_get_u32(parts[NFTA_VERDICT_CODE])));
  if (code == NF_ACCEPT) return "accept";
  if (code == NF_DROP) return "drop";
  if (code == NFT_RETURN) return "return";
  if ((code != NFT_JUMP && code != NFT_GOTO) || parts[NFTA_VERDICT_CHAIN] == nullptr) return std::nullopt;
  return std::string(code == NFT_JUMP ? "jump " : "goto ") + nla_get_string(parts[NFTA_VERDICT_CHAIN]);
}

/// What a key, or what a map has for it, is; nullopt where it is not of `types`. `ranges`: it is a key of a set that may hold some.
std::optional<std::string> content(nlattr* attribute, const std::vector<Type>& types, bool ranges) {
  nlattr* parts[NFTA_DATA_MAX + 1] = {};
  if (nla_parse_nested(parts, NFTA_DATA_MAX, attribute, nullptr) != 0) return std::nullopt;
  if (types.front() == Type::verdict) return parts[NFTA_DATA_VERDICT] != nullptr ? verdict_in(parts[NFTA_DATA_VERDICT]) : std::nullopt;
  return parts[NFTA_DATA_VALUE] != nullptr ? unpack(types, bytes_in(parts[NFTA_DATA_VALUE]), ranges) : std::nullopt;
}

/// An element as the kernel tells it. Of ranges in a set of one type it tells the ends apart.
struct Told {
  std::string key, key_end;
  bool ends = false;  ///< the first value behind a range
  Element element;
};

std::optional<Told> told_in(nlattr* attribute, const Set& set) {
  nlattr* parts[NFTA_SET_ELEM_MAX + 1] = {};
  if (nla_parse_nested(parts, NFTA_SET_ELEM_MAX, attribute, nullptr) != 0 || parts[NFTA_SET_ELEM_KEY] == nullptr) return std::nullopt;
  for (const int strange : {NFTA_SET_ELEM_TIMEOUT, NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_OBJREF, NFTA_SET_ELEM_EXPRESSIONS}) {
    if (parts[strange] != nullptr) return std::nullopt;
  }
  Told told;
  const std::uint32_t flags = parts[NFTA_SET_ELEM_FLAGS] != nullptr ? ntohl(nla_get_u32(parts[NFTA_SET_ELEM_FLAGS])) : 0;
  if ((flags & ~static_cast<std::uint32_t>(NFT_SET_ELEM_INTERVAL_END)) != 0) return std::nullopt;
  told.ends = flags != 0;
  const auto key = content(parts[NFTA_SET_ELEM_KEY], set.key, set.interval);
  const auto key_end = parts[NFTA_SET_ELEM_KEY_END] != nullptr ? content(parts[NFTA_SET_ELEM_KEY_END], set.key, set.interval) : key;
  auto comment = comment_in(parts[NFTA_SET_ELEM_USERDATA]);
  if (!key || !key_end || !comment) return std::nullopt;
  told.key = *key;
  told.key_end = *key_end;
  told.element.comment = std::move(*comment);
  if (set.data.empty() || told.ends) return told;
  const auto data = parts[NFTA_SET_ELEM_DATA] != nullptr ? content(parts[NFTA_SET_ELEM_DATA], set.data, false) : std::nullopt;
  if (!data) return std::nullopt;
  told.element.data = *data;
  return told;
}

std::string one_less(std::string bytes) {
  for (std::size_t i = bytes.size(); i-- > 0;) {
    if (bytes[i]-- != 0) break;
  }
  return bytes;
}

/// Of one type: a range goes from its first value to the one before whatever comes next.
void put_ranges(std::vector<Told> told, Set& set) {
  std::sort(told.begin(), told.end(), [](const Told& a, const Told& b) { return std::pair(a.key, !a.ends) < std::pair(b.key, !b.ends); });
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (told[i].ends) continue;
    const std::string last = i + 1 < told.size() ? one_less(told[i + 1].key) : std::string(told[i].key.size(), '\xff');
    set.elements[{told[i].key, last}] = std::move(told[i].element);
  }
}

}  // namespace

Result<std::vector<TableName>> table_names(kernel::Channel& channel) {
  std::vector<TableName> found;
  auto read = channel.dump(
      question(NFT_MSG_GETTABLE, NFPROTO_UNSPEC), [&] { found.clear(); },
      [&](nlmsghdr* message) {
        nlattr* table[NFTA_TABLE_MAX + 1] = {};
        if (nlmsg_parse(message, sizeof(nfgenmsg), table, NFTA_TABLE_MAX, nullptr) != 0 || table[NFTA_TABLE_NAME] == nullptr) return;
        found.push_back({static_cast<const nfgenmsg*>(nlmsg_data(message))->nfgen_family, nla_get_string(table[NFTA_TABLE_NAME]),
                         comment_in(table[NFTA_TABLE_USERDATA]).value_or(""),
                         table[NFTA_TABLE_FLAGS] != nullptr && nla_get_u32(table[NFTA_TABLE_FLAGS]) != 0});
      });
  if (!read) return std::move(read).error();
  return found;
}

Result<bool> read_elements(kernel::Channel& channel, std::uint8_t family, const std::string& table, const std::string& name, Set& set) {
  kernel::Message asked = question(NFT_MSG_GETSETELEM, family);
  asked.put_text(NFTA_SET_ELEM_LIST_TABLE, table);
  asked.put_text(NFTA_SET_ELEM_LIST_SET, name);
  std::vector<Told> told;
  bool understood = true;
  auto read = channel.dump(
      asked,
      [&] {
        told.clear();
        understood = true;
      },
      [&](nlmsghdr* message) {
        nlattr* list[NFTA_SET_ELEM_LIST_MAX + 1] = {};
        if (nlmsg_parse(message, sizeof(nfgenmsg), list, NFTA_SET_ELEM_LIST_MAX, nullptr) != 0) return;
        if (list[NFTA_SET_ELEM_LIST_ELEMENTS] == nullptr) return;
        nlattr* each = nullptr;
        int left = 0;
        nla_for_each_nested(each, list[NFTA_SET_ELEM_LIST_ELEMENTS], left) {
          auto one = told_in(each, set);
          understood = understood && one;
          if (one) told.push_back(std::move(*one));
        }
      });
  if (!read) return std::move(read).error();
  set.elements.clear();
  if (set.interval && set.key.size() == 1) {
    put_ranges(std::move(told), set);
  } else {
    for (Told& one : told) set.elements[{std::move(one.key), std::move(one.key_end)}] = std::move(one.element);
  }
  return understood;
}

}  // namespace topo::firewall::nftables
