#include "firewall/bridge_filter.hpp"

#include <algorithm>

#include "firewall/modules.hpp"
#include "kernel/netns.hpp"
#include "kernel/sysctl.hpp"

namespace topo::firewall {
namespace {

constexpr const char* settings[] = {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables",
                                    "net/bridge/bridge-nf-call-arptables"};

Result<bool> is_missing(const Place& place) {
  auto inside = kernel::Inside::enter(place.netns_fd, place.home_fd);
  if (!inside) return std::move(inside).error();
  auto value = kernel::read_sysctl(settings[0]);
  if (!value) return std::move(value).error();
  return !*value;
}

/// The module's defaults are 1 in every namespace; topo's own bridges ask for the filter one by one.
Result<void> quieten(int netns_fd, int home_fd) {
  auto inside = kernel::Inside::enter(netns_fd, home_fd);
  if (!inside) return std::move(inside).error();
  for (const char* name : settings) {
    auto value = kernel::read_sysctl(name);
    if (!value) return std::move(value).error();
    if (!*value) continue;
    if (auto written = kernel::write_sysctl(name, "0"); !written) return written;
  }
  return {};
}

}  // namespace

Result<void> provide_bridge_filter(const Place& place, bool may_load) {
  auto missing = is_missing(place);
  if (!missing) return std::move(missing).error();
  if (!*missing) return {};
  if (may_load && load_module("br_netfilter")) return quieten(place.netns_fd, place.home_fd);
  std::string quiet;
  for (const char* name : settings) quiet += " " + std::string(name) + "=0";
  std::replace(quiet.begin(), quiet.end(), '/', '.');
  return Error{Exit::unsupported,
               "cannot filter inside a bridge",
               {},
               "the kernel has not loaded br_netfilter",
               "sudo modprobe br_netfilter && sudo sysctl -qw" + quiet,
               {}};
}

Result<BridgeFilter> BridgeFilter::prepare(const Place& place, bool wanted) {
  BridgeFilter filter;
  if (!wanted) return filter;
  auto missing = is_missing(place);
  if (!missing) return std::move(missing).error();
  filter.was_missing_ = *missing;
  if (!*missing || !load_module("br_netfilter")) return filter;
  if (auto settled = filter.settle(place); !settled) return std::move(settled).error();
  return filter;
}

Result<void> BridgeFilter::settle(const Place& place) {
  if (!was_missing_) return {};
  auto missing = is_missing(place);
  if (!missing) return std::move(missing).error();
  if (*missing) return {};
  was_missing_ = false;
  if (auto here = quieten(place.netns_fd, place.home_fd); !here) return here;
  if (place.netns_fd == place.home_fd) return {};
  return quieten(place.home_fd, place.home_fd);
}

}  // namespace topo::firewall
