// Reading back what a topology has in nf_tables, and bringing it to what it shall be.
#include <algorithm>

#include "firewall/bridge_filter.hpp"
#include "firewall/iptables/iptables.hpp"
#include "firewall/memory.hpp"
#include "firewall/nftables/live.hpp"
#include "firewall/nftables/nftables.hpp"
#include "resources/firewall/meaning.hpp"
#include "topo/names.hpp"

namespace topo::firewall::nftables {
namespace {

using topo::nftables::Action;
using topo::nftables::Base;
using topo::nftables::Chain;
using topo::nftables::Field;
using topo::nftables::Match;
using topo::nftables::Rule;
using topo::nftables::Ruleset;
using topo::nftables::Table;
using topo::nftables::Type;

constexpr const char* shared_hook = "forward";
constexpr int before_filter = -1;  // NF_IP_PRI_FILTER is 0, linux/netfilter_ipv4.h

Match of_family(Family family) { return {{Field::nfproto}, false, {}, {topo::nftables::value(family)}}; }

Rule guard_rule(const SharedChain::Guard& guard, Family family) {
  Rule rule;
  rule.matches = {of_family(family),
                  {{Field::iifname}, false, {}, {topo::nftables::name_value(guard.interface)}},
                  {{Field::oifgroup}, true, {}, {topo::nftables::range_value(Type::devgroup, link_group_any, link_group_any | ~link_group_mask)}}};
  rule.action.kind = Action::Kind::drop;
  rule.comment = memo_of(guard, family);
  return rule;
}

/// Who starts to forward later (dockerd, libvirtd) turns all of it on and has rules of its own: answers and what was translated are its.
Rule exempt_rule(Field field, std::vector<std::uint32_t> bits) {
  Rule rule;
  rule.matches = {{{field}, false, {}, {}}};
  for (const std::uint32_t bit : bits) rule.matches.front().values.push_back(topo::nftables::number_value(type_of(field), bit));
  rule.action.kind = Action::Kind::accept;
  return rule;
}

Rule need_rule(const std::string& topology, Family family) {
  Rule rule;
  rule.matches = {of_family(family)};
  rule.action.kind = Action::Kind::continue_;
  rule.comment = need_mark(topology);
  return rule;
}

Ruleset shared_tables(const SharedChain& v4, const SharedChain& v6) {
  Ruleset rules;
  if (v4.empty() && v6.empty()) return rules;
  Chain& chain = rules.inet.chains[shared_hook];
  chain.base = Base{"filter", "forward", before_filter};
  if (!v4.guards.empty() || !v6.guards.empty()) {
    chain.rules = {exempt_rule(Field::ct_state, {topo::nftables::state_established, topo::nftables::state_related}),
                   exempt_rule(Field::ct_status, {topo::nftables::status_dnat})};
  }
  for (const Family family : {Family::v4, Family::v6}) {
    const SharedChain& shared = family == Family::v4 ? v4 : v6;
    for (const auto& guard : shared.guards) chain.rules.push_back(guard_rule(guard, family));
    for (const auto& topology : shared.topologies) chain.rules.push_back(need_rule(topology, family));
  }
  return rules;
}

SharedChain shared_in(const Ruleset& rules, Family family) {
  SharedChain meaning;
  const auto chain = rules.inet.chains.find(shared_hook);
  if (chain == rules.inet.chains.end()) return meaning;
  for (const Rule& rule : chain->second.rules) {
    if (rule.matches.empty() || rule.matches.front() != of_family(family)) continue;
    const auto guard = guard_of(rule.comment, family);
    const auto who = who_needs(rule.comment);
    // One that somebody has changed guards nothing any more, and is written anew.
    if (guard && rule == guard_rule(*guard, family)) meaning.guards.push_back(*guard);
    if (who && rule == need_rule(*who, family)) meaning.topologies.insert(*who);
  }
  return meaning;
}

bool needs_forwarding(const Firewall* after, Family family) {
  return after != nullptr && (family == Family::v4 ? after->forwards_v4 : after->forwards_v6);
}

/// Whether nft(8) can tell an interface by its name: it has no way to write a quotation mark, takes "*" at the end for all that begin so, and
/// libnftables ends the program that it is in where it reads anything but ASCII.
bool can_name(const std::string& interface) {
  return std::all_of(interface.begin(), interface.end(), [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '*' && c != '\\'; });
}

Error no_name(const std::string& interface) {
  return {Exit::unsupported, "nftables cannot name the host's interface " + printable(interface) + ", which is to go on forwarding nothing for others",
          {}, {}, "give it another name (ip link set … name …), or --firewall iptables", {}};
}

/// The way of one topology's tables, and of the shared one, to what they shall be.
class Change {
 public:
  Change(const Place& place, const std::string& topology, const Firewall* after, const Waiting& waiting)
      : place_(place), topology_(topology), after_(after), waiting_(waiting), live_(place) {}

