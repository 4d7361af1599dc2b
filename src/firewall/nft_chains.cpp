#include "firewall/nft_chains.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "kernel/channel.hpp"

namespace topo::firewall {
namespace {

kernel::Message question(int type, std::uint8_t family = NFPROTO_UNSPEC) {
  return {(NFNL_SUBSYS_NFTABLES << 8) | type, 0, nfgenmsg{family, NFNETLINK_V0, 0}};
}

std::uint32_t number_in(const nlattr* attribute) { return ntohl(nla_get_u32(attribute)); }

std::uint8_t family_of(nlmsghdr* message) { return static_cast<const nfgenmsg*>(nlmsg_data(message))->nfgen_family; }

/// As nft(8) has it.
std::string name_of(std::uint8_t family) {
  switch (family) {
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_ARP:
      return "arp";
    case NFPROTO_BRIDGE:
      return "bridge";
    case NFPROTO_NETDEV:
      return "netdev";
    default:
      return std::to_string(family);
  }
}

struct Chain {
  std::uint8_t family = 0;
  std::string table, name;
  bool forwards = false, is_input = false;  ///< a base chain at that hook
  bool drops = false;                       ///< by its policy
  [[nodiscard]] bool is_judge() const { return forwards || is_input; }
};

std::optional<Chain> chain_of(nlmsghdr* message) {
  nlattr* chain[NFTA_CHAIN_MAX + 1] = {};
  nlattr* hook[NFTA_HOOK_MAX + 1] = {};
  if (nlmsg_parse(message, sizeof(nfgenmsg), chain, NFTA_CHAIN_MAX, nullptr) != 0) return std::nullopt;
  if (chain[NFTA_CHAIN_TABLE] == nullptr || chain[NFTA_CHAIN_NAME] == nullptr) return std::nullopt;
  Chain found{family_of(message), nla_get_string(chain[NFTA_CHAIN_TABLE]), nla_get_string(chain[NFTA_CHAIN_NAME])};
  const bool is_base = chain[NFTA_CHAIN_HOOK] != nullptr && nla_parse_nested(hook, NFTA_HOOK_MAX, chain[NFTA_CHAIN_HOOK], nullptr) == 0;
  const bool is_of_ip = found.family == NFPROTO_IPV4 || found.family == NFPROTO_IPV6 || found.family == NFPROTO_INET;
  const bool is_hooked = is_base && is_of_ip && hook[NFTA_HOOK_HOOKNUM] != nullptr;
  found.forwards = is_hooked && number_in(hook[NFTA_HOOK_HOOKNUM]) == NF_INET_FORWARD;
  found.is_input = is_hooked && number_in(hook[NFTA_HOOK_HOOKNUM]) == NF_INET_LOCAL_IN;
  found.drops = chain[NFTA_CHAIN_POLICY] != nullptr && number_in(chain[NFTA_CHAIN_POLICY]) == NF_DROP;
  return found;
}

/// What a rule does to every packet that comes to it; nothing where it does so to some.
enum class Verdict { none, accept, drop, reject, return_, jump, go_to };

struct Outcome {
  Verdict verdict = Verdict::none;
  std::string chain{};  ///< jump, go_to
};

/// NF_x and NFT_x
Verdict verdict_by(int code) {
  switch (code) {
    case NF_ACCEPT:
      return Verdict::accept;
    case NF_DROP:
      return Verdict::drop;
    case NFT_RETURN:
      return Verdict::return_;
    case NFT_JUMP:
      return Verdict::jump;
    case NFT_GOTO:
      return Verdict::go_to;
    default:
      return Verdict::none;
  }
}

/// Of one expression. nullopt: it may end the rule before that.
std::optional<Outcome> outcome_of(const nlattr* element) {
  nlattr* expression[NFTA_EXPR_MAX + 1] = {};
  if (nla_parse_nested(expression, NFTA_EXPR_MAX, const_cast<nlattr*>(element), nullptr) != 0 || expression[NFTA_EXPR_NAME] == nullptr)
    return std::nullopt;
  const std::string name = nla_get_string(expression[NFTA_EXPR_NAME]);
  if (name == "counter" || name == "log") return Outcome{};
  if (name == "reject") return Outcome{Verdict::reject};
  if (expression[NFTA_EXPR_DATA] == nullptr) return std::nullopt;
  if (name == "match" || name == "target") {  // of iptables-nft
    nlattr* data[NFTA_TARGET_MAX + 1] = {};
    static_assert(NFTA_TARGET_NAME == static_cast<int>(NFTA_MATCH_NAME) && NFTA_TARGET_MAX == static_cast<int>(NFTA_MATCH_MAX));
    if (nla_parse_nested(data, NFTA_TARGET_MAX, expression[NFTA_EXPR_DATA], nullptr) != 0 || data[NFTA_TARGET_NAME] == nullptr) return std::nullopt;
    const std::string extension = nla_get_string(data[NFTA_TARGET_NAME]);
    if (extension == "comment" || extension == "LOG") return Outcome{};
    return extension == "REJECT" ? std::optional(Outcome{Verdict::reject}) : std::nullopt;
  }
  nlattr* immediate[NFTA_IMMEDIATE_MAX + 1] = {};
  nlattr* data[NFTA_DATA_MAX + 1] = {};
  nlattr* verdict[NFTA_VERDICT_MAX + 1] = {};
  const bool is_verdict = name == "immediate" && nla_parse_nested(immediate, NFTA_IMMEDIATE_MAX, expression[NFTA_EXPR_DATA], nullptr) == 0 &&
                          immediate[NFTA_IMMEDIATE_DATA] != nullptr &&
                          nla_parse_nested(data, NFTA_DATA_MAX, immediate[NFTA_IMMEDIATE_DATA], nullptr) == 0 && data[NFTA_DATA_VERDICT] != nullptr &&
                          nla_parse_nested(verdict, NFTA_VERDICT_MAX, data[NFTA_DATA_VERDICT], nullptr) == 0 && verdict[NFTA_VERDICT_CODE] != nullptr;
  if (!is_verdict) return std::nullopt;
  const std::string chain = verdict[NFTA_VERDICT_CHAIN] != nullptr ? nla_get_string(verdict[NFTA_VERDICT_CHAIN]) : "";
  return Outcome{verdict_by(static_cast<int>(number_in(verdict[NFTA_VERDICT_CODE]))), chain};
}

Outcome outcome_of_rule(const nlattr* expressions) {
  Outcome found;
  int left = 0;
  const nlattr* element = nullptr;
  nla_for_each_nested(element, expressions, left) {
    const auto outcome = outcome_of(element);
    if (!outcome) return {};
    if (outcome->verdict != Verdict::none) found = *outcome;
  }
  return found;
}

bool has_comment(nlmsghdr* message, const std::string& mark) {
  const std::string_view bytes(reinterpret_cast<const char*>(message), message->nlmsg_len);
  for (auto at = bytes.find(mark); at != std::string_view::npos; at = bytes.find(mark, at + 1)) {
    const auto end = at + mark.size();
    if (end >= bytes.size() || bytes[end] == '\0') return true;
  }
  return false;
}

/// What the rules of a table say.
struct Rules {
  std::set<std::string> marked;                                                ///< chains
  std::map<std::string, std::vector<std::pair<Outcome, std::size_t>>> of_all;  ///< chain -> what becomes of everything, and by which rule
};

Result<Rules> read_rules(kernel::Channel& channel, const Chain& chain, const std::vector<std::string>& marks) {
  Rules rules;
  std::map<std::string, std::size_t> counts;
  auto asked = question(NFT_MSG_GETRULE, chain.family);
  asked.put_text(NFTA_RULE_TABLE, chain.table);
  const auto restart = [&] {
    rules = {};
    counts.clear();
  };
  auto read = channel.dump(asked, restart, [&](nlmsghdr* message) {
    nlattr* rule[NFTA_RULE_MAX + 1] = {};
    if (nlmsg_parse(message, sizeof(nfgenmsg), rule, NFTA_RULE_MAX, nullptr) != 0 || rule[NFTA_RULE_CHAIN] == nullptr) return;
    const std::string name = nla_get_string(rule[NFTA_RULE_CHAIN]);
    if (std::any_of(marks.begin(), marks.end(), [&](const std::string& mark) { return has_comment(message, mark); })) rules.marked.insert(name);
    const std::size_t number = ++counts[name];
    Outcome outcome = rule[NFTA_RULE_EXPRESSIONS] == nullptr ? Outcome{} : outcome_of_rule(rule[NFTA_RULE_EXPRESSIONS]);
    if (outcome.verdict != Verdict::none) rules.of_all[name].emplace_back(std::move(outcome), number);
  });
  if (!read) return std::move(read).error();
  return rules;
}

/// What a chain does in the end with everything that comes to it, and by which of its rules; with none it goes on behind the chain.
std::pair<Verdict, std::size_t> end_of(const std::string& chain, const Rules& rules, int depth = 0) {
  constexpr int deepest = 16;  // NFT_JUMP_STACK_SIZE, net/netfilter/nf_tables_core.c
  const auto of_all = rules.of_all.find(chain);
  if (of_all == rules.of_all.end() || depth > deepest) return {Verdict::none, 0};
  for (const auto& [outcome, number] : of_all->second) {
    const bool leads_on = outcome.verdict == Verdict::jump || outcome.verdict == Verdict::go_to;
    if (outcome.verdict == Verdict::return_) break;
    const Verdict verdict = leads_on ? end_of(outcome.chain, rules, depth + 1).first : outcome.verdict;
    if (verdict != Verdict::none) return {verdict, number};
    if (outcome.verdict == Verdict::go_to) break;
  }
  return {Verdict::none, 0};
}

/// How the chain drops all that nothing accepts; empty where it does not.
std::string how_it_drops(const Chain& chain, const Rules& rules) {
  const auto [verdict, number] = end_of(chain.name, rules);
  if (verdict == Verdict::none) return chain.drops ? "its policy is drop" : "";
  if (verdict == Verdict::accept) return {};
  return "its rule " + std::to_string(number) + (verdict == Verdict::drop ? " drops" : " rejects") + " all that comes to it";
}

Result<std::vector<Chain>> read_chains(kernel::Channel& channel) {
  std::vector<Chain> chains;
  auto read = channel.dump(
      question(NFT_MSG_GETCHAIN), [&] { chains.clear(); },
      [&](nlmsghdr* message) {
        if (auto chain = chain_of(message)) chains.push_back(std::move(*chain));
      });
  if (!read) return std::move(read).error();
  return chains;
}

}  // namespace

Result<std::vector<NftChain>> dropping_nft_chains(const Place& place, const std::vector<std::string>& marks) {
  kernel::Channel channel(place.netns_fd, place.home_fd, NETLINK_NETFILTER);
  std::vector<NftChain> found;
  const auto chains = read_chains(channel);
  if (!chains) return found;  // a kernel without nf_tables has no such chains
  for (const Chain& chain : *chains) {
    if (!chain.is_judge()) continue;
    const auto rules = read_rules(channel, chain, marks);
    if (!rules) return rules.error();
    const std::string why = how_it_drops(chain, *rules);
    if (why.empty()) continue;
    NftChain told{chain.is_input, name_of(chain.family), chain.table, chain.name, why, {}, rules->marked.contains(chain.name)};
    for (const Chain& other : *chains) {
      if (other.family != chain.family || other.table != chain.table) continue;
      told.beside.push_back(other.name);
      if (!other.is_judge() && rules->marked.contains(other.name)) told.bears_mark = true;
    }
    found.push_back(std::move(told));
  }
  return found;
}

std::vector<std::string> nft_tables(const Place& place) {
  kernel::Channel channel(place.netns_fd, place.home_fd, NETLINK_NETFILTER);
  std::vector<std::string> names;
  const auto read = channel.dump(
      question(NFT_MSG_GETTABLE), [&] { names.clear(); },
      [&](nlmsghdr* message) {
        nlattr* table[NFTA_TABLE_MAX + 1] = {};
        if (nlmsg_parse(message, sizeof(nfgenmsg), table, NFTA_TABLE_MAX, nullptr) != 0 || table[NFTA_TABLE_NAME] == nullptr) return;
        names.push_back(name_of(family_of(message)) + " " + nla_get_string(table[NFTA_TABLE_NAME]));
      });
  return read ? names : std::vector<std::string>();
}

}  // namespace topo::firewall
