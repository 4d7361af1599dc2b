#include "policy/iptables/chains.hpp"

#include <algorithm>

#include "topo/names.hpp"

namespace topo::policy {
namespace {

constexpr std::uint8_t tcp = 6, udp = 17, icmp = 1, icmp6 = 58;
/// A list this long is walked faster than a tree is climbed.
constexpr std::size_t list_max = 24;
/// Bits that one level of a tree decides.
constexpr unsigned stride = 4;

bool bit(const Leaf::Key& key, unsigned index) { return (key[index / 8] >> (7 - index % 8) & 1U) != 0; }

unsigned common_prefix(const Leaf::Key& a, const Leaf::Key& b, unsigned width) {
  unsigned length = 0;
  while (length < width && bit(a, length) == bit(b, length)) ++length;
  return length;
}

std::string hexadecimal(std::uint64_t number, int digits) {
  std::string text;
  for (int i = digits - 1; i >= 0; --i) text += "0123456789abcdef"[number >> (4 * i) & 15U];
  return text;
}

}  // namespace

std::vector<Rule> services(const std::vector<PortRange>& ports, Family family) {
  std::vector<Rule> rules;
  for (const PortRange& range : ports) {
    Rule rule;
    if (range.protocol == Protocol::any) return {Rule{}};
    if (range.protocol == Protocol::icmp) rule.protocol = family == Family::v4 ? icmp : icmp6;
    if (range.protocol == Protocol::tcp) rule.protocol = tcp;
    if (range.protocol == Protocol::udp) rule.protocol = udp;
    const bool all = range.first == 0 && range.last == 65535;
    if (range.protocol != Protocol::icmp && !all) rule.destination_ports = netfilter::Ports{range.first, range.last};
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) rules.emplace_back();
  return rules;
}

std::string comment(std::string text) {
  constexpr std::size_t most = 250;
  if (text.size() > most) text = text.substr(0, most - 3) + "...";
  return text;
}

Leaf leaf(const IpAddress& address, Rule rule) { return {address.bytes(), address.bytes(), std::move(rule)}; }

Leaf leaf(std::uint16_t first, std::uint16_t last, Rule rule) {
  Leaf made{{}, {}, std::move(rule)};
  made.first[0] = static_cast<std::uint8_t>(first >> 8U);
  made.first[1] = static_cast<std::uint8_t>(first & 0xffU);
  made.last[0] = static_cast<std::uint8_t>(last >> 8U);
  made.last[1] = static_cast<std::uint8_t>(last & 0xffU);
  return made;
}

std::string Chains::name(char letter, std::string_view what) {
  std::string key = std::string(1, letter) + std::string(what);
  if (const auto known = names_.find(key); known != names_.end()) return known->second;
  std::string salted = key, made;
  do {
    made = prefix_ + "-" + std::string(1, letter) + hexadecimal(stable_hash(salted) >> 32U, 8);
    salted += '+';
  } while (!taken_.insert(made).second);
  names_.emplace(std::move(key), made);
  return made;
}

void Chains::hook(const std::string& builtin, const std::string& chain, const std::string& mark) {
  Rule rule;
  rule.comment = mark;
  rule.target = jump(chain);
  rules_.jumps[{family_, table_, builtin}].push_back(std::move(rule));
}

void Chains::prune() {
  std::set<std::string> reached;
  std::vector<const std::vector<Rule>*> open;
  for (const auto& [id, rules] : rules_.jumps) {
    if (id.family == family_ && id.table == table_) open.push_back(&rules);
  }
  while (!open.empty()) {
    const std::vector<Rule>& rules = *open.back();
    open.pop_back();
    for (const Rule& rule : rules) {
      if (rule.target.chain.empty() || !reached.insert(rule.target.chain).second) continue;
      const auto next = rules_.chains.find({family_, table_, rule.target.chain});
      if (next != rules_.chains.end()) open.push_back(&next->second);
    }
  }
  std::erase_if(rules_.chains, [&](const auto& entry) {
    const ChainId& id = entry.first;
    return id.family == family_ && id.table == table_ && !reached.contains(id.name);
  });
}

unsigned Chains::width(Branch by) const {
  if (by == Branch::tcp_port || by == Branch::udp_port) return 16;
  return family_ == Family::v4 ? 32 : 128;
}

Rule Chains::branch(Branch by, const Leaf::Key& first, unsigned length) const {
  Rule rule;
  if (by == Branch::tcp_port || by == Branch::udp_port) {
    rule.protocol = by == Branch::tcp_port ? tcp : udp;
    const auto low = static_cast<std::uint16_t>((unsigned{first[0]} << 8U | first[1]) & (0xffff0000U >> length));
    rule.destination_ports = netfilter::Ports{low, static_cast<std::uint16_t>(low | 0xffffU >> length)};
  } else {
    const Cidr block = Cidr(IpAddress::from_bytes(family_, first.data()), static_cast<std::uint8_t>(length)).network();
    (by == Branch::source ? rule.source : rule.destination) = is(block);
  }
  return rule;
}

void Chains::plant(const std::string& chain, std::vector<Leaf> leaves, Branch by, const std::optional<Target>& otherwise) {
  std::stable_sort(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) { return a.first < b.first; });
  grow(chain, std::move(leaves), by, otherwise);
}

void Chains::grow(const std::string& chain, std::vector<Leaf> leaves, Branch by, const std::optional<Target>& otherwise) {
  std::vector<Rule>& rules = (*this)[chain];
  const unsigned bits = width(by);
  const unsigned common = leaves.empty() ? bits : common_prefix(leaves.front().first, leaves.back().first, bits);
  // Blocks of fixed places, so that one more leaf changes one chain.
  const unsigned length = std::min(bits, (common / stride + 1) * stride);
  if (leaves.size() <= list_max || common >= bits) {
    for (Leaf& each : leaves) rules.push_back(std::move(each.rule));
  } else {
    std::vector<std::vector<Leaf>> groups;
    for (Leaf& each : leaves) {
      if (common_prefix(each.first, each.last, bits) < length) {
        rules.push_back(std::move(each.rule));
      } else if (!groups.empty() && common_prefix(groups.back().front().first, each.first, bits) >= length) {
        groups.back().push_back(std::move(each));
      } else {
        groups.emplace_back().push_back(std::move(each));
      }
    }
    for (auto& group : groups) {
      if (group.size() == 1) {
        rules.push_back(std::move(group.front().rule));
        continue;
      }
      Rule rule = branch(by, group.front().first, length);
      const std::string below = name('t', chain + netfilter::to_string(rule, family_));
      rules.push_back(with(std::move(rule), go_to(below)));
      grow(below, std::move(group), by, otherwise);
    }
  }
  if (otherwise) rules.push_back({});
  if (otherwise) rules.back().target = *otherwise;
}

}  // namespace topo::policy
