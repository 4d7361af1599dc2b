// The files by which systemd-networkd and udev know what to do with an interface: systemd.network(5), systemd.link(5).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "surroundings/meddlers.hpp"

namespace topo::surroundings {

/// One file. Settings are those of all sections but [Match], as "Section.Key"; drop-ins are not read.
struct UnitFile {
  std::string path;
  std::map<std::string, std::string> matches;
  std::map<std::string, std::string> settings;
  /// Whether it is for `interface`, by its name, type, kind and driver. What asks for anything that only hardware has is not.
  [[nodiscard]] bool is_for(const Interface& interface) const;
};
[[nodiscard]] UnitFile parse_unit_file(const std::string& path, const std::string& text);

/// Those with `suffix` (".network") in systemd's folders, in the order in which they are tried: by their names, where one in /etc hides its
/// namesakes elsewhere.
[[nodiscard]] std::vector<UnitFile> read_unit_files(const std::string& suffix);

/// The first that is for `interface`; nullptr where there is none.
[[nodiscard]] const UnitFile* unit_file_for(const Interface& interface, const std::vector<UnitFile>& files);

}  // namespace topo::surroundings
