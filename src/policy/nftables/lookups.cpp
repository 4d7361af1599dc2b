#include "policy/nftables/lookups.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace topo::policy::nft {
namespace {

using nftables::number_value;
using nftables::range_value;
using nftables::size_of;
using nftables::type_of;

constexpr std::uint8_t tcp = 6, udp = 17, icmp = 1, icmp6 = 58;

char letter_of(Field field) {
  switch (field) {
    case Field::iifname:
      return 'i';
    case Field::oifname:
      return 'o';
    case Field::mark:
      return 'm';
    case Field::nfproto:
      return 'n';
    case Field::l4proto:
      return 'p';
    case Field::ip_saddr:
    case Field::ip6_saddr:
      return 's';
    case Field::ip_daddr:
    case Field::ip6_daddr:
      return 'd';
    case Field::th_dport:
      return 't';
    default:
      return 'x';
  }
}

/// Where in a value each field begins and ends, and whether it is a range there.
template <class Visit>
void for_each_field(const Fields& fields, Visit&& visit) {
  std::size_t at = 0;
  for (const Field field : fields) {
    visit(field, at, size_of(type_of(field)));
    at += size_of(type_of(field));
  }
}

bool is_range(const Value& value, std::size_t at, std::size_t size) { return value.first.compare(at, size, value.last, at, size) != 0; }

bool overlap(const Fields& fields, const Value& a, const Value& b) {
  bool all = true;
  for_each_field(fields, [&](Field, std::size_t at, std::size_t size) {
    all = all && a.first.compare(at, size, b.last, at, size) <= 0 && b.first.compare(at, size, a.last, at, size) <= 0;
  });
  return all;
}

/// Which of several sets a value goes to: the first that holds nothing that overlaps it. Values come in their order, so that those before one matter
/// only while they reach it in the first field that may be a range.
class Layers {
 public:
  Layers(const Fields& fields, const std::map<Value, std::string>& elements) : fields_(fields) {
    for_each_field(fields, [&](Field, std::size_t at, std::size_t size) {
      const bool ranged = std::any_of(elements.begin(), elements.end(), [&](const auto& element) { return is_range(element.first, at, size); });
      if (!ranged) exact_.emplace_back(at, size);
      if (ranged && size_ == 0) std::tie(at_, size_) = std::pair(at, size);
    });
  }
  [[nodiscard]] bool any_range() const { return size_ != 0; }

  std::size_t place(const Value& value) {
    if (!any_range()) return 0;
    std::string exact;
    for (const auto& [at, size] : exact_) exact.append(value.first, at, size);
    auto& layers = active_[exact];
    for (std::size_t i = 0;; ++i) {
      if (i == layers.size()) layers.emplace_back();
      auto& there = layers[i];
      std::erase_if(there, [&](const Value* each) { return each->last.compare(at_, size_, value.first, at_, size_) < 0; });
      if (std::any_of(there.begin(), there.end(), [&](const Value* each) { return overlap(fields_, *each, value); })) continue;
      there.push_back(&value);
      return i;
    }
  }

 private:
  const Fields& fields_;
  std::size_t at_ = 0, size_ = 0;                           ///< of the first field that may be a range
  std::vector<std::pair<std::size_t, std::size_t>> exact_;  ///< where the others are
  std::map<std::string, std::vector<std::vector<const Value*>>> active_;
};

}  // namespace

Part part(Field field, const Value& value) {
  Part made{{field}, value, {}};
  if (field == Field::ip_saddr || field == Field::ip_daddr) made.family = Family::v4;
  if (field == Field::ip6_saddr || field == Field::ip6_daddr) made.family = Family::v6;
  return made;
}

Part source(const IpAddress& address) { return part(address.family() == Family::v4 ? Field::ip_saddr : Field::ip6_saddr, nftables::value(address)); }
Part destination(const IpAddress& address) {
  return part(address.family() == Family::v4 ? Field::ip_daddr : Field::ip6_daddr, nftables::value(address));
}

Part source(const Cidr& network) {
  if (network.prefix() == 0) return {{Field::nfproto}, nftables::value(network.family()), network.family()};
  return part(network.family() == Family::v4 ? Field::ip_saddr : Field::ip6_saddr, nftables::value(network));
}

Part destination(const Cidr& network) {
  if (network.prefix() == 0) return {{Field::nfproto}, nftables::value(network.family()), network.family()};
  return part(network.family() == Family::v4 ? Field::ip_daddr : Field::ip6_daddr, nftables::value(network));
}

std::string kind_of(const Part& part) {
  std::string kind;
  for_each_field(part.fields, [&](Field field, std::size_t at, std::size_t size) {
    const char letter = letter_of(field);
    kind += is_range(part.value, at, size) ? static_cast<char>(letter - 'a' + 'A') : letter;
  });
  if (part.family) kind += *part.family == Family::v4 ? '4' : '6';
  return kind;
}

