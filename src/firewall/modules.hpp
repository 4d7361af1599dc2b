// Kernel modules that nobody loads by itself.
#pragma once

#include <string>
#include <vector>

namespace topo::firewall {

/// Runs `modprobe -q NAME` with a clean environment and no open files; false where there is no modprobe or it refuses.
/// Asked only after the kernel has refused something for want of the module.
[[nodiscard]] bool load_module(const std::string& name);

/// From here on load_module loads nothing, and notes what it was asked for.
void load_no_modules();
/// What it was asked for since then, or since the last call of this.
[[nodiscard]] std::vector<std::string> take_modules_asked_for();
/// Whether modprobe has a module of that name.
[[nodiscard]] bool has_module(const std::string& name);

/// Whether the kernel loads modules and one is missing that it does not load by itself when it is needed, so that load_module may have to.
[[nodiscard]] bool may_lack_modules();

}  // namespace topo::firewall
