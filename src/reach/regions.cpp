// The parts of the outside that a policy tells apart.
#include "reach/regions.hpp"

#include <algorithm>
#include <set>

namespace topo::reach {
namespace {

bool names(const policy::Ends& ends, const IpAddress& address) {
  return ends.any || ends.internet || std::any_of(ends.outside.begin(), ends.outside.end(), [&](const Cidr& zone) { return zone.contains(address); });
}

bool fits(const IpAddress& address, const Cidr& within, const std::vector<Cidr>& taken) {
  if (!within.contains(address) || address.is_multicast() || address.is_loopback() || address.is_unspecified() || address.is_link_local())
    return false;
  return std::none_of(taken.begin(), taken.end(), [&](const Cidr& other) { return other.contains(address); });
}

/// An address in `within` and in none of `taken`; the preferred ones first.
std::optional<IpAddress> free_address(const Cidr& within, const std::vector<Cidr>& taken, std::vector<IpAddress> candidates) {
  for (const std::uint64_t offset : {7U, 1U, 0U}) {
    if (const auto address = within.network().address().plus(offset)) candidates.push_back(*address);
  }
  for (const Cidr& other : taken) {
    if (const auto behind = other.last().plus(1); other.family() == within.family() && behind) candidates.push_back(*behind);
  }
  const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const IpAddress& address) { return fits(address, within, taken); });
  return found == candidates.end() ? std::nullopt : std::optional(*found);
}

/// Addresses kept for documentation and trials (RFC 5737, 2544, 3849, 9637): nobody's.
std::vector<IpAddress> nobodys() {
  std::vector<IpAddress> found;
  for (const char* text : {"203.0.113.7", "192.0.2.7", "198.51.100.7", "198.18.0.7", "2001:db8:ffff::7", "3fff::7"})
    found.push_back(*IpAddress::parse(text));
  return found;
}

}  // namespace

std::vector<Region> regions_of(const policy::Relations& relations, const Zones& zones) {
  std::set<Cidr> networks;
  for (const auto& zone : zones) networks.insert(zone.begin(), zone.end());
  for (const auto& decision : relations.decisions) {
    for (const policy::Ends* ends : {&decision.flow->from, &decision.flow->to}) networks.insert(ends->outside.begin(), ends->outside.end());
  }
  const auto signature = [&](const IpAddress& address) {
    std::vector<std::size_t> ids;
    for (std::size_t id = 0; id < relations.decisions.size(); ++id) {
      if (names(relations.decisions[id].flow->from, address)) ids.push_back(2 * id);
      if (names(relations.decisions[id].flow->to, address)) ids.push_back(2 * id + 1);
    }
    for (std::size_t zone = 0; zone < zones.size(); ++zone) {
      const bool holds = std::any_of(zones[zone].begin(), zones[zone].end(), [&](const Cidr& network) { return network.contains(address); });
      if (holds) ids.push_back(2 * relations.decisions.size() + zone);
    }
    return ids;
  };
  std::vector<Region> regions;
  std::vector<std::vector<std::size_t>> signatures;
  const auto add = [&](const Cidr& network, const IpAddress& example, bool listed) {
    auto known = std::find(signatures.begin(), signatures.end(), signature(example));
    if (known == signatures.end()) {
      known = signatures.insert(known, signature(example));
      regions.emplace_back();
    }
    Region& region = regions[static_cast<std::size_t>(known - signatures.begin())];
    auto& place = region.examples[example.family() == Family::v4 ? 0 : 1];
    if (!place) place = example;
    if (listed) region.networks.push_back(network);
    return static_cast<std::size_t>(known - signatures.begin());
  };
  for (const Cidr& network : networks) {
    std::vector<Cidr> inner;
    std::copy_if(networks.begin(), networks.end(), std::back_inserter(inner),
                 [&](const Cidr& other) { return other != network && network.contains(other); });
    if (const auto example = free_address(network, inner, {})) add(network, *example, true);
  }
  std::vector<Cidr> taken(networks.begin(), networks.end());
  for (const policy::Segment& segment : relations.intent.segments) {
    for (const Cidr& own : segment.gateway) taken.push_back(own.network());
  }
  std::optional<std::size_t> rest;
  for (const Family family : {Family::v4, Family::v6}) {
    const Cidr everything(IpAddress::any(family), 0);
    if (const auto example = free_address(everything, taken, nobodys())) rest = add(everything, *example, false);
  }
  // What has no name of its own comes last, under that of the internet.
  if (!rest) {
    regions.emplace_back();
  } else {
    std::rotate(regions.begin() + static_cast<std::ptrdiff_t>(*rest), regions.begin() + static_cast<std::ptrdiff_t>(*rest) + 1, regions.end());
    regions.back().networks.clear();
  }
  return regions;
}

}  // namespace topo::reach
