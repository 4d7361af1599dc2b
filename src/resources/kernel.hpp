// What the kernel halves of the kinds are given, and what each must have.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diff/obstacle.hpp"
#include "diff/plan.hpp"
#include "firewall/backend.hpp"
#include "graph/graph.hpp"
#include "kernel/launcher.hpp"
#include "kernel/work.hpp"
#include "topo/error.hpp"

namespace topo {

/// What was read from the kernel, to be told as resources.
struct Reading {
  const std::string& topology;
  const Graph& desired;                                    ///< decides only where the kernel keeps no trace
  const kernel::Places& places;                            ///< the host and the topology's own namespaces, each with its snapshot
  const std::vector<std::string>& leftovers;               ///< names of own namespaces whose making a crash cut short
  const std::map<std::string, std::string>& strangers;     ///< names in the folder of namespaces that are not the topology's: whose they are
  const std::map<std::string, std::string>& second_names;  ///< of its namespaces, given by somebody else: their names
  std::map<std::string, firewall::Tables>& tables;         ///< of `places`, where somebody has asked for them
};

/// A plan being performed.
struct Execution {
  const Plan& plan;
  const Graph& live;  ///< as it was before
  kernel::Work& work;
  std::chrono::milliseconds lock_timeout;  ///< for other programs that change what topo changes
  std::shared_ptr<kernel::Launcher>& launcher;  ///< of whatever is started; null: none was needed yet
  std::shared_ptr<void> starting{};             ///< what the kind that starts something has to know of it
};

/// The kernel half of a kind, specialized in its folder's kernel.hpp:
/// - `create`, `update`, `remove` queue what the change takes in `execution.work`, or do it where order allows no queue;
/// - `observe` puts what `reading` has of the kind into `live`;
/// - `find_hindrances`, where the kind has it, adds what stands in the way of what `reading.desired` has of it. `live` is what all kinds observed;
/// - `owners`, where the kind has it, names the topologies that something of it is here of, though they may have no namespace, link or rule any more.
template <class T>
struct KernelHalf;

}  // namespace topo
