// Which packets come to a namespace and leave it (packet(7)).
#pragma once

#include <set>
#include <tuple>
#include <vector>

#include "kernel/file_descriptor.hpp"
#include "probe/exchange.hpp"

namespace topo::probe {

/// Sees every packet of the calling thread's namespace from `begin` on, and of the gateway's where it has one of its own, as far as its buffers hold.
class Watch {
 public:
  /// `gateway`: its namespace, -1: none; `home`: the thread's.
  [[nodiscard]] static Result<Watch> begin(int gateway, int home);
  /// Takes in what was seen so far.
  void read();
  /// Whether a packet to the probe's destination came in by some interface; whether one to `at` went out by one.
  [[nodiscard]] bool came(const Probe& probe) const;
  [[nodiscard]] bool went(const Probe& probe) const;

 private:
  /// Source, destination, protocol's number, port (of icmp the type).
  using Seen = std::set<std::tuple<IpAddress, IpAddress, int, int>>;
  [[nodiscard]] Result<void> open();
  void read(int fd);
  void note(const unsigned char* packet, std::size_t length, bool is_v4, bool leaves);
  [[nodiscard]] static bool has(const Seen& seen, const Probe& probe, const IpAddress& destination, std::uint16_t port);

  std::vector<kernel::FileDescriptor> sockets_;
  Seen came_, went_;
};

}  // namespace topo::probe
