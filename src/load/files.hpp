// Reads a topology file and all that it includes into one tree.
#pragma once

#include <string>

#include "load/mistakes.hpp"
#include "load/yaml.hpp"
#include "topo/load.hpp"

namespace topo::reading {

struct Gathered {
  Node root;             ///< a map, unless unreadable
  bool complete = true;  ///< false: a file could not be read or is no YAML
};

/// The file `path` ("-" is standard input) with its includes merged in, included keys first. `sources` gets every file that was read.
[[nodiscard]] Gathered gather(const std::string& path, const LoadOptions& options, Sources& sources, Mistakes& mistakes);

/// The same, with the first file's text in memory.
[[nodiscard]] Gathered gather_text(std::string text, const std::string& name, const LoadOptions& options, Sources& sources, Mistakes& mistakes);

}  // namespace topo::reading
