// Folders of topo's own: what is in them, and how that becomes something else.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "topo/error.hpp"
#include "topo/etc_files.hpp"

namespace topo::kernel {

/// What is in the folder `path`; nothing where there is no such folder, or it is a link.
[[nodiscard]] std::set<std::string> names_in(const std::string& path);

/// Every file below the folder `path`, by its path there; none where there is no such folder. Of what is no regular file, the mode has the type, and the
/// content is where a link leads to. Never follows a link and never waits.
[[nodiscard]] Result<EtcFiles> read_tree(const std::string& path);

/// Makes the folder `path`, whose parent is there, hold `files` and nothing else. A file that stays is written in its place, so that whoever has it
/// mounted or open sees that.
[[nodiscard]] Result<void> write_tree(const std::string& path, const EtcFiles& files);

/// Removes the folder with all that is in it; no error where it is gone.
[[nodiscard]] Result<void> remove_tree(const std::string& path);

/// The last of `folders`, each of which is in the one before, made where it is not there; all of them readable by this user alone.
[[nodiscard]] Result<std::string> make_folders(const std::vector<std::string>& folders);

}  // namespace topo::kernel
