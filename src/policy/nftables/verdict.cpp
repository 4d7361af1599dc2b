// What the tables of nf_tables do to a first packet, as far as they are topo's own words.
#include "policy/nftables/verdict.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "policy/nftables/lookups.hpp"

namespace topo::policy {
namespace {

using nftables::Action;
using nftables::Chain;
using nftables::Field;
using nftables::Fields;
using nftables::Match;
using nftables::Rule;
using nftables::Set;
using nftables::Table;
using nftables::Type;
using nftables::Value;

constexpr std::uint8_t tcp = 6, udp = 17, icmp = 1, icmp6 = 58;

enum class Outcome : std::uint8_t { pass, block, back };

/// One packet on its way through one table's chains.
class Walk {
 public:
  /// `path`, where there is one, gets the rules that led to what became of the packet.
  Walk(const Table& table, const Packet& packet, bool bridge, std::uint32_t mark, std::vector<Step>* path)
      : table_(table), packet_(packet), bridge_(bridge), mark_(mark), path_(path) {}

  /// Through all chains of a hook, as far as `most`.
  bool passes(std::string_view hook, int most) {
    std::vector<Named> chains;
    for (const auto& chain : table_.chains) {
      const auto& base = chain.second.base;
      if (base && base->type == "filter" && base->hook == hook && base->priority <= most) chains.push_back(&chain);
    }
    std::stable_sort(chains.begin(), chains.end(), [](Named a, Named b) { return a->second.base->priority < b->second.base->priority; });
    return std::all_of(chains.begin(), chains.end(), [&](Named chain) { return walk(*chain, 0) != Outcome::block; });
  }
  [[nodiscard]] std::uint32_t mark() const { return mark_; }

 private:
  using Named = const std::pair<const std::string, Chain>*;

  /// The field's value; nullopt where the packet has none.
  [[nodiscard]] std::optional<std::string> value_of(Field field) const {
    const bool v4 = packet_.source.family() == Family::v4;
    const auto number = [](Type type, std::uint32_t value) { return std::optional(nftables::number_value(type, value).first); };
    const auto name = [](const std::string& interface) {
      return interface.empty() ? std::nullopt : std::optional(nftables::name_value(interface).first);
    };
    const auto address = [](const IpAddress& of, bool there) { return there ? std::optional(nftables::value(of).first) : std::nullopt; };
    switch (field) {
      case Field::iifname:
        return name(bridge_ ? packet_.physical_in : packet_.in);
      case Field::oifname:
        return name(bridge_ ? packet_.physical_out : packet_.out);
      case Field::iifgroup:
        return packet_.in.empty() ? std::nullopt : number(Type::devgroup, packet_.in_group);
      case Field::oifgroup:
        return packet_.out.empty() ? std::nullopt : number(Type::devgroup, packet_.out_group);
      case Field::mark:
        return number(Type::mark, mark_);
      case Field::nfproto:
        return nftables::value(packet_.source.family()).first;
      case Field::l4proto:
        return number(Type::inet_proto, packet_.protocol);
      case Field::ip_saddr:
        return address(packet_.source, v4);
      case Field::ip_daddr:
        return address(packet_.destination, v4);
      case Field::ip6_saddr:
        return address(packet_.source, !v4);
      case Field::ip6_daddr:
        return address(packet_.destination, !v4);
      case Field::th_dport:
        return packet_.protocol == tcp || packet_.protocol == udp ? number(Type::inet_service, packet_.destination_port) : std::nullopt;
      case Field::icmp_type:
        return v4 && packet_.protocol == icmp ? number(Type::icmp_type, packet_.icmp_type) : std::nullopt;
      case Field::icmpv6_type:
        return !v4 && packet_.protocol == icmp6 ? number(Type::icmpv6_type, packet_.icmp_type) : std::nullopt;
      case Field::ct_state:
        return number(Type::ct_state, nftables::state_new);
      case Field::ct_direction:
        return number(Type::ct_dir, 0);
      case Field::ct_status:
        return number(Type::ct_status, packet_.dnat ? nftables::status_dnat : 0);
      case Field::fib_daddr_type:
        return number(Type::fib_addrtype, packet_.destination_local ? nftables::type_local : nftables::type_local - 1);
    }
    return std::nullopt;
  }

  /// Those of several fields, one after the other, in `all`; false where the packet lacks one.
  [[nodiscard]] bool read(const Fields& fields, std::string& all) {
    all.clear();
    for (const Field field : fields) {
      auto& known = known_[static_cast<std::size_t>(field)];
      if (!known) known = value_of(field);
      if (!*known) return false;
      all += **known;
    }
    return true;
  }

  [[nodiscard]] const nftables::Element* find(const std::string& name, const std::string& key) const {
    const auto set = table_.sets.find(name);
    return set == table_.sets.end() ? nullptr : nftables::find(set->second, key);
  }

  [[nodiscard]] bool holds(const Match& match) {
    std::string& value = value_;
    if (!read(match.fields, value)) return false;
    if (!match.set.empty()) {
      const nftables::Element* const element = find(match.set, value);
      if (element != nullptr) found_ = element;
      return (element != nullptr) != match.negated;
    }
    const Type type = type_of(match.fields.front());
    const bool bits = type == Type::ct_state || type == Type::ct_status;
    const bool found = std::any_of(match.values.begin(), match.values.end(), [&](const Value& wanted) {
      if (bits) return (nftables::number_in(value) & nftables::number_in(wanted.first)) != 0;
      return wanted.first <= value && value <= wanted.last;
    });
    return found != match.negated;
  }

