// A folder of files that a topology file names, read as one text, so that it can be recorded as the topology's own files are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "topo/topology.hpp"

namespace topo::reading {

struct Folder {
  std::string path;  ///< absolute
  EtcFiles files;    ///< by path in it
};

/// What keeps a folder from being read; `file` is the one in it that does, empty where it is the folder itself.
struct FolderProblem {
  std::string file, why, hint;
};

/// Every file of the folder `path` with its permissions. Refused is what is neither file nor folder, a name that is no plain text, and what has more than
/// `max_bytes` in all.
[[nodiscard]] std::optional<FolderProblem> read_folder(const std::string& path, std::size_t max_bytes, Folder& folder);

[[nodiscard]] std::string to_text(const Folder& folder);
/// Nullopt where it is no such text.
[[nodiscard]] std::optional<Folder> folder_from(std::string_view text);

}  // namespace topo::reading
