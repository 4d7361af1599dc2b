// Networks by prefix: which one contains an address, which one overlaps another.
#pragma once

#include <array>
#include <map>
#include <set>
#include <utility>

#include "topo/ip.hpp"

namespace topo::network {

/// Networks with a value each. A look-up costs one search for each prefix length that occurs, however many networks there are.
template <class T>
class PrefixTable {
 public:
  using Entry = std::pair<const Cidr, T>;

  /// Adds `network` unless it is there already; the entry that is then there.
  const Entry& add(const Cidr& network, T value) {
    lengths_[index(network.family())].insert(network.prefix());
    return *networks_.emplace(network.network(), std::move(value)).first;
  }

  /// The longest prefix that contains `address`.
  [[nodiscard]] const Entry* longest(const IpAddress& address) const { return within(Cidr(address, address.bits())); }

  /// The entry of `network` itself.
  [[nodiscard]] const Entry* exactly(const Cidr& network) const {
    const auto found = networks_.find(network);
    return found == networks_.end() ? nullptr : &*found;
  }

  /// A network that shares an address with `network`.
  [[nodiscard]] const Entry* overlapping(const Cidr& network) const {
    if (const Entry* wider = within(network)) return wider;
    const auto narrower = networks_.lower_bound(Cidr(network.network().address(), 0));
    return narrower != networks_.end() && network.contains(narrower->first) ? &*narrower : nullptr;
  }

 private:
  static std::size_t index(Family family) { return family == Family::v4 ? 0 : 1; }

  const Entry* within(const Cidr& network) const {
    const auto& lengths = lengths_[index(network.family())];
    for (auto length = lengths.rbegin(); length != lengths.rend(); ++length) {
      if (*length > network.prefix()) continue;
      const auto found = networks_.find(Cidr(network.address(), *length).network());
      if (found != networks_.end()) return &*found;
    }
    return nullptr;
  }

  std::map<Cidr, T> networks_;
  std::array<std::set<std::uint8_t>, 2> lengths_;
};

}  // namespace topo::network