  /// What a map has for the packet; empty where it has nothing.
  [[nodiscard]] std::string looked_up(const Action& action) {
    const nftables::Element* const element = read(action.fields, value_) ? find(action.target, value_) : nullptr;
    return element == nullptr ? std::string() : element->data;
  }

  Outcome enter(const std::string& name, int depth) {
    const auto chain = table_.chains.find(name);
    if (chain == table_.chains.end() || depth > 64) return Outcome::back;
    return walk(*chain, depth + 1);
  }

  /// nullopt: with the next rule.
  std::optional<Outcome> perform(const std::string& verdict, int depth) {
    if (verdict == "accept") return Outcome::pass;
    if (verdict == "drop") return Outcome::block;
    if (verdict == "return") return Outcome::back;
    if (verdict.starts_with("goto ")) return enter(verdict.substr(5), depth);
    if (!verdict.starts_with("jump ")) return std::nullopt;
    const Outcome outcome = enter(verdict.substr(5), depth);
    return outcome == Outcome::back ? std::nullopt : std::optional(outcome);
  }

  std::optional<Outcome> perform(const Action& action, int depth) {
    using Kind = Action::Kind;
    switch (action.kind) {
      case Kind::accept:
        return Outcome::pass;
      case Kind::drop:
      case Kind::reject_admin_prohibited:
      case Kind::reject_tcp_reset:
        return Outcome::block;
      case Kind::return_:
        return Outcome::back;
      case Kind::jump:
        return perform("jump " + action.target, depth);
      case Kind::go_to:
        return perform("goto " + action.target, depth);
      case Kind::vmap:
        return perform(looked_up(action), depth);
      case Kind::set_mark:
        if (action.target.empty()) mark_ = action.mark;
        if (const std::string found = action.target.empty() ? "" : looked_up(action); !found.empty()) mark_ = nftables::number_in(found);
        known_[static_cast<std::size_t>(Field::mark)].reset();
        return std::nullopt;
      case Kind::continue_:
      case Kind::dnat:
      case Kind::snat:
      case Kind::masquerade:
      case Kind::set_zone:
        return std::nullopt;
    }
    return std::nullopt;
  }

  /// A chain that is gone to and falls out of its end goes back to where its caller was jumped to from: to the end of the caller.
  Outcome walk(const std::pair<const std::string, Chain>& chain, int depth) {
    for (std::size_t i = 0; i < chain.second.rules.size(); ++i) {
      const Rule& rule = chain.second.rules[i];
      found_ = nullptr;
      if (!rule.opaque.empty() || !std::all_of(rule.matches.begin(), rule.matches.end(), [&](const Match& match) { return holds(match); })) continue;
      const std::size_t met = path_ != nullptr ? path_->size() : 0;
      if (path_ != nullptr) path_->push_back({{bridge_ ? "bridge" : "inet", chain.first}, i, &rule, found_});
      if (const auto outcome = perform(rule.action, depth)) return *outcome;
      if (path_ != nullptr) path_->resize(met);
    }
    return Outcome::back;
  }

  const Table& table_;
  const Packet& packet_;
  bool bridge_;
  std::uint32_t mark_;
  std::vector<Step>* path_;
  const nftables::Element* found_ = nullptr;                                            ///< by the match at hand
  std::array<std::optional<std::optional<std::string>>, nftables::field_count> known_;  ///< values of fields that were asked for
  std::string value_;                                                                   ///< of the match at hand
};

/// Whether it passes.
bool walk(const nftables::Ruleset& rules, const Packet& packet, std::vector<Step>* path) {
  constexpr int to_inet = 0, all = 1000;
  std::uint32_t mark = 0;
  if (!packet.physical_in.empty()) {
    // From a bridge's port: through table bridge first, and to table inet in the midst of it.
    Walk through(rules.bridge, packet, true, 0, path);
    if (!through.passes(packet.bridged ? "forward" : "input", packet.bridged ? to_inet : all)) return false;
    mark = through.mark();
  }
  return Walk(rules.inet, packet, false, mark, path).passes(packet.in.empty() ? "output" : packet.out.empty() ? "input" : "forward", all);
}

}  // namespace

const Step* nft::decisive(const Ruling& ruling) {
  const auto rule_of = [](const Step& step) { return std::get<const Rule*>(step.rule); };
  const auto last = [&](const auto& is_it) -> const Step* {
    const auto found = std::find_if(ruling.path.rbegin(), ruling.path.rend(), is_it);
    return found == ruling.path.rend() ? nullptr : &*found;
  };
  if (!ruling.passes()) return last([&](const Step& step) { return rule_of(step)->counted; });
  // What stays inside a bridge was decided on in table bridge.
  const bool inside = rule_of(ruling.path.back())->action.target == nft::inside_map;
  return last([&](const Step& step) { return !inside || step.chain.table == "bridge"; });
}

Ruling rule_on(const nftables::Ruleset& rules, const Packet& packet) {
  Ruling ruling;
  const bool passes = walk(rules, packet, &ruling.path);
  if (!passes) ruling.outcome = Ruling::Outcome::blocked;
  if (passes && !ruling.path.empty()) ruling.outcome = Ruling::Outcome::accepted;
  return ruling;
}

bool passes(const nftables::Ruleset& rules, const Packet& packet) { return walk(rules, packet, nullptr); }

bool passes(const Firewall& firewall, const Packet& packet) { return passes(firewall.rules, packet) && passes(firewall.tables, packet); }

}  // namespace topo::policy
