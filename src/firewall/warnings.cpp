// Whether the host's own rules let pass what a topology lets pass.
#include <algorithm>
#include <cstring>
#include <set>

#include "firewall/backend.hpp"
#include "firewall/forwarding.hpp"
#include "firewall/iptables/entry_layout.hpp"
#include "firewall/iptables/ownership.hpp"
#include "firewall/nft_chains.hpp"
#include "firewall/nftables/live.hpp"
#include "policy/intent.hpp"
#include "resources/firewall/meaning.hpp"
#include "topo/names.hpp"

namespace topo::firewall {
namespace {

using netfilter::Rule;
using netfilter::Target;

std::string hexadecimal(std::uint32_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += digits[(number >> static_cast<unsigned>(shift)) & 0xfU];
  return text;
}

/// Whose traffic it is that shall pass: one topology's, or with no name any's.
struct Passenger {
  explicit Passenger(const std::string& topology)
      : sends(topology.empty() ? "topologies send" : "this topology sends"),
        traffic(topology.empty() ? "topologies' traffic" : "this topology's traffic"),
        outside("what " + sends + " to the outside and gets from there"),
        group(topology.empty() ? link_group_any : link_group(topology)),
        iptables_group(hexadecimal(group) + (topology.empty() ? "/" + hexadecimal(link_group_mask) : "")),
        mark(owner_mark(topology)) {}
  std::string sends, traffic, outside;
  std::uint32_t group;
  std::string iptables_group, mark;

