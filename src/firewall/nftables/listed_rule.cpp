#include "firewall/nftables/listed_rule.hpp"

#include <algorithm>

namespace topo::firewall::nftables {
namespace {

using topo::nftables::Action;
using topo::nftables::Field;
using topo::nftables::Fields;
using topo::nftables::Match;
using topo::nftables::Rule;
using topo::nftables::Type;
using topo::nftables::Value;

/// Each reader gives nullopt for what it does not know: then the whole rule is opaque.
template <class T>
using Maybe = std::optional<T>;

bool is_exactly(const Json& json, const Json& wanted) { return json == wanted; }

Maybe<Field> field_in(const Json& json) {
  static const std::pair<Field, Json> forms[] = {
      {Field::iifname, {{"meta", {{"key", "iifname"}}}}},
      {Field::oifname, {{"meta", {{"key", "oifname"}}}}},
      {Field::iifgroup, {{"meta", {{"key", "iifgroup"}}}}},
      {Field::oifgroup, {{"meta", {{"key", "oifgroup"}}}}},
      {Field::mark, {{"meta", {{"key", "mark"}}}}},
      {Field::nfproto, {{"meta", {{"key", "nfproto"}}}}},
      {Field::l4proto, {{"meta", {{"key", "l4proto"}}}}},
      {Field::ip_saddr, {{"payload", {{"protocol", "ip"}, {"field", "saddr"}}}}},
      {Field::ip_daddr, {{"payload", {{"protocol", "ip"}, {"field", "daddr"}}}}},
      {Field::ip6_saddr, {{"payload", {{"protocol", "ip6"}, {"field", "saddr"}}}}},
      {Field::ip6_daddr, {{"payload", {{"protocol", "ip6"}, {"field", "daddr"}}}}},
      {Field::th_dport, {{"payload", {{"protocol", "th"}, {"field", "dport"}}}}},
      {Field::icmp_type, {{"payload", {{"protocol", "icmp"}, {"field", "type"}}}}},
      {Field::icmpv6_type, {{"payload", {{"protocol", "icmpv6"}, {"field", "type"}}}}},
      {Field::ct_state, {{"ct", {{"key", "state"}}}}},
      {Field::ct_direction, {{"ct", {{"key", "direction"}}}}},
      {Field::ct_status, {{"ct", {{"key", "status"}}}}},
      {Field::fib_daddr_type, {{"fib", {{"result", "type"}, {"flags", Json::array({"daddr"})}}}}},
  };
  for (const auto& [field, form] : forms) {
    if (is_exactly(json, form)) return field;
  }
  return std::nullopt;
}

Maybe<Fields> fields_in(const Json& json) {
  const Json* const list = member(json, "concat");
  Fields fields;
  for (const Json& each : list != nullptr && list->is_array() ? *list : Json::array({json})) {
    const auto field = field_in(each);
    if (!field) return std::nullopt;
    fields.push_back(*field);
  }
  return fields;
}

/// Numbers with the same upper bits.
Maybe<Value> network_of(Type type, std::uint32_t number, std::uint32_t mask) {
  const std::uint32_t host = ~mask;
  if ((host & (host + 1)) != 0 || (number & host) != 0) return std::nullopt;
  return topo::nftables::range_value(type, number, number | host);
}

Maybe<std::uint32_t> number_in(const Json& json) {
  if (!json.is_number_unsigned() || json.get<std::uint64_t>() > 0xffffffffU) return std::nullopt;
  return json.get<std::uint32_t>();
}

Maybe<Value> value_in(Type type, const Json& json) {
  const Json* const prefix = member(json, "prefix");
  if (type == Type::ipv4_addr || type == Type::ipv6_addr) {
    if (prefix != nullptr) {
      const Json* const length = member(*prefix, "len");
      const auto network = Cidr::parse(text_in(*prefix, "addr") + '/' + (length != nullptr ? length->dump() : ""));
      return network ? Maybe<Value>(topo::nftables::value(*network)) : std::nullopt;
    }
    const auto address = json.is_string() ? IpAddress::parse(json.get<std::string>()) : std::nullopt;
    return address ? Maybe<Value>(topo::nftables::value(*address)) : std::nullopt;
  }
  if (type == Type::ifname) return json.is_string() ? Maybe<Value>(topo::nftables::name_value(json.get<std::string>())) : std::nullopt;
  if (prefix != nullptr) {
    const Json *const address = member(*prefix, "addr"), *const length = member(*prefix, "len");
    const auto number = address != nullptr ? number_in(*address) : std::nullopt, bits = length != nullptr ? number_in(*length) : std::nullopt;
    if (!number || !bits || *bits < 1 || *bits > 32) return std::nullopt;
    return network_of(type, *number, 0xffffffffU << (32 - *bits));
  }
  const auto number = number_in(json);
  if (!number || (topo::nftables::size_of(type) < 4 && *number >> (8 * topo::nftables::size_of(type)) != 0)) return std::nullopt;
  return topo::nftables::number_value(type, *number);
}

/// One value, or several of an anonymous set; of states, bits.
Maybe<std::vector<Value>> values_in(Type type, const Json& json) {
  const Json* const set = member(json, "set");
  std::vector<Value> values;
  for (const Json& each : set != nullptr && set->is_array() ? *set : json.is_array() ? json : Json::array({json})) {
    auto value = value_in(type, each);
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  if (set != nullptr) std::sort(values.begin(), values.end());
  return values;
}

Maybe<std::string> set_name(const Json& json) {
  if (!json.is_string()) return std::nullopt;
  const auto text = json.get<std::string>();
  return text.size() > 1 && text.front() == '@' ? Maybe<std::string>(text.substr(1)) : std::nullopt;
}

Maybe<Match> match_in(const Json& json) {
  const Json *const left = member(json, "left"), *const right = member(json, "right");
  const std::string op = text_in(json, "op");
  if (left == nullptr || right == nullptr || json.size() != 3) return std::nullopt;
  Match match;
  match.negated = op == "!=";
  if (const Json* const masked = member(*left, "&"); masked != nullptr && masked->is_array() && masked->size() == 2) {
    const auto field = field_in((*masked)[0]);
    const auto mask = number_in((*masked)[1]), number = number_in(*right);
    if (!field || !mask || !number || (op != "==" && op != "!=")) return std::nullopt;
    const auto value = network_of(type_of(*field), *number, *mask);
    if (!value) return std::nullopt;
    match.fields = {*field};
    match.values = {*value};
    return match;
  }
  const auto fields = fields_in(*left);
  if (!fields) return std::nullopt;
  match.fields = *fields;
  const Type type = type_of(fields->front());
  const bool bits = type == Type::ct_state || type == Type::ct_status;
  if (op != (bits ? "in" : match.negated ? "!=" : "==")) return std::nullopt;
  if (auto name = set_name(*right)) {
    match.set = std::move(*name);
    return match;
  }
  auto values = fields->size() == 1 ? values_in(type, *right) : std::nullopt;
  if (!values) return std::nullopt;
  match.values = std::move(*values);
  return match;
}

/// `{"key": …, "data": "@NAME"}`
bool read_lookup(const Json& json, Action& action) {
  const Json *const key = member(json, "key"), *const data = member(json, "data");
  const auto fields = key != nullptr ? fields_in(*key) : std::nullopt;
  const auto name = data != nullptr ? set_name(*data) : std::nullopt;
  if (!fields || !name || json.size() != 2) return false;
  action.fields = *fields;
  action.target = *name;
  return true;
}

bool read_translation(const Json& json, Action& action) {
  const std::string family = text_in(json, "family");
  const Json* const address = member(json, "addr");
  if (json.size() != 2 || address == nullptr || (family != "ip" && family != "ip6")) return false;
  action.family = family == "ip" ? Family::v4 : Family::v6;
  if (const Json* const map = member(*address, "map")) return address->size() == 1 && read_lookup(*map, action);
  action.address = address->is_string() ? IpAddress::parse(address->get<std::string>()) : std::nullopt;
  return action.kind == Action::Kind::snat && action.address && action.address->family() == action.family;
}

bool read_mangle(const Json& json, Action& action) {
  static const Json mark{{"meta", {{"key", "mark"}}}}, zone{{"ct", {{"key", "zone"}}}};
  const Json *const key = member(json, "key"), *const value = member(json, "value");
  if (key == nullptr || value == nullptr || json.size() != 2 || (*key != mark && *key != zone)) return false;
  action.kind = *key == mark ? Action::Kind::set_mark : Action::Kind::set_zone;
  if (const Json* const map = member(*value, "map")) return value->size() == 1 && read_lookup(*map, action);
  const auto number = number_in(*value);
  action.mark = number.value_or(0);
  return number && *key == mark;
}

Maybe<Action> action_in(const Json& json) {
  using Kind = Action::Kind;
  static const std::pair<Kind, Json> plain[] = {
      {Kind::accept, {{"accept", nullptr}}},
      {Kind::drop, {{"drop", nullptr}}},
      {Kind::return_, {{"return", nullptr}}},
      {Kind::continue_, {{"continue", nullptr}}},
      {Kind::masquerade, {{"masquerade", nullptr}}},
      {Kind::reject_admin_prohibited, {{"reject", {{"type", "icmpx"}, {"expr", 3}}}}},  // NFT_REJECT_ICMPX_ADMIN_PROHIBITED
      {Kind::reject_tcp_reset, {{"reject", {{"type", "tcp reset"}}}}},
  };
  Action action;
  for (const auto& [kind, form] : plain) {
    action.kind = kind;
    if (is_exactly(json, form)) return action;
  }
  const auto only = only_member(json);
  if (!only) return std::nullopt;
  const auto& [key, value] = *only;
  bool known = false;
  if (key == "jump" || key == "goto") {
    action.kind = key == "jump" ? Kind::jump : Kind::go_to;
    action.target = text_in(*value, "target");
    known = !action.target.empty() && value->size() == 1;
  } else if (key == "vmap") {
    action.kind = Kind::vmap;
    known = read_lookup(*value, action);
  } else if (key == "dnat" || key == "snat") {
    action.kind = key == "dnat" ? Kind::dnat : Kind::snat;
    known = read_translation(*value, action);
  } else if (key == "mangle") {
    known = read_mangle(*value, action);
  }
  return known ? Maybe<Action>(std::move(action)) : std::nullopt;
}

/// The counter in front of what a rule does; nullptr: there is none.
const Json* counter_in(const Json& expressions) { return expressions.size() < 2 ? nullptr : member(expressions[expressions.size() - 2], "counter"); }

}  // namespace

Rule rule_in(const Json& json) {
  Rule rule;
  rule.comment = text_in(json, "comment");
  const Json* const expressions = member(json, "expr");
  bool known = expressions != nullptr && expressions->is_array() && !expressions->empty();
  rule.counted = known && counter_in(*expressions) != nullptr;
  for (std::size_t i = 0; known && i + (rule.counted ? 2 : 1) < expressions->size(); ++i) {
    const auto only = only_member((*expressions)[i]);
    auto match = only && only->first == "match" ? match_in(*only->second) : std::nullopt;
    known = match.has_value();
    if (match) rule.matches.push_back(std::move(*match));
  }
  const auto action = known ? action_in(expressions->back()) : std::nullopt;
  if (!action) return {{}, {}, {}, (expressions != nullptr ? expressions->dump() : "") + ' ' + rule.comment};
  rule.action = *action;
  return rule;
}

std::uint64_t packets_of(const Json& json) {
  const Json* const expressions = member(json, "expr");
  const Json* const counter = expressions == nullptr ? nullptr : counter_in(*expressions);
  const Json* const packets = counter == nullptr ? nullptr : member(*counter, "packets");
  return packets == nullptr ? 0U : packets->get<std::uint64_t>();
}

}  // namespace topo::firewall::nftables
