#include "surroundings/unit_files.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "surroundings/key_file.hpp"

namespace topo::surroundings {
namespace {

constexpr std::array folders{"/etc/systemd/network", "/run/systemd/network", "/usr/local/lib/systemd/network", "/usr/lib/systemd/network",
                             "/lib/systemd/network"};

/// As systemd has its lists: globs with white space between them, all of them negated by a "!" in front.
bool fits(const std::string& value, std::string globs) {
  const bool negated = globs.starts_with('!');
  if (negated) globs.erase(0, 1);
  std::istringstream words(globs);
  bool found = false;
  for (std::string glob; words >> glob;) found = found || ::fnmatch(glob.c_str(), value.c_str(), 0) == 0;
  return found != negated;
}

}  // namespace

UnitFile parse_unit_file(const std::string& path, const std::string& text) {
  UnitFile file{path, {}, {}};
  read_key_file(text, [&](const std::string& section, const std::string& key, const std::string& value) {
    std::string& kept = section == "Match" ? file.matches[key] : file.settings[section + "." + key];
    kept = section != "Match" || value.empty() || kept.empty() ? value : kept + " " + value;
  });
  return file;
}

bool UnitFile::is_for(const Interface& interface) const {
  const std::array<std::pair<const char*, std::string>, 5> known{{{"Name", interface.name},
                                                                  {"OriginalName", interface.name},
                                                                  {"Type", interface.kind == "bridge" ? "bridge" : "ether"},
                                                                  {"Kind", interface.kind},
                                                                  {"Driver", interface.kind}}};
  constexpr std::array of_hardware{"MACAddress", "PermanentMACAddress", "Path", "Property", "SSID", "BSSID", "WLANInterfaceType"};
  const auto says = [&](const char* key) {
    const auto found = matches.find(key);
    return found != matches.end() && !found->second.empty();
  };
  // Without a match it is for none.
  if (std::none_of(matches.begin(), matches.end(), [](const auto& match) { return !match.second.empty(); })) return false;
  if (std::any_of(of_hardware.begin(), of_hardware.end(), says)) return false;
  return std::all_of(known.begin(), known.end(), [&](const auto& one) { return !says(one.first) || fits(one.second, matches.at(one.first)); });
}

std::vector<UnitFile> read_unit_files(const std::string& suffix) {
  std::map<std::string, std::string> paths;
  for (const char* folder : folders) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
      const std::string name = entry.path().filename();
      if (name.ends_with(suffix)) paths.emplace(name, entry.path());
    }
  }
  std::vector<UnitFile> files;
  for (const auto& [name, path] : paths) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    files.push_back(parse_unit_file(path, text.str()));
  }
  return files;
}

const UnitFile* unit_file_for(const Interface& interface, const std::vector<UnitFile>& files) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const UnitFile& file) { return file.is_for(interface); });
  return found == files.end() ? nullptr : &*found;
}

}  // namespace topo::surroundings
