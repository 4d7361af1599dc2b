// Who else holds a port that a topology wants to map.
#include <algorithm>
#include <set>

#include "firewall/backend.hpp"
#include "firewall/iptables/ownership.hpp"
#include "firewall/listeners.hpp"
#include "firewall/nftables/live.hpp"
#include "resources/firewall/meaning.hpp"
#include "topo/names.hpp"

namespace topo::firewall {
namespace {

using netfilter::Ports;
using netfilter::Rule;
using netfilter::Target;

/// The outside ports that one DNAT rule takes.
struct Claim {
  Family family = Family::v4;
  std::uint8_t protocol = 6;
  std::optional<Cidr> address;  ///< nullopt: every address of the host
  Ports ports;
  bool operator==(const Claim&) const = default;
};

std::optional<Claim> claim_of(const Rule& rule, Family family) {
  if (rule.target.kind != Target::Kind::dnat || !rule.protocol || !rule.destination_ports) return std::nullopt;
  Claim claim{family, *rule.protocol, {}, *rule.destination_ports};
  if (rule.destination && !rule.destination->negated) claim.address = rule.destination->value;
  return claim;
}

std::vector<Claim> claims_of(const Firewall* firewall) {
  std::vector<Claim> claims;
  if (firewall == nullptr) return claims;
  for (const auto& [family, rule] : address_translations(*firewall)) {
    if (auto claim = claim_of(rule, family)) claims.push_back(*claim);
  }
  return claims;
}

std::optional<Ports> common_ports(const Claim& a, const Claim& b) {
  if (a.family != b.family || a.protocol != b.protocol) return std::nullopt;
  if (a.address && b.address && !a.address->overlaps(*b.address)) return std::nullopt;
  const Ports common{std::max(a.ports.first, b.ports.first), std::min(a.ports.last, b.ports.last)};
  if (common.first > common.last) return std::nullopt;
  return common;
}

std::string port_text(const Ports& ports, std::uint8_t protocol) {
  const std::string range = ports.first == ports.last ? "" : "-" + std::to_string(ports.last);
  return std::to_string(ports.first) + range + (protocol == 6 ? "/tcp" : "/udp");
}

/// A socket as the claim that it amounts to in `family`.
std::optional<Claim> claim_of(const Listener& listener, Family family) {
  if (listener.address.family() != family && !listener.both_families) return std::nullopt;
  Claim claim{family, listener.protocol, {}, {listener.port, listener.port}};
  if (!listener.address.is_unspecified()) claim.address = Cidr(listener.address, listener.address.bits());
  return claim;
}

class Conflicts {
 public:
  explicit Conflicts(std::vector<Claim> wanted) : wanted_(std::move(wanted)) {}

  void meet(const Claim& held, const std::string& holder, bool listener) {
    for (const auto& claim : wanted_) {
      const auto common = common_ports(claim, held);
      if (!common) continue;
      const std::string port = port_text(*common, claim.protocol);
      if (seen_.emplace(port, holder).second) found_.push_back({port, holder, listener});
    }
  }
  [[nodiscard]] bool wants(Family family) const {
    return std::any_of(wanted_.begin(), wanted_.end(), [&](const Claim& claim) { return claim.family == family; });
  }
  [[nodiscard]] std::vector<PortConflict> found() const { return found_; }

 private:
  std::vector<Claim> wanted_;
  std::set<std::pair<std::string, std::string>> seen_;
  std::vector<PortConflict> found_;
};

void meet_topologies(const Table& table, const std::string& topology, Conflicts& conflicts) {
  const auto names = topologies_in(table);
  const std::size_t prefix_size = chain_prefix(topology).size();
  for (const auto& chain : table.chains()) {
    if (!chain.starts_with("TOPO-") || owns_chain(topology, chain)) continue;
    const auto name = names.find(chain.substr(0, prefix_size));
    const std::string holder = name == names.end() ? "another topology (chain " + chain + ")" : "topology " + name->second;
    for (const auto& entry : table.rules(chain)) {
      if (const auto claim = claim_of(decode(entry, table.id().family), table.id().family)) conflicts.meet(*claim, holder, false);
    }
  }
}

Result<void> meet_topologies(nftables::Live& live, const std::string& topology, Conflicts& conflicts) {
  const auto names = live.topologies();
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (name == topology) continue;
    Firewall other;
    auto tables = live.read(table_name(name), owner_mark(name));
    if (!tables) return std::move(tables).error();
    other.tables = std::move(*tables);
    for (const Claim& claim : claims_of(&other)) conflicts.meet(claim, "topology " + name, false);
  }
  return {};
}

}  // namespace

Result<std::vector<PortConflict>> port_conflicts(const Tables& tables, const std::string& topology, const Firewall& wanted, const Firewall* live) {
  auto claims = claims_of(&wanted);
  const auto held = claims_of(live);
  std::erase_if(claims, [&](const Claim& claim) { return std::find(held.begin(), held.end(), claim) != held.end(); });
  if (claims.empty()) return std::vector<PortConflict>();
  Conflicts conflicts(std::move(claims));
  const auto existing = tables.read();
  if (!existing) return existing.error();
  for (const Table* table : *existing) {
    const TableId id = table->id();
    if (id.table != netfilter::Table::nat || !conflicts.wants(id.family)) continue;
    meet_topologies(*table, topology, conflicts);
  }
  if (auto met = meet_topologies(tables.nft(), topology, conflicts); !met) return std::move(met).error();
  auto sockets = listeners(tables.place());
  if (!sockets) return std::move(sockets).error();
  for (const auto& socket : *sockets) {
    for (const Family family : {Family::v4, Family::v6}) {
      if (const auto claim = claim_of(socket, family)) conflicts.meet(*claim, "the host itself listens on it (" + socket.to_string() + ")", true);
    }
  }
  return conflicts.found();
}

}  // namespace topo::firewall