  [[nodiscard]] Result<void> perform() {
    const std::string mark = owner_mark(topology_), name = table_name(topology_);
    const auto own = live_.read(name, mark);
    if (!own) return own.error();
    const auto shared = live_.read(shared_table, shared_mark);
    if (!shared) return shared.error();
    SharedChain wanted[2];
    for (const Family family : {Family::v4, Family::v6}) {
      auto planned = plan(family, *shared);
      if (!planned) return std::move(planned).error();
      wanted[family == Family::v4 ? 0 : 1] = planned->wanted;
      (family == Family::v4 ? v4_ : v6_) = std::move(*planned);
    }
    for (const SharedChain& chain : wanted) {
      for (const auto& guard : chain.guards) {
        if (!can_name(guard.interface)) return no_name(guard.interface);
      }
    }
    // What guards others comes before what it guards them from, and goes after it.
    const std::string of_all = changes(*shared, shared_tables(wanted[0], wanted[1]), shared_table, shared_mark);
    const std::string commands = of_all + changes(*own, after_ != nullptr ? after_->tables : Ruleset(), name, mark);
    if (auto before = before_commit(); !before) return before;
    if (!commands.empty()) {
      if (auto done = carry_out(commands); !done) return done;
    }
    return after_commit();
  }

 private:
  [[nodiscard]] Result<ForwardingPlan> plan(Family family, const Ruleset& shared) const {
    const Tables tables(place_);
    auto other = iptables::shared(tables, family);
    if (!other) return std::move(other).error();
    return plan_forwarding(place_, family, topology_, {shared_in(shared, family), std::move(*other)}, needs_forwarding(after_, family));
  }

  [[nodiscard]] Result<void> before_commit() {
    for (const Family family : {Family::v4, Family::v6}) {
      const ForwardingPlan& plan = family == Family::v4 ? v4_ : v6_;
      if (plan.other) {
        if (auto written = iptables::write_shared(place_, family, *plan.other, waiting_); !written) return written;
      }
      if (auto restored = write_settings(place_, plan.restore, "0"); !restored) return restored;
      // What is given back must never be taken for topo's again.
      if (plan.meant.empty()) remember(place_, family, {});
    }
    return {};
  }

  [[nodiscard]] Result<void> carry_out(const std::string& commands) const {
    const auto answers = run({{&place_, commands}});
    if (!answers) return answers.error();
    if (answers->front().done) return {};
    return failure("cannot change the tables of nftables", answers->front());
  }

  [[nodiscard]] Result<void> after_commit() {
    for (const Family family : {Family::v4, Family::v6}) {
      const ForwardingPlan& plan = family == Family::v4 ? v4_ : v6_;
      remember(place_, family, plan.meant);
      if (auto written = write_settings(place_, plan.turn_on, "1"); !written) return written;
    }
    return {};
  }

  const Place& place_;
  const std::string& topology_;
  const Firewall* after_;
  const Waiting& waiting_;
  Live live_;
  ForwardingPlan v4_, v6_;
};

}  // namespace

Result<Ruleset> observe(const Tables& tables, const std::string& topology) {
  const auto there = tables.nft().has(table_name(topology), owner_mark(topology));
  if (!there) return there.error();
  if (!*there) return Ruleset();
  return tables.nft().read(table_name(topology), owner_mark(topology));
}

Result<SharedChain> shared(const Tables& tables, Family family) {
  const auto there = tables.nft().has(shared_table, shared_mark);
  if (!there) return there.error();
  if (!*there) return SharedChain();
  const auto rules = tables.nft().read(shared_table, shared_mark);
  if (!rules) return rules.error();
  return shared_in(*rules, family);
}

Result<bool> is_shared_in_force(const Tables& tables) {
  const auto there = tables.nft().has(shared_table, shared_mark);
  if (!there) return there.error();
  if (!*there) return false;
  const auto rules = tables.nft().read(shared_table, shared_mark);
  if (!rules) return rules.error();
  return *rules == shared_tables(shared_in(*rules, Family::v4), shared_in(*rules, Family::v6));
}

Result<void> replace(const Place& place, const std::string& topology, const Firewall* after, const Waiting& waiting) {
  auto bridges = BridgeFilter::prepare(place, after != nullptr && matches_bridge_ports(*after));
  if (!bridges) return std::move(bridges).error();
  if (auto changed = Change(place, topology, after, waiting).perform(); !changed) return changed;
  return bridges->settle(place);
}

Result<void> write_shared(const Place& place, Family family, const SharedChain& wanted) {
  Live live(place);
  const auto shared = live.read(shared_table, shared_mark);
  if (!shared) return shared.error();
  const Family rest = family == Family::v4 ? Family::v6 : Family::v4;
  const SharedChain kept = shared_in(*shared, rest);
  const Ruleset after = family == Family::v4 ? shared_tables(wanted, kept) : shared_tables(kept, wanted);
  const std::string commands = changes(*shared, after, shared_table, shared_mark);
  if (commands.empty()) return {};
  const auto answers = run({{&place, commands}});
  if (!answers) return answers.error();
  if (!answers->front().done) return failure("cannot change the tables of nftables", answers->front());
  return {};
}

}  // namespace topo::firewall::nftables
