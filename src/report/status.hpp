// What is here of a topology, as `topo status` shows it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "report/paint.hpp"

namespace topo::report {

/// What is known of when a topology was applied, and how far the kernel is from that.
struct Since {
  std::string time;             ///< as a person reads it
  std::string date;             ///< as a program does: ISO 8601
  std::size_t differences = 0;  ///< as rows of a plan
};

struct Status {
  /// An interface of a namespace (of the host, where that has no name) and what is on it.
  struct Interface {
    std::string bridge;  ///< that it leads to
    std::vector<std::string> addresses;
  };
  /// A command that runs in a namespace.
  struct Run {
    std::string name;  ///< NS/NAME
    std::string command;
    std::string amiss;  ///< what is wrong with it; empty: nothing
  };
  /// By namespace, then by interface. Namespaces without an interface are there too.
  using Places = std::map<std::string, std::map<std::string, Interface>>;

  std::string topology;
  Places places;
  std::vector<std::string> ports;
  std::string backend;            ///< what filters and translates; empty: nothing does
  bool bridges_filtered = false;  ///< bridged packets too, by the option of their bridges
  std::vector<Run> runs;
  std::optional<Since> since;  ///< nullopt: what was applied is not recorded
  std::string notice;          ///< what to know of it first; printable
};

[[nodiscard]] Status status_of(const Graph& live);

/// Several lines without a last line end. Every text in it is printable.
[[nodiscard]] std::string status_text(const Status& status, Paint paint);

/// One JSON object: topology, namespaces (name, interfaces (name, addresses, bridge)), ports, firewall, bridged, commands (name, command, state), drift and applied. ASCII only.
[[nodiscard]] std::string status_json(const Status& status);

}  // namespace topo::report
