// Rulesets of nf_tables in the terms of nft(8): as much of them as topo writes, and reads again.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "topo/ip.hpp"

namespace topo::nftables {

/// What values are: nft's types, each of a fixed size.
enum class Type : std::uint8_t {
  ifname,
  ipv4_addr,
  ipv6_addr,
  inet_proto,
  inet_service,
  mark,
  nf_proto,
  zone,      ///< of conntrack
  devgroup,  ///< of links
  icmp_type,
  icmpv6_type,
  ct_state,
  ct_dir,
  ct_status,
  fib_addrtype,
  verdict,
};
/// In bytes; 0 for a verdict.
[[nodiscard]] std::size_t size_of(Type type);
/// "ipv4_addr"
[[nodiscard]] std::string to_string(Type type);

/// What of a packet is looked at.
enum class Field : std::uint8_t {
  iifname,
  oifname,
  iifgroup,
  oifgroup,
  mark,
  nfproto,
  l4proto,
  ip_saddr,
  ip_daddr,
  ip6_saddr,
  ip6_daddr,
  th_dport,
  icmp_type,
  icmpv6_type,
  ct_state,
  ct_direction,
  ct_status,
  fib_daddr_type,
};
inline constexpr std::size_t field_count = 18;
[[nodiscard]] Type type_of(Field field);
/// "ip saddr"
[[nodiscard]] std::string to_string(Field field);
using Fields = std::vector<Field>;

/// Values of one or several types, one after the other, each in network order and a name filled up with zeros: from `first` to `last` in every one of
/// them.
struct Value {
  std::string first, last;
  auto operator<=>(const Value&) const = default;
};
[[nodiscard]] Value name_value(std::string_view interface);
[[nodiscard]] Value value(const IpAddress& address);
[[nodiscard]] Value value(const Cidr& network);
[[nodiscard]] Value number_value(Type type, std::uint32_t number);
[[nodiscard]] Value range_value(Type type, std::uint32_t first, std::uint32_t last);
/// One after the other.
[[nodiscard]] Value operator+(Value front, const Value& back);
/// Of one type: what `bytes`, its own form, say.
[[nodiscard]] std::uint32_t number_in(std::string_view bytes);
[[nodiscard]] std::string name_in(std::string_view bytes);
[[nodiscard]] IpAddress address_in(std::string_view bytes);

/// The protocol's number of linux/netfilter.h, as `meta nfproto` has it.
[[nodiscard]] Value value(Family family);

/// Bits of `ct state` and `ct status`, values of `ct direction` and `fib type` (linux/netfilter/nf_conntrack_common.h, linux/rtnetlink.h).
inline constexpr std::uint32_t state_established = 2, state_related = 4, state_new = 8, status_dnat = 32, direction_reply = 1, type_local = 2;

/// Holds where the fields' values are in the set, or among `values`; of states, where one bit is. A packet without such a field fits neither that
/// nor its negation.
struct Match {
  Fields fields;
  bool negated = false;
  std::string set;  ///< empty: `values`
  std::vector<Value> values;
  bool operator==(const Match&) const = default;
};

struct Action {
  enum class Kind : std::uint8_t {
    accept,
    drop,
    return_,
    continue_,
    jump,
    go_to,
    vmap,  ///< the verdict that map `target` has for `fields`; goes on where it has none
    reject_admin_prohibited,
    reject_tcp_reset,
    dnat,  ///< to what map `target` has for `fields`; goes on where it has nothing
    snat,  ///< to `address`, else to what map `target` has for `fields`
    masquerade,
    set_mark,  ///< to `mark`, or to what map `target` has for `fields`
    set_zone,  ///< of conntrack, to what map `target` has for `fields`
  } kind = Kind::accept;
  std::string target;  ///< a chain or a map
  Fields fields;
  Family family = Family::v4;  ///< dnat and snat
  std::optional<IpAddress> address;
  std::uint32_t mark = 0;
  bool operator==(const Action&) const = default;
};

struct Rule {
  std::vector<Match> matches;
  Action action;
  std::string comment;   ///< at most comment_max bytes
  std::string opaque;    ///< a live rule that the terms above cannot say: its JSON, and nothing else is set
  bool counted = false;  ///< the kernel counts the packets that match
  bool operator==(const Rule&) const = default;
};

/// NFTNL_UDATA_COMMENT_MAXLEN without its NUL.
inline constexpr std::size_t comment_max = 127;

/// Where a base chain is hooked in.
struct Base {
  std::string type, hook;
  int priority = 0;
  std::string policy = "accept";
  bool operator==(const Base&) const = default;
};

struct Chain {
  std::optional<Base> base;
  std::vector<Rule> rules;
  bool operator==(const Chain&) const = default;
};

struct Element {
  std::string data;  ///< of a map: a value as in Value, or a verdict, "goto CHAIN"
  std::string comment;
  bool operator==(const Element&) const = default;
};

/// A set, or with `data` a map.
struct Set {
  std::vector<Type> key, data;
  bool interval = false;
  std::map<Value, Element> elements;
  bool operator==(const Set&) const = default;
  [[nodiscard]] bool declared_as(const Set& other) const { return key == other.key && data == other.data && interval == other.interval; }
};

struct Table {
  std::map<std::string, Chain> chains;
  std::map<std::string, Set> sets;
  std::set<std::string> strange;  ///< live only: what the table holds besides, as JSON
  bool operator==(const Table&) const = default;
  [[nodiscard]] bool empty() const { return chains.empty() && sets.empty() && strange.empty(); }
};

/// What one topology has in one namespace: a table in each of the two families, of one name.
struct Ruleset {
  Table inet, bridge;
  bool operator==(const Ruleset&) const = default;
  [[nodiscard]] bool empty() const { return inet.empty() && bridge.empty(); }
};

/// The element that a value is of; nullptr where there is none.
[[nodiscard]] const Element* find(const Set& set, const std::string& value);

/// A rule as nft(8) has it, without its comment.
[[nodiscard]] std::string to_string(const Rule& rule);
/// An element as nft(8) has it, without its comment: "10.0.0.1 . tcp . 80", "8080 : 10.0.0.1 . 80".
[[nodiscard]] std::string to_string(const Set& set, const Value& key, const Element& element);
/// The whole as nft(8) lists it, in an order of its own. `name` is the tables', `mark` their comment.
[[nodiscard]] std::string to_text(const Ruleset& rules, const std::string& name, const std::string& mark);

/// The commands of nft(8) that bring the tables `name` from `before` to `after`, in one transaction: what is equal is left alone, elements come and
/// go one by one, and a table is made anew only where a set or a hook is another one. Empty where there is nothing to do.
[[nodiscard]] std::string changes(const Ruleset& before, const Ruleset& after, const std::string& name, const std::string& mark);

}  // namespace topo::nftables
