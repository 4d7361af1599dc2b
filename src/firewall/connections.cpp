// Connection tracking entries that the rules would not let begin any more: nfnetlink_conntrack.
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

#include "firewall/backend.hpp"
#include "firewall/conntrack.hpp"
#include "firewall/modules.hpp"
#include "kernel/netns.hpp"
#include "kernel/sysctl.hpp"
#include "policy/verdict.hpp"
#include "resources/firewall/meaning.hpp"

namespace topo::firewall {
namespace {

using netfilter::Rule;
using netfilter::Target;

using conntrack::Connection;
using conntrack::Tuple;

constexpr std::uint8_t udp = 17;

// --- what the rules make of a connection ---

/// The packet that began the connection, as the filter sees it: its destination is whoever answers.
policy::Packet first_packet(const Connection& connection, const Crossing& crossing) {
  const Tuple& original = connection.original;
  const auto& [from, to] = crossing;
  policy::Packet packet;
  packet.source = original.source;
  packet.destination = connection.reply.source;
  packet.in = from.interface;
  packet.in_group = from.group;
  packet.out = to.interface;
  packet.out_group = to.group;
  packet.dnat = connection.has(IPS_DST_NAT);
  packet.source_local = from.interface.empty();
  packet.destination_local = to.interface.empty();
  packet.physical_in = from.port;
  packet.bridged = !from.interface.empty() && from.interface == to.interface && !from.port.empty() && !to.port.empty() && !packet.dnat;
  if (packet.bridged) packet.physical_out = to.port;
  packet.protocol = original.protocol;
  packet.source_port = original.source_port;
  packet.destination_port = connection.reply.source_port;
  packet.icmp_type = original.icmp_type;
  return packet;
}

/// Whether a rule of the nat table takes a packet with these addresses and ports, whichever way it came, when it leaves by `out`.
bool takes(const Rule& rule, const Tuple& packet, const Way& out) {
  const auto in_network = [](const auto& network, const IpAddress& address) {
    return !network || network->value.contains(address) != network->negated;
  };
  const auto in_ports = [](const auto& ports, std::uint16_t port) { return !ports || (ports->first <= port && port <= ports->last); };
  if (!rule.opaque.empty() || (rule.protocol && *rule.protocol != packet.protocol)) return false;
  if (!in_network(rule.source, packet.source) || !in_network(rule.destination, packet.destination)) return false;
  if (rule.out && (rule.out->value == out.interface) == rule.out->negated) return false;
  if (rule.out_group && (((out.group ^ rule.out_group->value.value) & rule.out_group->value.mask) == 0) == rule.out_group->negated) return false;
  if (rule.destination_type == netfilter::AddressType::local && !out.interface.empty()) return false;
  return in_ports(rule.source_ports, packet.source_port) && in_ports(rule.destination_ports, packet.destination_port);
}

/// The firewall that shall be, and what it gives another address.
struct Wanted {
  const Firewall& firewall;
  std::vector<AddressTranslation> translations;

  template <class Predicate>
  [[nodiscard]] bool any(Family family, Predicate&& predicate) const {
    return std::any_of(translations.begin(), translations.end(), [&](const auto& each) { return each.family == family && predicate(each.rule); });
  }
};

/// Whether a port map of `wanted` takes the connection there where it goes.
bool maps_there(const Wanted& wanted, const Connection& connection, const Ways& ways) {
  const Tuple& original = connection.original;
  const Way out = ways.to(original.destination);
  return wanted.any(original.source.family(), [&](const Rule& rule) {
    const Target& target = rule.target;
    if (target.kind != Target::Kind::dnat || target.address != connection.reply.source || !takes(rule, original, out)) return false;
    if (!target.ports) return connection.reply.source_port == original.destination_port;
    if (!target.base) return target.ports->first <= connection.reply.source_port && connection.reply.source_port <= target.ports->last;
    return connection.reply.source_port - target.ports->first == original.destination_port - *target.base;
  });
}

/// Whether a port map of `wanted` takes packets that the connection, older than the map, brings to the host itself.
bool would_map(const Wanted& wanted, const Connection& connection, const Ways& ways) {
  const Way out = ways.to(connection.original.destination);
  return wanted.any(connection.original.source.family(), [&](const Rule& rule) {
    return rule.target.kind == Target::Kind::dnat && rule.protocol && rule.destination_ports && takes(rule, connection.original, out);
  });
}

/// Whether some rule gives the connection the source that it has outside.
bool masks_so(const Wanted& wanted, const Connection& connection, const Ways& ways) {
  Tuple packet = connection.original;
  packet.destination = connection.reply.source;
  packet.destination_port = connection.reply.source_port;
  const IpAddress& source = connection.reply.destination;
  const bool is_local = ways.to(source).interface.empty();
  const auto crossings = ways.between(packet.source, packet.destination, 0);
  return wanted.any(packet.source.family(), [&](const Rule& rule) {
    const bool gives =
        rule.target.kind == Target::Kind::snat ? rule.target.address == source : rule.target.kind == Target::Kind::masquerade && is_local;
    return gives && std::any_of(crossings.begin(), crossings.end(), [&](const Crossing& crossing) { return takes(rule, packet, crossing.out); });
  });
}

class Judge {
 public:
  Judge(const Firewall* firewall, const Ways& before, const Ways& after) : before_(before), after_(after) {
    if (firewall != nullptr) wanted_.emplace(Wanted{*firewall, address_translations(*firewall)});
  }