std::optional<Part> join(Part front, const Part& back) {
  if (front.family && back.family && front.family != back.family) return std::nullopt;
  if (!front.family) front.family = back.family;
  front.fields.insert(front.fields.end(), back.fields.begin(), back.fields.end());
  front.value = std::move(front.value) + back.value;
  return front;
}

std::vector<Part> services(const std::vector<PortRange>& ports, std::optional<Family> family, bool in_bridge) {
  std::vector<Part> parts;
  for (const PortRange& range : ports) {
    if (range.protocol == Protocol::any) return {Part{}};
    if (range.protocol == Protocol::icmp) {
      for (const Family each : {Family::v4, Family::v6}) {
        if (family && family != each) continue;
        Part made = part(Field::l4proto, number_value(Type::inet_proto, each == Family::v4 ? icmp : icmp6));
        // What knows no address must ask for the family itself.
        if (!family && !in_bridge) made = *join(part(Field::nfproto, nftables::value(each)), made);
        made.family = each;
        parts.push_back(std::move(made));
      }
      continue;
    }
    Part made = part(Field::l4proto, number_value(Type::inet_proto, range.protocol == Protocol::tcp ? tcp : udp));
    const bool all = range.first == 0 && range.last == 65535;
    if (!all) made = *join(std::move(made), part(Field::th_dport, range_value(Type::inet_service, range.first, range.last)));
    parts.push_back(std::move(made));
  }
  if (parts.empty()) parts.emplace_back();
  return parts;
}

Match match(Field field, const Value& value, bool negated) { return {{field}, negated, {}, {value}}; }
Match in_set(Fields fields, std::string set, bool negated) { return {std::move(fields), negated, std::move(set), {}}; }

Action verdict(Action::Kind kind) { return lookup(kind, {}, {}); }
Action go_to(std::string chain) { return lookup(Action::Kind::go_to, {}, std::move(chain)); }
Action jump(std::string chain) { return lookup(Action::Kind::jump, {}, std::move(chain)); }

Action lookup(Action::Kind kind, Fields fields, std::string map) {
  Action action;
  action.kind = kind;
  action.fields = std::move(fields);
  action.target = std::move(map);
  return action;
}

Rule rule(std::vector<Match> matches, Action action, std::string comment) { return {std::move(matches), std::move(action), std::move(comment), {}}; }

std::string as_comment(std::string text) {
  std::erase_if(text, [](char c) { return c == '"' || static_cast<unsigned char>(c) < 0x20; });
  if (text.size() > nftables::comment_max) text = text.substr(0, nftables::comment_max - 3) + "...";
  return text;
}

std::vector<std::string> put_set(Table& table, const std::string& name, const Fields& fields, const std::map<Value, std::string>& elements) {
  std::vector<std::string> names;
  Layers layers(fields, elements);
  for (const auto& [value, comment] : elements) {
    const std::size_t layer = layers.place(value);
    while (layer >= names.size()) names.push_back(names.empty() ? name : name + '/' + std::to_string(names.size() + 1));
    nftables::Set& set = table.sets[names[layer]];
    if (set.key.empty()) {
      for (const Field field : fields) set.key.push_back(type_of(field));
      set.interval = layers.any_range();
    }
    set.elements.emplace(value, nftables::Element{{}, comment});
  }
  return names;
}

void Lookups::add(const Condition& condition, const Part& part, const std::string& comment) {
  const std::string kind = kind_of(part) + condition.tag;
  auto [place, is_new] = by_kind_.try_emplace(kind);
  if (is_new) {
    place->second.conditions = condition.matches;
    place->second.fields = part.fields;
  }
  place->second.elements.emplace(part.value, comment);
}

void Lookups::put(Table& table, const std::string& prefix) {
  for (auto& [kind, lookup] : by_kind_) {
    if (!lookup.fields.empty()) lookup.sets = put_set(table, prefix + kind, lookup.fields, lookup.elements);
  }
}

std::vector<Rule> Lookups::rules(const Action& action) const {
  std::vector<Rule> rules;
  for (const auto& [kind, lookup] : by_kind_) {
    std::vector<Match> matches = lookup.conditions;
    if (lookup.fields.empty()) rules.push_back(rule(matches, action, lookup.elements.begin()->second));
    for (const std::string& set : lookup.sets) {
      matches = lookup.conditions;
      matches.push_back(in_set(lookup.fields, set));
      rules.push_back(rule(std::move(matches), action));
    }
  }
  return rules;
}

}  // namespace topo::policy::nft
