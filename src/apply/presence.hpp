// Which topologies are in this kernel, by their marks alone.
#pragma once

#include <string>
#include <vector>

#include "topo/error.hpp"

namespace topo {

/// The names of all topologies that own a link here, a named namespace, or a chain of the firewall; sorted. Changes nothing.
[[nodiscard]] Result<std::vector<std::string>> topologies_present();

}  // namespace topo
