// Writing chains: names that stay what they are, and trees in place of long lists.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "resources/firewall/rule.hpp"
#include "topo/topology.hpp"

namespace topo::policy {

using netfilter::ChainId;
using netfilter::Rule;
using netfilter::Ruleset;
using netfilter::Table;
using netfilter::Target;

[[nodiscard]] inline Target verdict(Target::Kind kind) { return {kind, {}, {}, {}, {}, {}}; }
[[nodiscard]] inline Target go_to(const std::string& chain) { return {Target::Kind::go_to, chain, {}, {}, {}, {}}; }
[[nodiscard]] inline Target jump(const std::string& chain) { return {Target::Kind::jump, chain, {}, {}, {}, {}}; }

/// `rule` with another target.
[[nodiscard]] inline Rule with(Rule rule, const Target& target) {
  rule.target = target;
  return rule;
}

[[nodiscard]] inline netfilter::Maybe<std::string> is(std::string name) { return {std::move(name), false}; }
[[nodiscard]] inline netfilter::Maybe<Cidr> is(const Cidr& cidr) { return {cidr.network(), false}; }
[[nodiscard]] inline netfilter::Maybe<Cidr> is(const IpAddress& address) { return {Cidr(address, address.bits()), false}; }

/// A rule for each protocol and range of `ports` (one without either where that is everything), in `family`'s terms, with no target.
[[nodiscard]] std::vector<Rule> services(const std::vector<PortRange>& ports, Family family);

/// A text cut to what a comment holds.
[[nodiscard]] std::string comment(std::string text);

/// A rule and the address or range of ports that it is found by, in network order from the first byte.
struct Leaf {
  using Key = std::array<std::uint8_t, 16>;
  Key first{}, last{};
  Rule rule;
};
[[nodiscard]] Leaf leaf(const IpAddress& address, Rule rule);
[[nodiscard]] Leaf leaf(std::uint16_t first, std::uint16_t last, Rule rule);

/// What the branches of a tree look at.
enum class Branch : std::uint8_t { source, destination, tcp_port, udp_port };

/// The chains of one family and table.
class Chains {
 public:
  Chains(Ruleset& rules, Family family, Table table, std::string prefix)
      : rules_(rules), family_(family), table_(table), prefix_(std::move(prefix)) {}

  /// A chain's full name: `letter` and a hash of `what`, so that it does not depend on what else there is.
  [[nodiscard]] std::string name(char letter, std::string_view what);
  /// The full name of a chain that there is once.
  [[nodiscard]] std::string name(std::string_view role) const { return prefix_ + "-" + std::string(role); }

  /// The rules of a chain, which comes to exist.
  [[nodiscard]] std::vector<Rule>& operator[](const std::string& chain) { return rules_.chains[{family_, table_, chain}]; }
  [[nodiscard]] bool has(const std::string& chain) const { return rules_.chains.contains({family_, table_, chain}); }
  void hook(const std::string& builtin, const std::string& chain, const std::string& mark);

  /// Fills `chain` with `leaves`, by a tree of chains where they are many: the time to find one grows with the logarithm of their number.
  /// What no leaf takes gets `otherwise` (nullopt: falls out of the chain). Leaves that overlap must agree.
  void plant(const std::string& chain, std::vector<Leaf> leaves, Branch by, const std::optional<Target>& otherwise);

  /// Removes the chains that no hook leads to, as those of members that have no address of this family.
  void prune();

  [[nodiscard]] Family family() const { return family_; }

 private:
  [[nodiscard]] Rule branch(Branch by, const Leaf::Key& first, unsigned length) const;
  void grow(const std::string& chain, std::vector<Leaf> leaves, Branch by, const std::optional<Target>& otherwise);
  [[nodiscard]] unsigned width(Branch by) const;

  Ruleset& rules_;
  Family family_;
  Table table_;
  std::string prefix_;
  std::map<std::string, std::string, std::less<>> names_;
  std::set<std::string> taken_;
};

}  // namespace topo::policy
