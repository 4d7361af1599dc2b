#include "policy/verdict.hpp"

#include <algorithm>

#include "policy/nftables/verdict.hpp"

namespace topo::policy {
namespace {

using netfilter::ChainId;
using netfilter::Rule;
using netfilter::Ruleset;
using netfilter::Target;

template <class T, class Test>
bool holds(const std::optional<netfilter::Maybe<T>>& match, Test test) {
  return !match || test(match->value) != match->negated;
}

bool in_range(const std::optional<netfilter::Ports>& ports, std::uint16_t port) { return !ports || (port >= ports->first && port <= ports->last); }

bool is_type(const std::optional<netfilter::AddressType>& type, const IpAddress& address, bool local) {
  if (!type) return true;
  if (*type == netfilter::AddressType::local) return local;
  return *type == netfilter::AddressType::multicast && address.is_multicast();
}

bool matches(const Rule& rule, const Packet& packet) {
  if (!rule.opaque.empty()) return false;
  const auto within = [](const std::uint32_t group) {
    return [group](const netfilter::DeviceGroup& wanted) { return ((group ^ wanted.value) & wanted.mask) == 0; };
  };
  const auto same = [](const std::string& name) { return [&name](const std::string& wanted) { return name == wanted; }; };
  if (!holds(rule.in, same(packet.in)) || !holds(rule.out, same(packet.out))) return false;
  if (!holds(rule.source, [&](const Cidr& cidr) { return cidr.contains(packet.source); })) return false;
  if (!holds(rule.destination, [&](const Cidr& cidr) { return cidr.contains(packet.destination); })) return false;
  if (rule.protocol && *rule.protocol != packet.protocol) return false;
  if (!in_range(rule.source_ports, packet.source_port) || !in_range(rule.destination_ports, packet.destination_port)) return false;
  if (rule.icmp_type && *rule.icmp_type != packet.icmp_type) return false;
  if (!holds(rule.in_group, within(packet.in_group)) || !holds(rule.out_group, within(packet.out_group))) return false;
  const unsigned state = packet.dnat ? unsigned{netfilter::ct_new} | unsigned{netfilter::ct_dnat} : unsigned{netfilter::ct_new};
  if (rule.reply || (rule.states != 0 && ((rule.states & state) != 0) == rule.states_negated)) return false;
  if (!is_type(rule.source_type, packet.source, packet.source_local)) return false;
  if (!is_type(rule.destination_type, packet.destination, packet.destination_local)) return false;
  if (rule.physical_in && *rule.physical_in != packet.physical_in) return false;
  if (rule.physical_out && *rule.physical_out != packet.physical_out) return false;
  return !rule.bridged || packet.bridged;
}

enum class Outcome : std::uint8_t { pass, block, back };

/// A packet's way through the chains of one table. `path`, where there is one, ends up as what Ruling::path says.
class Walk {
 public:
  Walk(const Ruleset& rules, const ChainId& place, const Packet& packet, std::vector<Step>* path)
      : rules_(rules), place_(place), packet_(packet), path_(path) {}

  /// A chain that is gone to and falls out of its end goes back to where its caller was jumped to from: to the end of the caller.
  Outcome through(const ChainId& id, const std::vector<Rule>& chain, int depth) {
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const Rule& rule = chain[i];
      if (!matches(rule, packet_)) continue;
      if (path_ != nullptr && depth == 0) path_->clear();
      const std::size_t met = path_ != nullptr ? path_->size() : 0;
      if (path_ != nullptr) path_->push_back({place_of(id), i, &rule});
      switch (rule.target.kind) {
        case Target::Kind::accept:
          return Outcome::pass;
        case Target::Kind::drop:
        case Target::Kind::reject:
          return Outcome::block;
        case Target::Kind::return_:
          return Outcome::back;
        case Target::Kind::go_to:
          return enter(rule.target.chain, depth);
        case Target::Kind::jump:
          if (const Outcome outcome = enter(rule.target.chain, depth); outcome != Outcome::back) return outcome;
          break;
        case Target::Kind::dnat:
        case Target::Kind::snat:
        case Target::Kind::masquerade:
        case Target::Kind::zone:
          break;
      }
      // Of what led nowhere only the last rule of the built-in chain is told: it may be what left the packet to others.
      if (path_ != nullptr && depth > 0) path_->resize(met);
    }
    return Outcome::back;
  }

 private:
  /// A loop, which no kernel would take, or a chain that is not there, ends the walk.
  Outcome enter(const std::string& name, int depth) {
    const auto chain = rules_.chains.find({place_.family, place_.table, name});
    if (chain == rules_.chains.end() || depth > 64) return Outcome::back;
    return through(chain->first, chain->second, depth + 1);
  }

  const Ruleset& rules_;
  const ChainId& place_;
  const Packet& packet_;
  std::vector<Step>* path_;
};

Outcome walk(const Ruleset& rules, const Packet& packet, std::vector<Step>* path) {
  const char* hook = packet.in.empty() ? "OUTPUT" : packet.out.empty() ? "INPUT" : "FORWARD";
  const ChainId builtin{packet.source.family(), netfilter::Table::filter, hook};
  const auto jumps = rules.jumps.find(builtin);
  return jumps == rules.jumps.end() ? Outcome::back : Walk(rules, builtin, packet, path).through(builtin, jumps->second, 0);
}

}  // namespace

ChainPlace place_of(const ChainId& chain) {
  return {(chain.family == Family::v4 ? "ip " : "ip6 ") + std::string(netfilter::to_string(chain.table)), chain.name};
}

std::string Step::comment() const {
  if (const auto* const own = std::get_if<const Rule*>(&rule)) return (*own)->comment;
  return element != nullptr && !element->comment.empty() ? element->comment : std::get<const nftables::Rule*>(rule)->comment;
}

std::string Step::text() const {
  if (const auto* const own = std::get_if<const Rule*>(&rule))
    return netfilter::to_string(**own, chain.table.starts_with("ip6 ") ? Family::v6 : Family::v4);
  const std::string words = comment();
  return nftables::to_string(*std::get<const nftables::Rule*>(rule)) + (words.empty() ? "" : " comment \"" + words + '"');
}

const Step* Ruling::decisive() const {
  if (path.empty()) return nullptr;
  if (std::holds_alternative<const nftables::Rule*>(path.back().rule)) return nft::decisive(*this);
  // The chain of refusals serves all of them.
  const bool refused =
      path.size() > 1 && std::get<const Rule*>(path.back().rule)->target.kind == Target::Kind::reject && path.back().chain.name.ends_with("-reject");
  return refused ? &path[path.size() - 2] : &path.back();
}

Ruling rule_on(const Firewall& firewall, const Packet& packet) {
  if (firewall.tables.empty()) return rule_on(firewall.rules, packet);
  Ruling ruling = rule_on(firewall.rules, packet);
  return ruling.passes() ? rule_on(firewall.tables, packet) : ruling;
}

Ruling rule_on(const Ruleset& rules, const Packet& packet) {
  Ruling ruling;
  const Outcome outcome = walk(rules, packet, &ruling.path);
  if (outcome == Outcome::pass) ruling.outcome = Ruling::Outcome::accepted;
  if (outcome == Outcome::block) ruling.outcome = Ruling::Outcome::blocked;
  return ruling;
}

bool passes(const Ruleset& rules, const Packet& packet) { return walk(rules, packet, nullptr) != Outcome::block; }

}  // namespace topo::policy