  /// `side` is iifgroup or oifgroup; quoted for a shell where it has to be.
  [[nodiscard]] std::string nft_match(const std::string& side) const {
    if (group != link_group_any) return side + " " + hexadecimal(group);
    return "'" + side + " & " + hexadecimal(link_group_mask) + " == " + hexadecimal(group) + "'";
  }
};

/// What the names of chains say of programs that set up a firewall, ", with chains of Docker and ufw"; empty where they say nothing.
std::string with_whom(const std::vector<std::string>& chains) {
  constexpr std::pair<std::string_view, const char*> known[] = {
      {"DOCKER", "Docker"},         {"ufw", "ufw"},          {"FORWARD_direct", "firewalld"}, {"FWD_", "firewalld"},
      {"filter_FWD_", "firewalld"}, {"LIBVIRT_", "libvirt"}, {"KUBE-", "Kubernetes"},         {"CNI-", "CNI"},
      {"NETAVARK", "Podman"}};
  std::set<std::string> found;
  for (const auto& chain : chains) {
    for (const auto& [beginning, whose] : known) {
      if (chain.starts_with(beginning)) found.insert(whose);
    }
  }
  std::string text;
  for (const auto& name : found) text += (text.empty() ? ", with chains of " : " and ") + name;
  return text;
}

bool forwards(const Firewall& firewall, Family family) { return family == Family::v4 ? firewall.forwards_v4 : firewall.forwards_v6; }

/// Whether what passes between members meets the rules of this namespace; with a gateway of its own it does in that alone.
bool sees_inside(const Firewall& wanted) {
  if (wanted.meant == nullptr) return true;
  const auto& segments = wanted.meant->segments;
  return !std::all_of(segments.begin(), segments.end(), [](const policy::Segment& segment) { return segment.uplink; });
}

/// What is to pass, and where.
struct Passage {
  const Firewall& wanted;
  Bridged bridged;
};

/// Whether what the host drops of all that is forwarded may be something that passes between members.
bool meets_forward_inside(const Passage& passage, Family family) {
  return passage.bridged.has(family) || (sees_inside(passage.wanted) && concerns(passage.wanted, family));
}

/// The same of anything of the topology's.
bool meets_forward(const Passage& passage, Family family) { return meets_forward_inside(passage, family) || forwards(passage.wanted, family); }

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

bool maps_ports(const Firewall& wanted, Family family) {
  const auto translations = address_translations(wanted);
  return std::any_of(translations.begin(), translations.end(),
                     [&](const auto& each) { return each.family == family && each.rule.target.kind == Target::Kind::dnat; });
}

/// By its jumps in front of the legacy tables' rules a topology decides what passes inside it. By nftables a packet is accepted for topo's own table
/// alone, and without a firewall nobody asks topo: then these tables have their say about all of it.
bool by_iptables(const Firewall& wanted) { return !wanted.rules.empty(); }

/// A name by which several interfaces are meant, for `decode`, which knows whole ones: nothing where no byte counts ("+", by which firewalld says
/// any), else as if all did ("virbr+").
void spell_out(char (&name)[IFNAMSIZ], unsigned char (&mask)[IFNAMSIZ]) {
  const std::size_t size = strnlen(name, IFNAMSIZ - 1);
  const auto count = static_cast<std::size_t>(std::count(std::begin(mask), std::end(mask), 0xff));
  if (count == 0) std::memset(name, 0, IFNAMSIZ);
  if (count > 0 && count + 1 == size && name[count] == '+') std::memset(mask, 0xff, size + 1);
}

template <class Version>
Entry with_names_spelt_out(Entry entry) {
  typename Version::Header header;
  std::memcpy(&header, entry.data(), sizeof header);
  auto& ip = Version::ip(header);
  spell_out(ip.iniface, ip.iniface_mask);
  spell_out(ip.outiface, ip.outiface_mask);
  std::memcpy(entry.data(), &header, sizeof header);
  return entry;
}

/// The rule; a refusal of everything in whatever words (icmp-host-prohibited and the like) as one with topo's own.
Rule read_rule(const Entry& found, Family family) {
  const Entry entry = family == Family::v4 ? with_names_spelt_out<layout::V4>(found) : with_names_spelt_out<layout::V6>(found);
  Rule refusal;
  refusal.target.kind = Target::Kind::reject;
  const auto ours = encode(refusal, family);
  constexpr std::size_t words = 8;  // struct ipt_reject_info, aligned: the entry's end
  if (ours && ours->size() == entry.size() && ours->compare(0, ours->size() - words, entry, 0, entry.size() - words) == 0) return refusal;
  return decode(entry, family);
}

enum class Fate { open, accepted, dropped };

/// What becomes of such traffic in a chain, as far as that is sure, and by which of its rules (from 1 on). Chains that everything goes to count;
/// those of topologies do not.
std::pair<Fate, std::size_t> fate_in(const Table& table, const std::string& chain, const Traffic& traffic) {
  std::size_t number = 0;
  for (const auto& entry : table.rules(chain)) {
    ++number;
    const Rule rule = read_rule(entry, table.id().family);
    if (!surely_matches(rule, traffic)) continue;
    const auto kind = rule.target.kind;
    if (kind == Target::Kind::accept) return {Fate::accepted, number};
    if (kind == Target::Kind::drop || kind == Target::Kind::reject) return {Fate::dropped, number};
    if (kind == Target::Kind::return_) break;
    if ((kind != Target::Kind::jump && kind != Target::Kind::go_to) || rule.target.chain.starts_with(shared_chain)) continue;
    if (const auto [fate, by] = fate_in(table, rule.target.chain, traffic); fate != Fate::open) return {fate, number};
    if (kind == Target::Kind::go_to) break;
  }
  return {Fate::open, 0};
}

/// How the host drops such traffic in a built-in chain: the number of the rule that does, 0 for the policy; nullopt: it does not.
std::optional<std::size_t> dropped_by(const Table& table, const std::string& chain, const Traffic& traffic) {
  const auto [fate, number] = fate_in(table, chain, traffic);
  if (fate == Fate::accepted || (fate == Fate::open && table.policy(chain) != "DROP")) return std::nullopt;
  return number;
}

/// What a warning says of a built-in chain where the rule of that number drops, or with 0 the policy: "the policy of FORWARD is DROP".
std::string how_it_drops(const std::string& chain, std::size_t rule) {
  if (rule == 0) return "the policy of " + chain + " is DROP";
  return "rule " + std::to_string(rule) + " of " + chain + " drops all that comes to it";
}

/// The remedy: that `chain` accepts what comes from (side: src) or goes to (dst) the links.
std::string accepting(Family family, const std::string& chain, std::size_t rule, const char* side, const Passenger& passenger) {
  return (family == Family::v4 ? "iptables-legacy" : "ip6tables-legacy") +
         (rule == 0 ? " -A " + chain : " -I " + chain + " " + std::to_string(rule)) + " -m devgroup --" + side + "-group " +
         passenger.iptables_group + " -j ACCEPT";
}

std::optional<Warning> legacy_input_warning(const Table& table, const Passenger& passenger) {
  const auto rule = dropped_by(table, "INPUT", {passenger.group, 0, true});
  if (!rule) return std::nullopt;
  return Warning{"the host drops what " + passenger.sends + " to the host itself (" + table.id().title() + ": " + how_it_drops("INPUT", *rule) +
                     with_whom(table.chains()) + ")",
                 "to let it in", accepting(table.id().family, "INPUT", *rule, "src", passenger), true};
}

/// What of the topology's meets the legacy FORWARD and is not decided by then.
std::vector<Traffic> traffic_of(const Passage& passage, Family family, std::uint32_t group) {
  std::vector<Traffic> traffic;
  if (!by_iptables(passage.wanted) && meets_forward_inside(passage, family)) traffic = {{group, group, true}, {group, group, false}};
  if (!forwards(passage.wanted, family)) return traffic;
  traffic.insert(traffic.end(), {{group, 0, true}, {0, group, false}});
  if (maps_ports(passage.wanted, family)) traffic.insert(traffic.end(), {{0, group, true}, {group, 0, false}});
  return traffic;
}

std::optional<Warning> legacy_warning(const Table& table, const Passenger& passenger, const Passage& passage) {
  const Family family = table.id().family;
  for (const auto& packet : traffic_of(passage, family, passenger.group)) {
    const auto rule = dropped_by(table, "FORWARD", packet);
    if (!rule) continue;
    const bool inside = packet.in_group == packet.out_group;
    const std::string what = inside ? passenger.traffic : passenger.outside;
    return Warning{"the host drops " + what + " (" + table.id().title() + ": " + how_it_drops("FORWARD", *rule) + with_whom(table.chains()) + ")",
                   "to let it pass",
                   accepting(family, "FORWARD", *rule, "src", passenger) + "; " + accepting(family, "FORWARD", *rule, "dst", passenger)};
  }
  return std::nullopt;
}

/// The links of a topology as a rule may name them.
struct Links {
  std::uint32_t group = 0;
  std::set<std::string> names;

