// Kernel modules that nobody loads by itself.
#pragma once

#include <string>

namespace topo::firewall {

/// Runs `modprobe -q NAME` with a clean environment and no open files; false where there is no modprobe or it refuses.
/// Asked only after the kernel has refused something for want of the module.
[[nodiscard]] bool load_module(const std::string& name);

}  // namespace topo::firewall
