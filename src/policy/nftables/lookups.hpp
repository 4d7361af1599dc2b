// Decisions as sets: one lookup for all that are looked up by the same fields, however many there are.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "resources/firewall/nftables.hpp"
#include "topo/topology.hpp"

namespace topo::policy::nft {

using nftables::Action;
using nftables::Field;
using nftables::Fields;
using nftables::Match;
using nftables::Rule;
using nftables::Ruleset;
using nftables::Table;
using nftables::Type;
using nftables::Value;

/// Some fields and the values that they have; no field: whatever they are.
struct Part {
  Fields fields;
  Value value;
  std::optional<Family> family;  ///< of a packet that has these fields
};
[[nodiscard]] Part part(Field field, const Value& value);
/// That the packet comes from, or goes to, an address or network.
[[nodiscard]] Part source(const IpAddress& address);
[[nodiscard]] Part source(const Cidr& network);
[[nodiscard]] Part destination(const IpAddress& address);
[[nodiscard]] Part destination(const Cidr& network);
/// Both; nullopt where no packet can be so.
[[nodiscard]] std::optional<Part> join(Part front, const Part& back);
/// A part for each of `ports`, of packets of `family` where that is known; one without fields where there is none or it is everything.
/// `in_bridge`: for table bridge, which knows no family; there the protocols of ICMP tell it.
[[nodiscard]] std::vector<Part> services(const std::vector<PortRange>& ports, std::optional<Family> family, bool in_bridge = false);

/// "sodpT4": a letter for each field, a capital one where it is a range, and the family.
[[nodiscard]] std::string kind_of(const Part& part);

/// Parts that hold only where something else does. The tag tells such things apart, in the names of sets.
struct Condition {
  std::string tag;
  std::vector<Match> matches;
};

/// Where packets end that are refused, by which rule whatsoever; held ones may yet belong to a connection.
inline constexpr const char *refuse_chain = "refuse", *held_chain = "held", *block_chain = "block", *wrong_chain = "wrong";
/// What becomes in table inet of what table bridge has marked.
inline constexpr const char* inside_map = "inside";

[[nodiscard]] Match match(Field field, const Value& value, bool negated = false);
[[nodiscard]] Match in_set(Fields fields, std::string set, bool negated = false);
[[nodiscard]] Action verdict(Action::Kind kind);
[[nodiscard]] Action go_to(std::string chain);
[[nodiscard]] Action jump(std::string chain);
[[nodiscard]] Rule rule(std::vector<Match> matches, Action action, std::string comment = {});
[[nodiscard]] Action lookup(Action::Kind kind, Fields fields, std::string map);

/// A text as a comment of nft may be: without quotation marks and not too long.
[[nodiscard]] std::string as_comment(std::string text);

/// Writes elements into `table` as a set `name` and, where ranges overlap (which no set may hold), more of its kind; the names of all.
[[nodiscard]] std::vector<std::string> put_set(Table& table, const std::string& name, const Fields& fields,
                                               const std::map<Value, std::string>& elements);

/// Packets of which all the same becomes.
class Lookups {
 public:
  void add(const Condition& condition, const Part& part, const std::string& comment);
  [[nodiscard]] bool empty() const { return by_kind_.empty(); }
  /// Writes the sets; `prefix` begins their names. To be called once.
  void put(Table& table, const std::string& prefix);
  /// A rule for each set.
  [[nodiscard]] std::vector<Rule> rules(const Action& action) const;

 private:
  struct Kind {
    std::vector<Match> conditions;
    Fields fields;
    std::map<Value, std::string> elements;  ///< to their comments
    std::vector<std::string> sets;
  };
  std::map<std::string, Kind> by_kind_;
};

}  // namespace topo::policy::nft
