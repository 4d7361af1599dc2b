#include "policy/nftables/compiler.hpp"

#include <algorithm>
#include <set>

#include "policy/nftables/translation.hpp"
#include "topo/names.hpp"

namespace topo::policy::nft {

using nftables::number_value;
using nftables::range_value;

Compiler::Compiler(const Intent& intent, const Relations& relations)
    : intent_(intent), relations_(relations), group_(link_group(intent.topology)), block_(intent.reject ? go_to(refuse_chain) : drop_) {}

Ruleset Compiler::write() {
  if (!intent_.segments.empty()) {
    if (intent_.reject) write_refuse();
    write_self();
    write_bridges();
    write_forward();
    write_input();
    write_output();
    write_zones();
  }
  Translation(intent_, rules_.inet).write();
  drop_unused();
  write_statements();
  count_refusals();
  return std::move(rules_);
}

/// What was made for whoever might need it, and nobody did: sets that no rule asks, chains that nothing leads to.
void Compiler::drop_unused() {
  for (Table* table : {&rules_.inet, &rules_.bridge}) {
    std::set<std::string> targets, verdicts;
    for (const auto& [name, chain] : table->chains) {
      for (const Rule& rule : chain.rules) {
        targets.insert(rule.action.target);
        for (const Match& match : rule.matches) targets.insert(match.set);
      }
    }
    std::erase_if(table->sets, [&](const auto& set) { return !targets.contains(set.first); });
    for (const auto& [name, set] : table->sets) {
      for (const auto& [key, element] : set.elements) verdicts.insert(element.data.substr(element.data.find(' ') + 1));
    }
    std::erase_if(table->chains,
                  [&](const auto& chain) { return !chain.second.base && !targets.contains(chain.first) && !verdicts.contains(chain.first); });
  }
}

/// What refuses counts whom it refuses, so that a test can tell that it was this. Chains in which many refusals end need not.
void Compiler::count_refusals() {
  const std::set<std::string> ends{refuse_chain, held_chain, block_chain, wrong_chain};
  const auto refuses = [&](const Action& action) {
    return action.kind == Action::Kind::drop || (action.kind == Action::Kind::go_to && ends.contains(action.target));
  };
  for (Table* table : {&rules_.inet, &rules_.bridge}) {
    for (auto& [name, chain] : table->chains) {
      for (Rule& rule : chain.rules) rule.counted = !ends.contains(name) && refuses(rule.action);
    }
  }
}

/// A reset never gets back through a port map's translation, so that is answered by ICMP.
void Compiler::write_refuse() {
  Rules& rules = chain(refuse_chain);
  rules.push_back(
      rule({match(Field::ct_status, number_value(Type::ct_status, nftables::status_dnat))}, verdict(Action::Kind::reject_admin_prohibited)));
  rules.push_back(rule({match(Field::l4proto, number_value(Type::inet_proto, 6))}, verdict(Action::Kind::reject_tcp_reset)));
  rules.push_back(rule({}, verdict(Action::Kind::reject_admin_prohibited)));
}

/// A plain switch's connections are its own: another one, or a network of the gateway, may have the same addresses.
void Compiler::write_zones() {
  nftables::Set zones;
  zones.key = {Type::ifname};
  zones.data = {Type::zone};
  for (const auto& [interface, zone] : zones_of(intent_))
    zones.elements[nftables::name_value(interface)] = {number_value(Type::zone, zone).first, {}};
  if (zones.elements.empty()) return;
  rules_.inet.sets["zones"] = std::move(zones);
  constexpr int raw = -300;  // NF_IP_PRI_RAW, linux/netfilter_ipv4.h
  hook("raw", "filter", "prerouting", raw).push_back(rule({}, lookup(Action::Kind::set_zone, {Field::iifname}, "zones")));
}

/// What export reads: a statement is an element's comment, found by its hash; what a comment cannot hold goes on in the element after it.
void Compiler::write_statements() {
  if (intent_.statements.empty()) return;
  constexpr std::size_t most = 120;
  nftables::Set& set = rules_.inet.sets["spec"];
  set.key = {Type::mark, Type::mark, Type::mark};
  for (const std::string& statement : intent_.statements) {
    const std::uint64_t hash = stable_hash(statement);
    for (std::size_t at = 0; at == 0 || at < statement.size(); at += most) {
      const Value key = number_value(Type::mark, static_cast<std::uint32_t>(hash >> 32U)) +
                        number_value(Type::mark, static_cast<std::uint32_t>(hash)) + number_value(Type::mark, static_cast<std::uint32_t>(at / most));
      set.elements[key] = {{}, statement.substr(at, most)};
    }
  }
}

Compiler::Rules& Compiler::hook(const std::string& name, const char* type, const char* where, int priority) {
  nftables::Chain& made = rules_.inet.chains[name];
  made.base = nftables::Base{type, where, priority};
  return made.rules;
}

void Compiler::write_map_of_verdicts(Table& table, const std::string& name, Type key, const std::map<Value, std::string>& verdicts) {
  nftables::Set& map = table.sets[name];
  map.key = {key};
  map.data = {Type::verdict};
  for (const auto& [value, verdict] : verdicts) map.elements[value] = {verdict, {}};
}

Match Compiler::own(Field group, bool negated) const { return match(group, number_value(Type::devgroup, group_), negated); }

Match Compiler::of_any_topology(Field group, bool negated) {
  return match(group, range_value(Type::devgroup, link_group_any, link_group_any | ~link_group_mask), negated);
}

Match Compiler::state(std::uint32_t bit) { return match(Field::ct_state, number_value(Type::ct_state, bit)); }

/// What may come by any way: replies, and what is related to a connection, as errors are that some router sends.
void Compiler::add_answers(Rules& rules, const std::vector<Match>& front) {
  const Action accept = verdict(Action::Kind::accept);
  std::vector<Match> related = front, reply = front;
  related.push_back(state(nftables::state_related));
  reply.push_back(state(nftables::state_established));
  reply.push_back(match(Field::ct_direction, number_value(Type::ct_dir, nftables::direction_reply)));
  rules.push_back(rule(related, accept));
  rules.push_back(rule(reply, accept));
}

/// RFC 4861 (133 router solicitation, 134 advertisement, 135 and 136 neighbours, 137 redirect), MLD and MLDv2.
Match Compiler::neighbour_discovery(bool from_routers) {
  Match found{{Field::icmpv6_type}, false, {}, {}};
  for (const std::uint32_t type : {130U, 131U, 132U, 133U, 134U, 135U, 136U, 137U, 143U}) {
    if (!from_routers && (type == router_advertisement || type == redirect)) continue;
    found.values.push_back(number_value(Type::icmpv6_type, type));
  }
  return found;
}

std::uint32_t Compiler::seat(std::size_t member) const {
  const auto& members = relations_.members[intent_.members[member].segment];
  return mark_seat + static_cast<std::uint32_t>(std::lower_bound(members.begin(), members.end(), member) - members.begin());
}

}  // namespace topo::policy::nft
