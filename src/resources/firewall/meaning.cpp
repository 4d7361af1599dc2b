#include "resources/firewall/meaning.hpp"

#include <algorithm>

#include "resources/firewall/nftables.hpp"

namespace topo {
namespace {

using netfilter::Rule;
using nftables::Action;
using nftables::Field;
using nftables::Set;
using nftables::Table;
using nftables::Type;
using nftables::Value;
using Kind = netfilter::Target::Kind;

bool translates(const Rule& rule) { return rule.target.kind == Kind::dnat || rule.target.kind == Kind::snat || rule.target.kind == Kind::masquerade; }

/// The network from an address to another.
netfilter::Maybe<Cidr> network(const std::string& first, const std::string& last) {
  const IpAddress from = nftables::address_in(first), to = nftables::address_in(last);
  for (std::uint8_t prefix = from.bits(); prefix > 0; --prefix) {
    if (Cidr(from, prefix).last() == to) return {Cidr(from, prefix), false};
  }
  return {Cidr(from, from == to ? from.bits() : std::uint8_t{0}), false};
}

/// Says in `rule` that the field has a value.
void restrict_to(Rule& rule, Field field, const std::string& first, const std::string& last, bool negated) {
  const auto number = [](const std::string& bytes) { return nftables::number_in(bytes); };
  switch (field) {
    case Field::oifname:
      rule.out = {nftables::name_in(first), negated};
      break;
    case Field::ip_saddr:
    case Field::ip6_saddr:
      rule.source = network(first, last);
      break;
    case Field::ip_daddr:
    case Field::ip6_daddr:
      rule.destination = network(first, last);
      break;
    case Field::l4proto:
      rule.protocol = static_cast<std::uint8_t>(number(first));
      break;
    case Field::th_dport:
      rule.destination_ports = netfilter::Ports{static_cast<std::uint16_t>(number(first)), static_cast<std::uint16_t>(number(last))};
      break;
    case Field::oifgroup:
      rule.out_group = {{number(first), ~(number(first) ^ number(last))}, negated};
      break;
    default:
      break;
  }
}

void restrict_to(Rule& rule, const nftables::Fields& fields, const Value& value, bool negated = false) {
  std::size_t at = 0;
  for (const Field field : fields) {
    const std::size_t size = size_of(type_of(field));
    restrict_to(rule, field, value.first.substr(at, size), value.last.substr(at, size), negated);
    at += size;
  }
}

std::optional<Family> family_of(const nftables::Fields& fields) {
  for (const Field field : fields) {
    if (type_of(field) == Type::ipv4_addr) return Family::v4;
    if (type_of(field) == Type::ipv6_addr) return Family::v6;
  }
  return std::nullopt;
}

/// One of nf_tables' rules as many of iptables', one for each element that it is looked up in.
class Unfolding {
 public:
  Unfolding(const Table& table, std::vector<AddressTranslation>& found) : table_(table), found_(found) {}

  void unfold(const nftables::Rule& rule) {
    const Action& action = rule.action;
    Rule made;
    made.target.kind = action.kind == Action::Kind::dnat ? Kind::dnat : action.kind == Action::Kind::snat ? Kind::snat : Kind::masquerade;
    made.target.address = action.address;
    for (const auto& match : rule.matches) {
      if (match.set.empty()) restrict_to(made, match.fields, match.values.front(), match.negated);
    }
    const auto looked_up = std::find_if(rule.matches.begin(), rule.matches.end(), [](const auto& match) { return !match.set.empty(); });
    if (!action.target.empty()) {
      each_element(action.target, [&](const Set& set, const Value& key, const nftables::Element& element) {
        Rule one = made;
        restrict_to(one, action.fields, key);
        translate_to(one, set, element, action.fields.size() == 2);
        found_.push_back({action.family, std::move(one)});
      });
    } else if (looked_up != rule.matches.end()) {
      each_element(looked_up->set, [&](const Set&, const Value& key, const nftables::Element&) {
        Rule one = made;
        restrict_to(one, looked_up->fields, key);
        found_.push_back({family_of(looked_up->fields).value_or(action.family), std::move(one)});
      });
    } else {
      const auto asked =
          std::find_if(rule.matches.begin(), rule.matches.end(), [](const auto& match) { return match.fields.front() == Field::nfproto; });
      for (const Family family : {Family::v4, Family::v6}) {
        const bool other = asked != rule.matches.end() && asked->values.front() != nftables::value(family);
        if (!other && (!action.address || action.address->family() == family)) found_.push_back({family, made});
      }
    }
  }

 private:
  template <class Visit>
  void each_element(const std::string& name, Visit&& visit) const {
    const auto set = table_.sets.find(name);
    if (set == table_.sets.end()) return;
    for (const auto& [key, element] : set->second.elements) visit(set->second, key, element);
  }

  /// `by_port_alone`: a map for every address of the host's own.
  static void translate_to(Rule& rule, const Set& set, const nftables::Element& element, bool by_port_alone) {
    const std::size_t size = size_of(set.data.front());
    rule.target.address = nftables::address_in(element.data.substr(0, size));
    if (rule.target.kind != Kind::dnat) return;
    rule.comment = element.comment;
    if (by_port_alone) rule.destination_type = netfilter::AddressType::local;
    if (set.data.size() < 2) return;
    const auto port = static_cast<std::uint16_t>(nftables::number_in(element.data.substr(size)));
    rule.target.ports = netfilter::Ports{port, port};
  }

