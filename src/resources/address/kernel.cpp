#include "resources/address/kernel.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "resources/link/kernel.hpp"
#include "resources/neighbour/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

using kernel::Work;

Result<kernel::Message> message_for(int type, int flags, const Address& address, Work& work) {
  auto index = work.index({address.ns, address.interface});
  if (!index) return std::move(index).error();
  const Cidr& cidr = address.address;
  ifaddrmsg fixed{};
  fixed.ifa_family = cidr.family() == Family::v4 ? AF_INET : AF_INET6;
  fixed.ifa_prefixlen = cidr.prefix();
  fixed.ifa_scope = cidr.family() == Family::v4 && cidr.address().is_loopback() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  fixed.ifa_index = static_cast<std::uint32_t>(*index);
  kernel::Message message(type, flags, fixed, 256);
  message.put_address(IFA_LOCAL, cidr.address());
  message.put_address(IFA_ADDRESS, cidr.address());
  return message;
}

/// The kernel gives it to `lo` without saying that it was the kernel (devinet.c).
constexpr std::uint8_t loopback_v4[4] = {127, 0, 0, 1};

std::string what(const std::string& verb, const Address& address) {
  return "cannot " + verb + " address " + address.address.to_string() + " on " + (address.ns.empty() ? "" : address.ns + ":") + address.interface;
}

}  // namespace

Result<void> KernelHalf<Address>::create(const Address& wanted, Execution& execution) {
  auto message = message_for(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, wanted, execution.work);
  if (!message) return std::move(message).error();
  message->put_u32(IFA_FLAGS, IFA_F_NODAD);  // else it cannot be used for more than a second
  message->put_u8(IFA_PROTO, owner_protocol);
  execution.work.batch(Work::Step::configure, wanted.ns).add(std::move(*message), what("add", wanted));
  return {};
}

Result<void> KernelHalf<Address>::update(const Address&, const Address& after, Execution& execution) { return create(after, execution); }

Result<void> KernelHalf<Address>::remove(const Address& live, Execution& execution) {
  auto message = message_for(RTM_DELADDR, 0, live, execution.work);
  if (!message) return std::move(message).error();
  // The kernel takes a secondary address away with its primary.
  execution.work.batch(Work::Step::configure, live.ns).add(std::move(*message), what("remove", live), {EADDRNOTAVAIL});
  forget_neighbours(execution);
  return {};
}

Result<void> KernelHalf<Address>::observe(const Reading& reading, Graph& live) {
  for (const auto& [ns, place] : reading.places) {
    // The kernel tells the first ones before the others. What stands before one of ours may be none of ours.
    std::set<std::pair<int, Cidr>> subnets;
    for (const auto& record : place->snapshot.addresses) {
      if (!record.permanent) continue;
      // In our own namespaces, what an administrator added is drift; what the kernel or a daemon added is not.
      if (record.protocol != owner_protocol && (ns.empty() || record.protocol != IFAPROT_UNSPEC)) continue;
      const kernel::LinkRecord* const link = place->snapshot.link(record.link);
      if (link == nullptr) continue;
      const bool own_loopback = link->index == 1 && !ns.empty();
      // The kernel's own on `lo`, which in IPv4 it does not mark as such.
      if (own_loopback && record.protocol != owner_protocol && record.address.address().is_loopback()) continue;
      if (own_loopback && record.protocol == IFAPROT_UNSPEC && record.address == Cidr(IpAddress::from_bytes(Family::v4, loopback_v4), 8)) continue;
      if (!own_loopback && !link::is_owned(*link, ns, reading.topology)) continue;
      const bool first = subnets.emplace(record.link, record.address.network()).second;
      live.put(Address{ns, link->name, record.address, record.secondary && !first});
    }
  }
  return {};
}

/// Of other networks, only in the gateway: a namespace of our own has no others than those of the file.
Result<void> KernelHalf<Address>::find_hindrances(const Reading& reading, const Graph& live, Hindrances& found) {
  const kernel::Place& host = *reading.places.at("");
  const auto is_strangers = [&](const kernel::AddressRecord& record, const Address& wanted) {
    const kernel::LinkRecord* const link = host.snapshot.link(record.link);
    return record.address.prefix() != 0 && record.address.network().overlaps(wanted.address.network()) && link != nullptr &&
           !link::is_owned(*link, "", reading.topology);
  };
  for (const Address* wanted : reading.desired.all<Address>()) {
    const bool link_local = wanted->address.family() == Family::v6 && wanted->address.address().is_link_local();
    if (!wanted->ns.empty() || link_local || live.find(id_of(*wanted)) != nullptr) continue;
    const auto& addresses = host.snapshot.addresses;
    const auto other = std::find_if(addresses.begin(), addresses.end(), [&](const auto& record) { return is_strangers(record, *wanted); });
    if (other == addresses.end()) continue;
    const kernel::LinkRecord& link = *host.snapshot.link(other->link);
    found.obstacles.push_back({"subnet " + wanted->address.network().to_string() + " of " + wanted->interface,
                               "overlaps " + other->address.to_string() + " on " + link.name + ", which " + link::whose(link), false});
  }
  return {};
}

}  // namespace topo