  /// Whether one may be meant by `name`, which with a "+" at its end is whatever begins so.
  [[nodiscard]] bool may_be(const std::string& name) const {
    if (!name.ends_with('+')) return names.contains(name);
    const auto first = names.lower_bound(name.substr(0, name.size() - 1));
    return first != names.end() && first->starts_with(name.substr(0, name.size() - 1));
  }
};

Links links_of(const std::string& topology, const Firewall& wanted) {
  Links links{link_group(topology), {}};
  if (wanted.meant == nullptr) return links;
  for (const auto& segment : wanted.meant->segments) links.names.insert(segment.interface);
  return links;
}

/// Whether a packet that begins a connection may fit that is from or to one of `links`, and neither only from this machine nor only between others.
bool may_concern(const Rule& rule, const Links& links) {
  const auto elsewhere = [&](const std::optional<netfilter::Maybe<std::string>>& name,
                             const std::optional<netfilter::Maybe<netfilter::DeviceGroup>>& side) {
    return (name && !name->negated && !links.may_be(name->value)) || !group_matches(side, links.group);
  };
  if (rule.in && !rule.in->negated && rule.in->value == "lo") return false;
  constexpr auto beginning = netfilter::ct_new | netfilter::ct_dnat | netfilter::ct_snat;
  if (rule.states != 0 && !rule.states_negated && (rule.states & beginning) == 0) return false;
  return !elsewhere(rule.in, rule.in_group) || !elsewhere(rule.out, rule.out_group);
}

std::vector<Rule> rules_in(const Table& table, const std::string& chain) {
  std::vector<Rule> rules;
  for (const auto& entry : table.rules(chain)) rules.push_back(read_rule(entry, table.id().family));
  return rules;
}

/// Whether the rule, or one in a chain that it leads to, may accept such a packet before a topology is asked.
bool may_accept(const Table& table, const Rule& rule, const Links& links) {
  if (!rule.opaque.empty()) {
    const auto found = extensions(rule.opaque, table.id().family);
    return std::none_of(found.begin(), found.end(), [](const Extension& extension) { return extension.target; });
  }
  const auto kind = rule.target.kind;
  if (!may_concern(rule, links)) return false;
  if (kind != Target::Kind::jump && kind != Target::Kind::go_to) return kind == Target::Kind::accept;
  if (rule.target.chain.starts_with(shared_chain)) return false;
  const auto next = rules_in(table, rule.target.chain);
  return std::any_of(next.begin(), next.end(), [&](const Rule& inner) { return may_accept(table, inner, links); });
}

/// Of rules that came in front of a live topology's jump: Docker and libvirt put theirs there whenever they start.
std::optional<Warning> order_warning(const Table& table, const std::string& topology, const Firewall& wanted) {
  const auto owned = owned_by(topology, table);
  const auto jumps = owned.jumps.find("FORWARD");
  if (jumps == owned.jumps.end() || jumps->second.empty()) return std::nullopt;
  const auto& jump = jumps->second.front();
  const Links links = links_of(topology, wanted);
  const auto forward = rules_in(table, "FORWARD");
  for (std::size_t i = 0; i < jump.index && i < forward.size(); ++i) {
    if (!may_accept(table, forward[i], links)) continue;
    const Family family = table.id().family;
    const std::string tool = family == Family::v4 ? "iptables-legacy" : "ip6tables-legacy", words = " FORWARD " + to_string(jump.rule, family);
    return Warning{"the host accepts what this topology may forbid (" + table.id().title() + ": rule " + std::to_string(i + 1) +
                       " of FORWARD is in front of the topology's" + with_whom(table.chains()) + ")",
                   "to have the topology decide first", tool + " -D" + words + "; " + tool + " -I" + words};
  }
  return std::nullopt;
}

// --- nftables ---

Warning nft_warning(const NftChain& chain, const Passenger& passenger, bool inside) {
  // A rule that iptables-nft did not write would make that program refuse the whole table.
  const bool of_iptables = chain.family != "inet" && chain.table == "filter" && chain.name == (chain.is_input ? "INPUT" : "FORWARD");
  const auto command = [&](const char* iptables_side, const char* nft_side) {
    if (of_iptables) {
      return (chain.family == "ip" ? std::string("iptables-nft") : std::string("ip6tables-nft")) + " -I " + chain.name + " -m devgroup --" +
             iptables_side + "-group " + passenger.iptables_group + " -m comment --comment " + passenger.mark + " -j ACCEPT";
    }
    return "nft insert rule " + printable(chain.title()) + " " + passenger.nft_match(nft_side) + " accept comment '\"" + passenger.mark + "\"'";
  };
  const std::string where = " (nft chain " + printable(chain.title()) + ": " + chain.why + with_whom(chain.beside) + ")";
  const std::string sent = command("src", "iifgroup");
  if (chain.is_input) return {"the host drops what " + passenger.sends + " to the host itself" + where, "to let it in", sent, true};
  return {"the host drops " + (inside ? passenger.traffic : passenger.outside) + where, "to let it pass", sent + "; " + command("dst", "oifgroup")};
}

Result<void> add_nft_warnings(const Tables& tables, const Passenger& passenger, const Passage& passage, std::vector<Warning>& found) {
  const auto chains = dropping_nft_chains(tables.place(), {passenger.mark, Passenger({}).mark});
  if (!chains) return chains.error();
  if (chains->empty()) return {};
  const auto names = tables.nft().names();
  if (!names) return names.error();
  // A topology's tables judge what is its own alone.
  const auto is_topologys = [&](const NftChain& chain) {
    return std::any_of((*names)->begin(), (*names)->end(), [&](const auto& table) { return table.name == chain.table && owner_of(table.comment); });
  };
  for (const auto& chain : *chains) {
    if (is_topologys(chain)) continue;
    const auto meets = [&](Family family) {
      if (chain.family == (family == Family::v4 ? "ip6" : "ip")) return false;
      return chain.is_input ? reaches_host(passage.wanted, family) : meets_forward(passage, family);
    };
    if (!meets(Family::v4) && !meets(Family::v6)) continue;
    if (!chain.bears_mark) found.push_back(nft_warning(chain, passenger, sees_inside(passage.wanted)));
  }
  return {};
}

}  // namespace

Result<std::vector<Warning>> warnings(const Tables& tables, const std::string& topology, const Firewall& wanted, Bridged bridged) {
  const Passenger passenger(topology);
  const Passage passage{wanted, bridged};
  std::vector<Warning> found;
  const auto existing = tables.read();
  if (!existing) return existing.error();
  for (const Table* table : *existing) {
    const TableId id = table->id();
    if (id.table != netfilter::Table::filter) continue;
    if (auto warning = legacy_warning(*table, passenger, passage)) found.push_back(std::move(*warning));
    if (auto warning = order_warning(*table, topology, wanted)) found.push_back(std::move(*warning));
    if (reaches_host(wanted, id.family)) {
      if (auto warning = legacy_input_warning(*table, passenger)) found.push_back(std::move(*warning));
    }
  }
  if (auto added = add_nft_warnings(tables, passenger, passage, found); !added) return std::move(added).error();
  return found;
}

std::vector<Warning> address_warnings(const Firewall& wanted, const std::function<bool(const IpAddress&)>& is_local) {
  std::set<IpAddress> mapped, masks;
  for (const auto& [family, rule] : address_translations(wanted)) {
    if (rule.target.kind == Target::Kind::dnat && rule.destination) mapped.insert(rule.destination->value.address());
    if (rule.target.kind == Target::Kind::snat && rule.target.address) masks.insert(*rule.target.address);
  }
  std::vector<Warning> found;
  const auto say = [&](const std::set<IpAddress>& addresses, const std::string& use, const std::string& consequence) {
    for (const IpAddress& address : addresses) {
      const std::string text = address.to_string();
      if (is_local(address)) continue;
      found.push_back({use + " " + text + ", which is no address of the host: " + consequence, "to add it",
                       "ip address add " + text + "/" + std::to_string(address.bits()) + " dev lo"});
    }
  };
  say(mapped, "a port map names", "nothing comes in by it");
  say(masks, "snat goes to", "answers come back only if somebody routes it to the host");
  return found;
}

}  // namespace topo::firewall
