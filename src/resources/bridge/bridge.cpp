#include "resources/bridge/bridge.hpp"

namespace topo {
namespace {

const char* on_off(bool on) { return on ? "on" : "off"; }

}  // namespace

std::vector<std::string> Bridge::needs() const {
  if (ns.empty()) return {};
  return {namespace_need(ns)};
}

std::string Bridge::title() const { return ns.empty() ? name : ns + ":" + name; }

std::string Bridge::summary() const {
  std::string text;
  if (mtu != 1500) text += ", mtu " + std::to_string(mtu);
  if (stp) text += ", stp";
  return text.empty() ? text : text.substr(2);
}

Differences differences(const Bridge& before, const Bridge& after) {
  Differences found;
  compare(found, "mtu", std::to_string(before.mtu), std::to_string(after.mtu));
  compare(found, "mac", before.mac.to_string(), after.mac.to_string());
  compare(found, "stp", on_off(before.stp), on_off(after.stp));
  compare(found, "ageing_time", std::to_string(before.ageing_time_s), std::to_string(after.ageing_time_s));
  compare(found, "filtered", on_off(before.filtered), on_off(after.filtered));
  compare(found, "gateway for IPv4", on_off(before.gateway_v4), on_off(after.gateway_v4));
  compare(found, "gateway for IPv6", on_off(before.gateway_v6), on_off(after.gateway_v6));
  compare(found, "route_localnet", on_off(before.route_localnet), on_off(after.route_localnet));
  compare(found, "state", before.amiss, after.amiss);
  return found;
}

}  // namespace topo
