// The module br_netfilter, which matching by bridge port needs, and which filters every bridge of the host once it is there.
#pragma once

#include "firewall/backend.hpp"

namespace topo::firewall {

/// Has br_netfilter loaded, and filtering no bridge of `place` but those that ask for it. `may_load`: else, and where it cannot be loaded,
/// Exit::unsupported. For when what needs it will be in another namespace: the first rule that matches a bridge port has the kernel load the module,
/// and bridges of every namespace that nobody looks after are filtered from then on.
[[nodiscard]] Result<void> provide_bridge_filter(const Place& place, bool may_load);

/// Loads br_netfilter where it is wanted and missing, and keeps it from filtering other bridges than those that ask for it.
class BridgeFilter {
 public:
  /// `wanted`: rules match bridge ports.
  [[nodiscard]] static Result<BridgeFilter> prepare(const Place& place, bool wanted);
  /// To be called after the rules are in the kernel: matching by port loads the module by itself where topo could not.
  [[nodiscard]] Result<void> settle(const Place& place);

 private:
  bool was_missing_ = false;
};

}  // namespace topo::firewall
