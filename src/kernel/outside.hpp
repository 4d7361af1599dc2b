// A stand-in for the outside world of a private host.
#pragma once

#include "topo/error.hpp"

namespace topo::kernel {

/// A namespace beyond the private host's uplink. No file can give its name, or the uplink's, to anything else (topo/names.hpp), and its addresses are
/// of the subnets that are for documentation (RFC 5737, RFC 3849).
struct Outside {
  static constexpr const char* ns = "internet";
  static constexpr const char* uplink = "internet";  ///< the private host's interface; the one inside is eth0
  static constexpr const char* addresses[] = {"198.51.100.1/24", "2001:db8:51::1/64"};
  static constexpr const char* host_addresses[] = {"198.51.100.2/24", "2001:db8:51::2/64"};
};

/// Makes it, and the private host's default routes to it. From there nothing leads back but to the uplink's own subnets.
[[nodiscard]] Result<void> make_outside();

}  // namespace topo::kernel
