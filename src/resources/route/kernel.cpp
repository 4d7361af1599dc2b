#include "resources/route/kernel.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>

#include "resources/link/kernel.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

using kernel::Work;

std::uint8_t number_of(Route::Type type) {
  switch (type) {
    case Route::Type::unicast:
      return RTN_UNICAST;
    case Route::Type::unreachable:
      return RTN_UNREACHABLE;
    case Route::Type::blackhole:
      return RTN_BLACKHOLE;
    case Route::Type::prohibit:
      return RTN_PROHIBIT;
    case Route::Type::throw_:
      return RTN_THROW;
  }
  return RTN_UNICAST;
}

std::optional<Route::Type> type_of(std::uint8_t number) {
  for (const auto type : {Route::Type::unicast, Route::Type::unreachable, Route::Type::blackhole, Route::Type::prohibit,
                          Route::Type::throw_}) {
    if (number_of(type) == number) return type;
  }
  return std::nullopt;
}

/// Identity alone: destination, table, metric. Sizes are for as many next hops as the route has.
kernel::Message message_for(int type, int flags, const Route& route, rtmsg fixed) {
  fixed.rtm_family = route.destination.family() == Family::v4 ? AF_INET : AF_INET6;
  fixed.rtm_dst_len = route.destination.prefix();
  fixed.rtm_table = route.table < 256 ? static_cast<unsigned char>(route.table) : static_cast<unsigned char>(RT_TABLE_COMPAT);
  kernel::Message message(type, flags, fixed, 512 + 64 * route.next_hops.size());
  if (route.destination.prefix() != 0) message.put_address(RTA_DST, route.destination.address());
  message.put_u32(RTA_TABLE, route.table);
  if (route.metric != 0) message.put_u32(RTA_PRIORITY, route.metric);
  return message;
}

Result<void> put_next_hops(kernel::Message& message, const Route& route, Work& work) {
  std::vector<int> indexes;
  for (const NextHop& hop : route.next_hops) {
    auto index = work.index({route.ns, hop.interface});
    if (!index) return std::move(index).error();
    indexes.push_back(*index);
  }
  if (route.next_hops.size() == 1) {
    if (route.next_hops[0].via) message.put_address(RTA_GATEWAY, *route.next_hops[0].via);
    message.put_u32(RTA_OIF, static_cast<std::uint32_t>(indexes[0]));
    return {};
  }
  message.nest(RTA_MULTIPATH, [&] {
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      const NextHop& hop = route.next_hops[i];
      rtnexthop fixed{};
      fixed.rtnh_hops = static_cast<unsigned char>(hop.weight - 1);
      fixed.rtnh_ifindex = indexes[i];
      message.record(fixed, offsetof(rtnexthop, rtnh_len), [&] {
        if (hop.via) message.put_address(RTA_GATEWAY, *hop.via);
      });
    }
  });
  return {};
}

/// As the kernel reports it: what is not a way has none, in IPv6 though it names `lo`.
std::optional<Route> told(const kernel::RouteRecord& record, const kernel::Place& place) {
  const auto type = type_of(record.type);
  if (!type) return std::nullopt;
  Route route;
  route.ns = place.name;
  route.destination = record.destination;
  route.table = record.table;
  route.metric = record.metric;
  route.type = *type;
  route.source = record.source;
  if (*type != Route::Type::unicast) return route;
  for (const auto& hop : record.next_hops) {
    const kernel::LinkRecord* const link = place.snapshot.link(hop.link);
    route.next_hops.push_back({hop.via, link == nullptr ? std::string() : link->name, hop.weight});
  }
  std::sort(route.next_hops.begin(), route.next_hops.end());
  return route;
}

bool concerns_us(const kernel::RouteRecord& record, const kernel::Place& place, const std::string& topology) {
  if (place.name.empty() && (record.protocol != owner_protocol || record.next_hops.empty())) return false;
  return std::all_of(record.next_hops.begin(), record.next_hops.end(), [&](const kernel::NextHopRecord& hop) {
    const kernel::LinkRecord* const link = place.snapshot.link(hop.link);
    if (link == nullptr) return false;
    return (link->index == 1 && !place.name.empty()) || link::is_owned(*link, place.name, topology);
  });
}

std::string what(const std::string& verb, const Route& route) { return "cannot " + verb + " route " + route.title(); }

/// Removes every route with this identity, each by its own protocol, so that one of the kernel's or a daemon's is never hit.
Result<void> remove_all(const Route& route, Execution& execution) {
  auto place = execution.work.place(route.ns);
  if (!place) return std::move(place).error();
  auto& batch = execution.work.batch(Work::Step::configure, route.ns);
  for (const auto& record : (*place)->snapshot.routes) {
    const auto found = told(record, **place);
    if (!found || found->destination != route.destination || found->table != route.table || found->metric != route.metric) continue;
    rtmsg fixed{};
    fixed.rtm_scope = RT_SCOPE_NOWHERE;  // any
    fixed.rtm_protocol = record.protocol;
    fixed.rtm_type = record.type;
    batch.add(message_for(RTM_DELROUTE, 0, route, fixed), what("remove", route), {ESRCH});
  }
  return {};
}

}  // namespace

Result<void> KernelHalf<Route>::create(const Route& wanted, Execution& execution) {
  rtmsg fixed{};
  fixed.rtm_protocol = owner_protocol;
  fixed.rtm_type = number_of(wanted.type);
  const bool on_link = wanted.next_hops.size() == 1 && !wanted.next_hops[0].via;
  fixed.rtm_scope = on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  kernel::Message message = message_for(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, wanted, fixed);
  if (wanted.source) message.put_address(RTA_PREFSRC, *wanted.source);
  if (wanted.type == Route::Type::unicast) {
    if (auto put = put_next_hops(message, wanted, execution.work); !put) return put;
  }
  execution.work.batch(Work::Step::configure, wanted.ns).add(std::move(message), what("add", wanted));
  return {};
}

Result<void> KernelHalf<Route>::update(const Route& before, const Route& after, Execution& execution) {
  // NLM_F_REPLACE replaces some other route where the type changes or the kernel holds several of one identity.
  if (auto removed = remove_all(before, execution); !removed) return removed;
  return create(after, execution);
}

Result<void> KernelHalf<Route>::remove(const Route& live, Execution& execution) { return remove_all(live, execution); }

Result<void> KernelHalf<Route>::observe(const Reading& reading, Graph& live) {
  for (const auto& [ns, place] : reading.places) {
    for (const auto& record : place->snapshot.routes) {
      if (!concerns_us(record, *place, reading.topology)) continue;
      auto route = told(record, *place);
      if (!route) continue;
      // Several of one identity are told as one with all their ways, which is never what is desired.
      const Node* const twin = live.find("route " + route->key());
      if (twin != nullptr) {
        const auto& ways = std::get<Route>(twin->resource).next_hops;
        route->next_hops.insert(route->next_hops.end(), ways.begin(), ways.end());
        std::sort(route->next_hops.begin(), route->next_hops.end());
      }
      live.put(std::move(*route));
    }
  }
  return {};
}

}  // namespace topo
