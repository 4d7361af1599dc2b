#include "surroundings/network_manager.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "surroundings/key_file.hpp"

namespace topo::surroundings {
namespace {

using List = std::vector<std::string>;

constexpr const char* main_file = "/etc/NetworkManager/NetworkManager.conf";
constexpr const char *of_packages = "/usr/lib/NetworkManager/conf.d", *of_this_boot = "/run/NetworkManager/conf.d",
                     *of_the_host = "/etc/NetworkManager/conf.d";

List values_of(std::string text) {
  std::replace(text.begin(), text.end(), ',', ';');
  List values;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ';');) {
    if (word = trimmed(word); !word.empty()) values.push_back(word);
  }
  return values;
}

/// KEY=VALUES sets a list, KEY+=VALUES adds to it, KEY-=VALUES takes out of it.
void say(std::map<std::string, List>& section, std::string key, const List& values) {
  const char last = key.empty() ? '\0' : key.back();
  if (last == '+' || last == '-') key = trimmed(key.substr(0, key.size() - 1));
  List& list = section[key];
  if (last == '-') {
    std::erase_if(list, [&](const std::string& value) { return std::find(values.begin(), values.end(), value) != values.end(); });
    return;
  }
  if (last != '+') list.clear();
  list.insert(list.end(), values.begin(), values.end());
}

bool fits(const std::string& device, const Interface& interface) {
  const auto rest = [&](const char* front) { return device.starts_with(front) ? device.substr(std::string(front).size()) : std::string(); };
  if (device == "*" || device == interface.name) return true;
  if (const auto name = rest("interface-name:="); !name.empty()) return name == interface.name;
  for (const char* front : {"interface-name:~", "interface-name:"}) {
    if (const auto glob = rest(front); !glob.empty()) return ::fnmatch(glob.c_str(), interface.name.c_str(), 0) == 0;
  }
  if (const auto driver = rest("driver:"); !driver.empty()) return ::fnmatch(driver.c_str(), interface.kind.c_str(), 0) == 0;
  return rest("type:") == interface.kind;
}

/// One that is excepted is not among them; where there are but exceptions, all others are.
bool has_device(const List& devices, const Interface& interface) {
  const std::string except = "except:";
  bool only_exceptions = !devices.empty(), found = false;
  for (const std::string& device : devices) {
    const bool excepts = device.starts_with(except);
    if (excepts && fits(device.substr(except.size()), interface)) return false;
    only_exceptions = only_exceptions && excepts;
    found = found || (!excepts && fits(device, interface));
  }
  return found || only_exceptions;
}

bool is_no(const List& values) {
  constexpr const char* words[] = {"0", "no", "false", "off"};
  return values.size() == 1 && std::find(std::begin(words), std::end(words), values.front()) != std::end(words);
}

/// The files of a folder by their names, without those that one of `hiding` has a namesake of.
std::map<std::string, std::string> files_in(const char* folder, const List& hiding = {}) {
  std::map<std::string, std::string> paths;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename();
    const auto hides = [&](const std::string& other) { return std::filesystem::exists(other + "/" + name, none); };
    if (name.ends_with(".conf") && std::none_of(hiding.begin(), hiding.end(), hides)) paths.emplace(name, entry.path());
  }
  return paths;
}

}  // namespace

void UnmanagedDevices::read(const std::string& text) {
  read_key_file(text, [&](const std::string& section, const std::string& key, const std::string& value) {
    say(sections_[section], key, values_of(value));
  });
}

bool UnmanagedDevices::has(const Interface& interface) const {
  const auto says = [&](const auto& section, const char* key) {
    const auto found = section.second.find(key);
    return found != section.second.end() ? found->second : List();
  };
  return std::any_of(sections_.begin(), sections_.end(), [&](const auto& section) {
    if (section.first == "keyfile") return has_device(says(section, "unmanaged-devices"), interface);
    return section.first.starts_with("device") && is_no(says(section, "managed")) && has_device(says(section, "match-device"), interface);
  });
}

UnmanagedDevices read_unmanaged_devices() {
  List paths;
  const auto add = [&](const std::map<std::string, std::string>& files) {
    for (const auto& [name, path] : files) paths.push_back(path);
  };
  add(files_in(of_packages, {of_this_boot, of_the_host}));
  add(files_in(of_this_boot, {of_the_host}));
  paths.emplace_back(main_file);
  add(files_in(of_the_host));
  UnmanagedDevices found;
  for (const std::string& path : paths) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    found.read(text.str());
  }
  return found;
}

}  // namespace topo::surroundings
