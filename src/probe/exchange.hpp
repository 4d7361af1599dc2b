// Real packets between network namespaces: listeners and clients of many at once, all in one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "topo/error.hpp"
#include "topo/ip.hpp"
#include "topo/topology.hpp"

namespace topo::probe {

/// One packet, or connection, from a namespace to an address, and who shall answer it.
struct Probe {
  int from_fd = -1, to_fd = -1;  ///< namespaces; `to_fd` is where a listener is brought for it (icmp: the kernel answers)
  IpAddress source;              ///< unspecified: the kernel chooses
  IpAddress destination;         ///< that is sent to
  Protocol protocol = Protocol::tcp;
  std::uint16_t port = 0;
  IpAddress at;  ///< where the listener listens, as a port map leads there
  std::uint16_t listen_port = 0;
};

struct Answer {
  enum class Kind : std::uint8_t {
    silent,
    answered,  ///< by whom it was to be answered; by a program that was there before, it may be anybody who listens
    refused,   ///< an error came back: `number`
    unsent,    ///< the kernel did not take it: `number`
    wrong      ///< somebody else answered
  } kind = Kind::silent;
  int number = 0;         ///< an errno
  bool by_other = false;  ///< a program listened there already, and was used as it is
};

/// Sends all of them at once, and waits until each is answered or nothing has come for `patience`. Programs that listen already are used as they are:
/// a connection is opened to them and closed. Must be called in the namespace of `home_fd`. `stop` is asked between packets and while it waits; true ends both.
[[nodiscard]] Result<std::vector<Answer>> exchange(const std::vector<Probe>& probes, int home_fd, std::chrono::milliseconds patience,
                                                   const std::function<bool()>& stop = {});

/// Whether the namespace has a route from `source` to `destination`, as it chooses for what it sends itself: 0, or the errno that says why not.
[[nodiscard]] int route_problem(int netns_fd, int home_fd, const IpAddress& source, const IpAddress& destination);

}  // namespace topo::probe
