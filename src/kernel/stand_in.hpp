// A stand-in for the outside that is there for a test alone: no packet to it leaves the machine.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "kernel/work.hpp"
#include "topo/error.hpp"
#include "topo/ip.hpp"

namespace topo::kernel {

/// A namespace without a name beyond a cable of the host's; both end with this object, or with the process in whatever way it ends.
class StandIn {
 public:
  /// The host's end.
  static constexpr const char* interface = "topo-outside";

  /// `addresses` are the stand-in's: the host gets routes to these alone. `taken` are networks that the cable's own must not meet, besides those the
  /// host has. Exit::conflict where the interface's name is taken, or all of the networks that it could have.
  [[nodiscard]] static Result<std::unique_ptr<StandIn>> make(const std::vector<IpAddress>& addresses, const std::vector<Cidr>& taken);
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;
  ~StandIn();

  [[nodiscard]] int netns() const;
  /// The host's own address on the cable, by which it is spoken to from there; nullopt: no such family here.
  [[nodiscard]] std::optional<IpAddress> host_address(Family family) const { return host_[family == Family::v4 ? 0 : 1]; }

 private:
  StandIn() = default;
  [[nodiscard]] Result<void> build(const std::vector<IpAddress>& addresses, const std::vector<Cidr>& taken);
  [[nodiscard]] Result<void> choose_networks(const std::vector<Cidr>& taken);
  [[nodiscard]] Result<void> furnish(Work& work, const std::vector<IpAddress>& addresses);

  Places places_;
  std::array<std::optional<IpAddress>, 2> host_, own_;
};

}  // namespace topo::kernel
