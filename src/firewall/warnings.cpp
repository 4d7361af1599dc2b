// Whether the host's own rules let pass what a topology lets pass.
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <set>

#include "firewall/backend.hpp"
#include "firewall/ownership.hpp"
#include "kernel/channel.hpp"
#include "topo/names.hpp"

namespace topo::firewall {
namespace {

using netfilter::Rule;
using netfilter::Target;

std::string group_text(const std::string& topology) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += digits[(link_group(topology) >> static_cast<unsigned>(shift)) & 0xfU];
  return text;
}

bool forwards(const Firewall& firewall, Family family) { return family == Family::v4 ? firewall.forwards_v4 : firewall.forwards_v6; }

bool filters(const Firewall& firewall, Family family) {
  const auto& chains = firewall.rules.chains;
  return forwards(firewall, family) || std::any_of(chains.begin(), chains.end(), [&](const auto& chain) { return chain.first.family == family; });
}

// --- the legacy tables ---

/// A packet between a link of the topology and the outside.
struct Traffic {
  std::uint32_t in_group = 0, out_group = 0;
  bool begins = false;  ///< its connection, or else belongs to one that exists
};

bool group_matches(const std::optional<netfilter::Maybe<netfilter::DeviceGroup>>& wanted, std::uint32_t group) {
  return !wanted || (((wanted->value.value ^ group) & wanted->value.mask) == 0) != wanted->negated;
}

/// Whether the rule takes all such packets, whatever their addresses and ports.
bool surely_matches(Rule rule, const Traffic& traffic) {
  if (!group_matches(rule.in_group, traffic.in_group) || !group_matches(rule.out_group, traffic.out_group)) return false;
  const bool in_state = (rule.states & (traffic.begins ? netfilter::ct_new : netfilter::ct_established)) != 0;
  if (rule.states != 0 && in_state == rule.states_negated) return false;
  rule.in_group = rule.out_group = std::nullopt;
  rule.states = 0;
  rule.states_negated = false;
  rule.comment.clear();
  Rule bare;
  bare.target = rule.target;
  return rule == bare;
}

/// How the host drops such traffic: the number of the rule that does, 0 for the policy; nullopt: it does not.
std::optional<std::size_t> dropped_by(const std::vector<Rule>& forward, const std::string& policy, const Traffic& traffic) {
  for (std::size_t i = 0; i < forward.size(); ++i) {
    const auto kind = forward[i].target.kind;
    if (kind == Target::Kind::jump || kind == Target::Kind::go_to || !surely_matches(forward[i], traffic)) continue;
    if (kind == Target::Kind::accept) return std::nullopt;
    if (kind == Target::Kind::drop || kind == Target::Kind::reject) return i + 1;
    if (kind == Target::Kind::return_) break;
  }
  return policy == "DROP" ? std::optional<std::size_t>(0) : std::nullopt;
}

bool maps_ports(const Firewall& wanted, Family family) {
  for (const auto& [chain, rules] : wanted.rules.chains) {
    if (chain.family != family) continue;
    if (std::any_of(rules.begin(), rules.end(), [](const Rule& rule) { return rule.target.kind == Target::Kind::dnat; })) return true;
  }
  return false;
}

/// The rule; a refusal of everything in whatever words (icmp-host-prohibited and the like) as one with topo's own.
Rule read_rule(const Entry& entry, Family family) {
  Rule refusal;
  refusal.target.kind = Target::Kind::reject;
  const auto ours = encode(refusal, family);
  constexpr std::size_t words = 8;  // struct ipt_reject_info, aligned: the entry's end
  if (ours && ours->size() == entry.size() && ours->compare(0, ours->size() - words, entry, 0, entry.size() - words) == 0) return refusal;
  return decode(entry, family);
}

std::optional<std::string> legacy_warning(const Table& table, const std::string& topology, const Firewall& wanted) {
  const Family family = table.id().family;
  std::vector<Rule> forward;
  for (const auto& entry : table.rules("FORWARD")) forward.push_back(read_rule(entry, family));
  const std::uint32_t group = link_group(topology);
  std::vector<Traffic> traffic{{group, 0, true}, {0, group, false}};
  if (maps_ports(wanted, family)) traffic.insert(traffic.end(), {{0, group, true}, {group, 0, false}});
  for (const auto& packet : traffic) {
    const auto rule = dropped_by(forward, table.policy("FORWARD"), packet);
    if (!rule) continue;
    const std::string tool = family == Family::v4 ? "iptables-legacy" : "ip6tables-legacy";
    const std::string place = *rule == 0 ? " -A FORWARD" : " -I FORWARD " + std::to_string(*rule);
    const std::string why = *rule == 0 ? "the policy of FORWARD is DROP" : "rule " + std::to_string(*rule) + " of FORWARD drops all that comes to it";
    const auto command = [&](const char* side) { return tool + place + " -m devgroup --" + side + "-group " + group_text(topology) + " -j ACCEPT"; };
    return "the host drops what this topology sends to the outside and gets from there (" + table.id().title() + ": " + why +
           "); to let it pass: " + command("src") + "; " + command("dst");
  }
  return std::nullopt;
}

// --- nftables ---

struct NftChain {
  std::uint8_t family = 0;
  std::string table, name;
};

kernel::Message nft_question(int type, std::uint8_t family) { return {(NFNL_SUBSYS_NFTABLES << 8) | type, 0, nfgenmsg{family, NFNETLINK_V0, 0}}; }

std::uint32_t number_in(const nlattr* attribute) { return ntohl(nla_get_u32(attribute)); }

/// The base chains that see forwarded packets and drop those that no rule accepts.
Result<std::vector<NftChain>> dropping_chains(kernel::Channel& channel) {
  std::vector<NftChain> chains;
  auto read = channel.dump(
      nft_question(NFT_MSG_GETCHAIN, NFPROTO_UNSPEC), [&] { chains.clear(); },
      [&](nlmsghdr* message) {
        nlattr* chain[NFTA_CHAIN_MAX + 1] = {};
        nlattr* hook[NFTA_HOOK_MAX + 1] = {};
        if (nlmsg_parse(message, sizeof(nfgenmsg), chain, NFTA_CHAIN_MAX, nullptr) != 0) return;
        const bool base = chain[NFTA_CHAIN_HOOK] != nullptr && chain[NFTA_CHAIN_POLICY] != nullptr && chain[NFTA_CHAIN_TABLE] != nullptr &&
                          chain[NFTA_CHAIN_NAME] != nullptr && number_in(chain[NFTA_CHAIN_POLICY]) == NF_DROP;
        if (!base || nla_parse_nested(hook, NFTA_HOOK_MAX, chain[NFTA_CHAIN_HOOK], nullptr) != 0 || hook[NFTA_HOOK_HOOKNUM] == nullptr) return;
        if (number_in(hook[NFTA_HOOK_HOOKNUM]) != NF_INET_FORWARD) return;
        chains.push_back({static_cast<const nfgenmsg*>(nlmsg_data(message))->nfgen_family, nla_get_string(chain[NFTA_CHAIN_TABLE]),
                          nla_get_string(chain[NFTA_CHAIN_NAME])});
      });
  if (!read) return std::move(read).error();
  return chains;
}

/// Whether some rule of the chain's table bears the topology's mark in its comment: the remedy has been used.
Result<bool> lets_pass(kernel::Channel& channel, const NftChain& chain, const std::string& mark) {
  bool found = false;
  auto question = nft_question(NFT_MSG_GETRULE, chain.family);
  question.put_text(NFTA_RULE_TABLE, chain.table);
  auto read = channel.dump(
      question, [&] { found = false; },
      [&](nlmsghdr* message) {
        const std::string_view bytes(reinterpret_cast<const char*>(message), message->nlmsg_len);
        for (auto at = bytes.find(mark); at != std::string_view::npos; at = bytes.find(mark, at + 1)) {
          const auto end = at + mark.size();
          found = found || end >= bytes.size() || bytes[end] == '\0';
        }
      });
  if (!read) return std::move(read).error();
  return found;
}

std::string nft_warning(const NftChain& chain, const std::string& topology) {
  const std::string group = group_text(topology), mark = owner_mark(topology);
  const std::string family = chain.family == NFPROTO_IPV4 ? "ip" : chain.family == NFPROTO_IPV6 ? "ip6" : "inet";
  // A rule that iptables-nft did not write would make that program refuse the whole table.
  const bool of_iptables = family != "inet" && chain.table == "filter" && chain.name == "FORWARD";
  const auto command = [&](const char* iptables_side, const char* nft_side) {
    if (of_iptables) {
      return (family == "ip" ? std::string("iptables-nft") : std::string("ip6tables-nft")) + " -I FORWARD -m devgroup --" + iptables_side +
             "-group " + group + " -m comment --comment " + mark + " -j ACCEPT";
    }
    return "nft insert rule " + family + " " + printable(chain.table) + " " + printable(chain.name) + " " + nft_side + " " + group +
           " accept comment '\"" + mark + "\"'";
  };
  return "the host drops this topology's traffic (nft chain " + family + " " + printable(chain.table) + " " + printable(chain.name) +
         ": its policy is drop); to let it pass: " + command("src", "iifgroup") + "; " + command("dst", "oifgroup");
}

Result<void> add_nft_warnings(const Place& place, const std::string& topology, const Firewall& wanted, std::vector<std::string>& found) {
  kernel::Channel channel(place.netns_fd, place.home_fd, NETLINK_NETFILTER);
  auto chains = dropping_chains(channel);
  if (!chains) return {};  // a kernel without nf_tables has no such chains
  for (const auto& chain : *chains) {
    const bool v4 = chain.family == NFPROTO_IPV4 || chain.family == NFPROTO_INET, v6 = chain.family == NFPROTO_IPV6 || chain.family == NFPROTO_INET;
    if (!(v4 && filters(wanted, Family::v4)) && !(v6 && filters(wanted, Family::v6))) continue;
    auto passes = lets_pass(channel, chain, owner_mark(topology));
    if (!passes) return std::move(passes).error();
    if (!*passes) found.push_back(nft_warning(chain, topology));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> warnings(const Tables& tables, const std::string& topology, const Firewall& wanted) {
  std::vector<std::string> found;
  const auto existing = tables.read();
  if (!existing) return existing.error();
  for (const Table* table : *existing) {
    const TableId id = table->id();
    if (id.table != netfilter::Table::filter || !forwards(wanted, id.family)) continue;
    if (auto warning = legacy_warning(*table, topology, wanted)) found.push_back(std::move(*warning));
  }
  if (auto added = add_nft_warnings(tables.place(), topology, wanted, found); !added) return std::move(added).error();
  return found;
}

std::vector<std::string> address_warnings(const Firewall& wanted, const std::function<bool(const IpAddress&)>& is_local) {
  std::set<IpAddress> mapped, masks;
  for (const auto& [chain, rules] : wanted.rules.chains) {
    for (const Rule& rule : rules) {
      if (rule.target.kind == Target::Kind::dnat && rule.destination) mapped.insert(rule.destination->value.address());
      if (rule.target.kind == Target::Kind::snat && rule.target.address) masks.insert(*rule.target.address);
    }
  }
  std::vector<std::string> found;
  const auto say = [&](const std::set<IpAddress>& addresses, const std::string& use, const std::string& consequence) {
    for (const IpAddress& address : addresses) {
      const std::string text = address.to_string();
      if (is_local(address)) continue;
      found.push_back(use + " " + text + ", which is no address of the host: " + consequence + "; to add it: ip address add " + text + "/" +
                      std::to_string(address.bits()) + " dev lo");
    }
  };
  say(mapped, "a port map names", "nothing comes in by it");
  say(masks, "snat goes to", "answers come back only if somebody routes it to the host");
  return found;
}

}  // namespace topo::firewall