  [[nodiscard]] bool must_go(const Connection& connection) const {
    const Tuple &original = connection.original, &reply = connection.reply;
    // Nobody answers from a group's address (RFC 1122, 3.2.1.3), so there is nothing that such an entry would let pass. Every bridge makes some.
    if (original.destination.is_multicast()) return false;
    // Another zone's connections have nothing to do with the same addresses here.
    if (connection.zone != 0) {
      if (!after_.is_own_zone(connection.zone)) return before_.is_own_zone(connection.zone);
      return is_refused(connection);
    }
    const bool touches = concerns(original.source) || concerns(original.destination) || concerns(reply.source) || concerns(reply.destination);
    if (!touches && !is_transit(before_, connection) && !is_transit(after_, connection)) {
      // Packets without a connection of a UDP client that began before the port map would go past it for as long as they keep coming.
      return wanted_ && original.protocol == udp && !connection.has(IPS_DST_NAT) && would_map(*wanted_, connection, after_);
    }
    if (!wanted_ || has_left(original.source) || has_left(reply.source)) return true;
    if (connection.has(IPS_DST_NAT) && concerns(reply.source) && !maps_there(*wanted_, connection, after_)) return true;
    const bool masked = connection.has(IPS_SRC_NAT) && original.source != reply.destination;
    if (masked && concerns(original.source) && !masks_so(*wanted_, connection, after_)) return true;
    return is_refused(connection);
  }

 private:
  [[nodiscard]] bool concerns(const IpAddress& address) const { return before_.is_own(address) || after_.is_own(address); }
  [[nodiscard]] bool has_left(const IpAddress& address) const { return before_.is_own(address) && !after_.is_own(address); }
  /// From behind one router to behind another.
  [[nodiscard]] static bool is_transit(const Ways& ways, const Connection& connection) {
    return ways.is_behind_router(connection.original.source) && ways.is_behind_router(connection.reply.source);
  }
  /// An entry does not tell which way its packets took: it must be refused on each that they may have taken.
  [[nodiscard]] bool is_refused(const Connection& connection) const {
    const auto crossings = after_.between(connection.original.source, connection.reply.source, connection.zone);
    return std::none_of(crossings.begin(), crossings.end(),
                        [&](const Crossing& crossing) { return policy::passes(wanted_->firewall, first_packet(connection, crossing)); });
  }

  std::optional<Wanted> wanted_;
  const Ways& before_;
  const Ways& after_;
};

/// False where nothing in the namespace is tracked: no module, no entries.
Result<bool> is_tracking(const Place& place) {
  auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
  if (!inside) return std::move(inside).error();
  auto count = kernel::read_sysctl("net/netfilter/nf_conntrack_count");
  if (!count) return std::move(count).error();
  return count->has_value() && **count != "0";
}

Result<std::vector<Connection>> read_tracked(kernel::Channel& channel, const std::function<bool(const Connection&)>& wanted) {
  auto read = conntrack::read(channel, wanted);
  if (!read && load_module("nf_conntrack_netlink")) read = conntrack::read(channel, wanted);
  if (read) return read;
  read.error().exit = Exit::unsupported;
  read.error().what = "cannot read the connections that the kernel tracks";
  read.error().remedy = "modprobe nf_conntrack_netlink";
  return read;
}

}  // namespace

Result<void> check_connections(const Place& place) {
  kernel::Channel channel(place.netns_fd, place.home_fd, NETLINK_NETFILTER);
  const auto read = read_tracked(channel, [](const Connection&) { return false; });
  return read ? Result<void>() : read.error();
}

Result<void> forget_connections(const Place& place, const Firewall* wanted, const Ways& before, const Ways& after) {
  auto tracking = is_tracking(place);
  if (!tracking) return std::move(tracking).error();
  if (!*tracking) return {};
  const Judge judge(wanted, before, after);
  const auto must_go = [&](const Connection& connection) { return judge.must_go(connection); };
  auto few = conntrack::list_few(place);
  if (!few) return std::move(few).error();
  if (*few && std::none_of((*few)->begin(), (*few)->end(), must_go)) return {};

  kernel::Channel channel(place.netns_fd, place.home_fd, NETLINK_NETFILTER);
  const auto doomed = read_tracked(channel, must_go);
  if (!doomed) return doomed.error();
  kernel::Batch batch;
  for (const auto& connection : *doomed)
    batch.add(conntrack::deletion_of(connection), "cannot forget a connection of " + connection.original.source.to_string(), {ENOENT});
  return channel.perform(batch);
}

}  // namespace topo::firewall
