// Trials of reachability by packets, and what they show.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "probe/exchange.hpp"
#include "reach/trials.hpp"

namespace topo::probe {

/// What a trial came to.
struct Outcome {
  reach::Trial trial;
  bool passed = false;
  std::string what;  ///< "answered", "the rule counted it": of a failure what is wrong
};

struct Settings {
  bool every_pair = false;
  std::function<bool()> stop;  ///< asked while packets are under way
  std::function<void(std::size_t done, std::size_t all)> progress;
};

/// Proves what `names` and `firewalls` (those that there shall be) say of `topology`, in the live namespaces of these names, whoever made
/// them, and with a stand-in for the outside while it lasts. What is allowed must be answered. What is denied must not be; and the rule that shall
/// decide must have counted it, or where the topology has no rules here the packet must have come to the gateway and not left it; and both ends must
/// be shown to be alive. Exit::invalid where a namespace is not there.
[[nodiscard]] Result<std::vector<Outcome>> prove(const reach::Names& names, const reach::Firewalls& firewalls, const Settings& settings);

}  // namespace topo::probe