  const Table& table_;
  std::vector<AddressTranslation>& found_;
};

bool has_elements_of(const Table& table, Type type) {
  return std::any_of(table.sets.begin(), table.sets.end(), [&](const auto& set) {
    return !set.second.elements.empty() && std::find(set.second.key.begin(), set.second.key.end(), type) != set.second.key.end();
  });
}

}  // namespace

std::vector<AddressTranslation> address_translations(const Firewall& firewall) {
  std::vector<AddressTranslation> found;
  for (const auto& [chain, rules] : firewall.rules.chains) {
    for (const Rule& rule : rules) {
      if (chain.table == netfilter::Table::nat && translates(rule)) found.push_back({chain.family, rule});
    }
  }
  const Table& table = firewall.tables.inet;
  Unfolding unfolding(table, found);
  for (const auto& [name, chain] : table.chains) {
    for (const nftables::Rule& rule : chain.rules) {
      const auto kind = rule.action.kind;
      const bool gives = kind == Action::Kind::dnat || kind == Action::Kind::snat || kind == Action::Kind::masquerade;
      if (gives && rule.opaque.empty()) unfolding.unfold(rule);
    }
  }
  return found;
}

std::map<std::uint16_t, std::string> switch_zones(const Firewall& firewall) {
  std::map<std::uint16_t, std::string> zones;
  for (const auto& [chain, rules] : firewall.rules.chains) {
    for (const Rule& rule : rules) {
      if (rule.target.kind == Kind::zone && rule.in) zones.emplace(rule.target.zone, rule.in->value);
    }
  }
  const auto set = firewall.tables.inet.sets.find("zones");
  if (set == firewall.tables.inet.sets.end()) return zones;
  for (const auto& [key, element] : set->second.elements)
    zones.emplace(static_cast<std::uint16_t>(nftables::number_in(element.data)), nftables::name_in(key.first));
  return zones;
}

std::vector<std::string> spoken_policy(const Firewall& firewall) {
  std::vector<std::string> found;
  for (const auto& [chain, rules] : firewall.rules.chains) {
    if (!chain.name.ends_with("-spec")) continue;
    for (const Rule& rule : rules) {
      if (rule.comment.starts_with('+') && !found.empty()) {
        found.back() += rule.comment.substr(1);
      } else {
        found.push_back(rule.comment);
      }
    }
  }
  const auto set = firewall.tables.inet.sets.find("spec");
  if (set == firewall.tables.inet.sets.end()) return found;
  constexpr std::size_t hash_size = 8;
  std::string last;
  for (const auto& [key, element] : set->second.elements) {
    const std::string hash = key.first.substr(0, hash_size);
    if (hash == last) {
      found.back() += element.comment;
    } else {
      found.push_back(element.comment);
    }
    last = hash;
  }
  return found;
}

std::set<std::string> comments_in(const Firewall& firewall) {
  std::set<std::string> comments;
  for (const auto& [chain, rules] : firewall.rules.chains) {
    for (const Rule& rule : chain.name.ends_with("-spec") ? std::vector<Rule>{} : rules) comments.insert(rule.comment);
  }
  for (const Table* table : {&firewall.tables.inet, &firewall.tables.bridge}) {
    for (const auto& [name, chain] : table->chains) {
      for (const nftables::Rule& rule : chain.rules) comments.insert(rule.comment);
    }
    for (const auto& [name, set] : table->sets) {
      for (const auto& [key, element] : name == "spec" ? std::map<Value, nftables::Element>{} : set.elements) comments.insert(element.comment);
    }
  }
  comments.erase("");
  return comments;
}

bool concerns(const Firewall& firewall, Family family) {
  const bool by_chain =
      std::any_of(firewall.rules.chains.begin(), firewall.rules.chains.end(), [&](const auto& chain) { return chain.first.family == family; });
  if (by_chain || (family == Family::v4 ? firewall.forwards_v4 : firewall.forwards_v6)) return true;
  const Type type = family == Family::v4 ? Type::ipv4_addr : Type::ipv6_addr;
  return has_elements_of(firewall.tables.inet, type) || has_elements_of(firewall.tables.bridge, type);
}

bool reaches_host(const Firewall& firewall, Family family) {
  // By nf_tables a map says for each network where what comes from there is judged.
  if (firewall.tables.inet.sets.contains("inputs")) return concerns(firewall, family);
  const auto jumps = firewall.rules.jumps.find({family, netfilter::Table::filter, "INPUT"});
  if (jumps == firewall.rules.jumps.end()) return false;
  return std::any_of(jumps->second.begin(), jumps->second.end(), [&](const Rule& jump) {
    const auto chain = firewall.rules.chains.find({family, netfilter::Table::filter, jump.target.chain});
    return chain != firewall.rules.chains.end() && std::any_of(chain->second.begin(), chain->second.end(), [](const Rule& rule) {
             return rule.in && (rule.target.kind == Kind::return_ || rule.target.kind == Kind::go_to);
           });
  });
}

bool matches_bridge_ports(const Firewall& firewall) {
  if (!firewall.tables.bridge.empty()) return true;
  return std::any_of(firewall.rules.chains.begin(), firewall.rules.chains.end(), [](const auto& chain) {
    return std::any_of(chain.second.begin(), chain.second.end(),
                       [](const Rule& rule) { return rule.physical_in || rule.physical_out || rule.bridged; });
  });
}

}  // namespace topo
