// Text to Topology.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "topo/diagnostic.hpp"
#include "topo/topology.hpp"

namespace topo {

struct LoadOptions {
  std::map<std::string, std::string> set;     ///< `--set NAME=VALUE`, above `vars`
  std::size_t max_bytes = std::size_t{1} << 20;  ///< of each file
  bool name_only = false;                     ///< read `topology:` alone; nothing else is checked (destroy FILE)
  /// Not null: files are taken from here, by name, and never from the disk (what was recorded when it was applied, includes among it).
  const Sources* recorded = nullptr;
};

/// What a load gives, also when there are mistakes: then `topology` holds what could be understood, so that later checks can add theirs.
struct Loaded {
  Topology topology;
  std::vector<Diagnostic> diagnostics;  ///< empty: the file is good as far as load can tell
  bool unreadable = false;              ///< not YAML, or no such file: later checks would only repeat the mistake
};

/// Reads `path` ("-" is standard input) and what it includes.
[[nodiscard]] Loaded load(const std::string& path, const LoadOptions& options = {});

/// The same from text in memory; `name` stands for the file in messages. Includes are read relative to `name`'s folder.
[[nodiscard]] Loaded load_text(std::string text, const std::string& name, const LoadOptions& options = {});

}  // namespace topo
