// Changes that stop after the first of the several requests that they are to a kernel.
#include <algorithm>

#include "simulation/machine.hpp"

namespace topo::test {
namespace {

constexpr const char* unconfigured = "down, alias lost";

/// The tables are written one after the other: the first as in `begun`, the others as in `rest`.
Firewall half_written(const Firewall& begun, const Firewall& rest) {
  Firewall half = rest;
  const auto is_first = [](const auto& entry) { return entry.first.table == netfilter::Table::filter && entry.first.family == Family::v4; };
  for (const auto& [from, to] : {std::pair(&begun.rules.chains, &half.rules.chains), std::pair(&begun.rules.jumps, &half.rules.jumps)}) {
    std::erase_if(*to, is_first);
    std::copy_if(from->begin(), from->end(), std::inserter(*to, to->end()), is_first);
  }
  return half;
}

/// What there is of a new one; nullopt: nothing.
std::optional<Resource> half_made(const Resource& wanted) {
  Resource made = wanted;
  if (auto* bridge = std::get_if<Bridge>(&made)) {
    bridge->amiss = unconfigured;
  } else if (auto* cable = std::get_if<Veth>(&made)) {
    for (VethEnd& end : cable->ends) end.amiss = unconfigured;
    cable->ends[1].bridge.clear();  // its other end is made by the first request, and made a port by the second
  } else if (const auto* firewall = std::get_if<Firewall>(&wanted)) {
    made = half_written(*firewall, Firewall{firewall->ns, {}, false, false});
    if (std::get<Firewall>(made).rules.empty()) return {};
  } else if (!std::holds_alternative<Sysctl>(wanted)) {
    return {};
  }
  return made;
}

std::optional<Resource> half_changed(const Resource& before, const Resource& after) {
  Resource changed = before;
  if (auto* bridge = std::get_if<Bridge>(&changed)) {
    bridge->mtu = std::get<Bridge>(after).mtu;
  } else if (auto* cable = std::get_if<Veth>(&changed)) {
    cable->ends[0] = std::get<Veth>(after).ends[0];
  } else if (const auto* firewall = std::get_if<Firewall>(&after)) {
    changed = half_written(*firewall, std::get<Firewall>(before));
  } else if (auto* ns = std::get_if<Namespace>(&changed)) {
    const bool forwards = std::get<Namespace>(after).forwards;
    if (forwards != ns->forwards) *ns = {ns->name, forwards, forwards ? "does not forward IPv6" : "forwards IPv6"};
  } else if (std::holds_alternative<Route>(before)) {
    return {};  // the old one is removed first
  }
  return changed;
}

std::optional<Resource> half_removed(const Resource& before) {
  Resource left = before;
  if (auto* bridge = std::get_if<Bridge>(&left)) {
    bridge->amiss = "group lost";
  } else if (auto* cable = std::get_if<Veth>(&left)) {
    for (VethEnd& end : cable->ends) end.amiss = "group lost";
  } else if (const auto* firewall = std::get_if<Firewall>(&before)) {
    left = half_written(Firewall{firewall->ns, {}, false, false}, *firewall);
    if (std::get<Firewall>(left).rules.empty()) return {};
  }
  return left;
}

}  // namespace

void Machine::begin(const Change& change, const std::string& owner) {
  const Resource& resource = change.after ? *change.after : *change.before;
  const Id id = id_of(resource);
  if (!change.after) {
    if (!things_.contains(id)) return;
    const auto* ns = std::get_if<Namespace>(&resource);
    const auto* sysctl = std::get_if<Sysctl>(&resource);
    if (ns != nullptr) leftovers_.insert_or_assign(ns->name, owner);
    if (sysctl != nullptr && !lacks(resource)) {
      // Its value is that of a fresh namespace, and it is remembered as before.
      set(sysctl->ns, sysctl->name, setting_of_fresh(sysctl->ns, sysctl->name));
    } else if (auto left = half_removed(resource); left && ns == nullptr) {
      put(std::move(*left), owner);
    } else {
      extract(id);
    }
    return;
  }
  const bool modify = change.action == Change::Action::modify;
  const auto there = things_.find(id);
  if (modify && there != things_.end()) {
    if (lacks(resource) || check(resource)) return;
    if (auto changed = half_changed(there->second.resource, resource)) {
      put(std::move(*changed), owner);
    } else {
      extract(id);
    }
  } else if (!modify && !lacks(resource) && !exists(resource) && !check(resource)) {
    const auto* sysctl = std::get_if<Sysctl>(&resource);
    if (sysctl != nullptr) {
      put(Sysctl{sysctl->ns, sysctl->name, setting(sysctl->ns, sysctl->name)}, owner);
    } else if (auto made = half_made(resource)) {
      put(std::move(*made), owner);
    }
  }
}

}  // namespace topo::test
