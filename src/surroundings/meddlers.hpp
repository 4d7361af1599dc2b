// Programs that configure whatever interface appears, unless they are told to leave it alone.
#pragma once

#include <string>
#include <vector>

#include "topo/error.hpp"

namespace topo::surroundings {

/// An interface that the host will get.
struct Interface {
  std::string name;  ///< empty: not known yet
  std::string kind;  ///< IFLA_INFO_KIND: "veth", "bridge"
};

/// A warning for each of systemd-networkd, NetworkManager and udev that runs in the calling thread's network namespace and whose files say, or do not
/// rule out, that it changes some of `interfaces`. The remedy is a file for `topology` alone, or where that is empty for any. No process is looked
/// for where none of them has a folder in /run.
[[nodiscard]] std::vector<Warning> meddlers(const std::string& topology, const std::vector<Interface>& interfaces);

}  // namespace topo::surroundings
