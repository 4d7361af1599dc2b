#include "kernel/outside.hpp"

#include <chrono>

#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "kernel/private_host.hpp"
#include "kernel/uplink.hpp"
#include "kernel/work.hpp"
#include "topo/ip.hpp"

namespace topo::kernel {
namespace {

constexpr std::chrono::milliseconds patience{2000};

/// Queues the addresses of one end that are of a family which the kernel has.
Result<void> address_end(Work& work, const InterfaceName& end, const char* const (&addresses)[2], bool leads_out) {
  const auto index = work.index(end);
  if (!index) return index.error();
  auto& batch = work.batch(Work::Step::configure, end.ns);
  batch.add(uplink::up(*index), "cannot bring up the uplink");
  for (std::size_t i = 0; i < std::size(addresses); ++i) {
    const Cidr cidr = Cidr::parse(addresses[i]).value();
    if (cidr.family() == Family::v6 && !work.has_ipv6()) continue;
    batch.add(uplink::address(cidr, *index), "cannot give the uplink its address");
    if (leads_out) batch.add(uplink::route(std::nullopt, Cidr::parse(Outside::addresses[i])->address(), *index), "cannot add the route to the outside");
  }
  return {};
}

}  // namespace

Result<void> make_outside() {
  auto home = own_namespace();
  if (!home) return std::move(home).error();
  Places places;
  const auto& host = places.emplace("", std::make_unique<Place>("", std::move(*home))).first->second;
  if (auto read = read_settings(host->channel, host->snapshot); !read) return read;
  Work work(places, 0, {});
  const auto made = work.make_place(Outside::ns);
  if (!made) return made.error();
  Place& outside = **made;
  {
    const auto inside = Inside::enter(outside.netns.get(), outside.home_fd);
    if (!inside) return inside.error();
    if (auto settled = settle_network(); !settled) return settled;
  }
  work.batch(Work::Step::make, "").add(uplink::cable(Outside::uplink, outside.netns.get()), "cannot make the uplink");
  work.will_make({"", Outside::uplink});
  if (auto queued = address_end(work, {"", Outside::uplink}, Outside::host_addresses, true); !queued) return queued;
  if (auto flushed = work.flush(); !flushed) return flushed;
  // The end that comes up last finds its peer up, and so is ready at once.
  if (auto queued = address_end(work, {Outside::ns, uplink::inner}, Outside::addresses, false); !queued) return queued;
  work.await({"", Outside::uplink});
  if (auto finished = work.finish(patience); !finished) return finished;
  return work.pin_places({});
}

}  // namespace topo::kernel
