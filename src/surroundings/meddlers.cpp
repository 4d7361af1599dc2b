#include "surroundings/meddlers.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <sstream>

#include "surroundings/network_manager.hpp"
#include "surroundings/programs.hpp"
#include "surroundings/unit_files.hpp"

namespace topo::surroundings {
namespace {

using Interfaces = std::vector<Interface>;

constexpr std::size_t names_said = 3, names_written = 20;
constexpr const char* aim = "to have it leave them alone";

/// For whom files are to be written: one topology or, where that has no name, any.
struct Cause {
  std::string topology;
  /// A file of its own, so that what is done for one topology undoes nothing that was done for another.
  [[nodiscard]] std::string file(const std::string& beginning, const std::string& suffix) const {
    return beginning + (topology.empty() ? "" : "-" + topology) + suffix;
  }
};

std::string joined(const Interfaces& interfaces, const std::string& between, const std::string& front = {}) {
  std::string text;
  for (const auto& interface : interfaces)
    text += (text.empty() ? "" : between) + front + (interface.name.empty() ? "any new " + interface.kind : interface.name);
  return text;
}

/// Whether a file can name them all.
bool have_names(const Interfaces& interfaces) {
  return interfaces.size() <= names_written && std::none_of(interfaces.begin(), interfaces.end(), [](const auto& one) { return one.name.empty(); });
}

/// "frontend, backend and 7 more"
std::string said(Interfaces interfaces) {
  const std::size_t more = interfaces.size() > names_said ? interfaces.size() - names_said : 0;
  if (more > 0) interfaces.resize(names_said);
  return joined(interfaces, ", ") + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

/// What makes systemd's file one for all of them and as few others as can be.
std::string match_of(const Interfaces& interfaces, const char* name_key) {
  if (have_names(interfaces)) return std::string(name_key) + "=" + joined(interfaces, " ");
  return "Kind=veth bridge";
}

/// Those interfaces for which the first file that is for them is meddlesome, and these files.
struct Claim {
  Interfaces interfaces;
  std::set<std::string> paths;
  [[nodiscard]] std::string by() const {
    std::string text;
    for (const auto& path : paths) text += (text.empty() ? "" : ", ") + path;
    return text;
  }
};

Claim claimed(const Interfaces& interfaces, const std::string& suffix, const std::function<bool(const UnitFile&)>& is_meddlesome) {
  const auto files = read_unit_files(suffix);
  Claim found;
  for (const auto& interface : interfaces) {
    const UnitFile* const file = unit_file_for(interface, files);
    if (file == nullptr || !is_meddlesome(*file)) continue;
    found.interfaces.push_back(interface);
    found.paths.insert(file->path);
  }
  return found;
}

bool is_yes(const std::string& text) { return text == "yes" || text == "true" || text == "1" || text == "on" || text == "y" || text == "t"; }

void add_networkd(const Cause& cause, const Interfaces& interfaces, std::vector<Warning>& found) {
  const auto manages = [](const UnitFile& file) {
    const auto unmanaged = file.settings.find("Link.Unmanaged");
    return unmanaged == file.settings.end() || !is_yes(unmanaged->second);
  };
  const Claim claim = claimed(interfaces, ".network", manages);
  if (claim.interfaces.empty()) return;
  found.push_back({"systemd-networkd configures " + said(claim.interfaces) + " in its own way (by " + claim.by() + ")", aim,
                   "printf '[Match]\\n" + match_of(claim.interfaces, "Name") + "\\n[Link]\\nUnmanaged=yes\\n' >/etc/systemd/network/" +
                       cause.file("00-topo", ".network") + " && networkctl reload"});
}

void add_udev(const Cause& cause, const Interfaces& interfaces, std::vector<Warning>& found) {
  constexpr std::array changed{"Link.MTUBytes", "Link.MACAddress", "Link.Name"};
  const auto changes = [&](const UnitFile& file) {
    return std::any_of(changed.begin(), changed.end(), [&](const char* key) { return file.settings.contains(key); });
  };
  const Claim claim = claimed(interfaces, ".link", changes);
  if (claim.interfaces.empty()) return;
  found.push_back(
      {"udev changes " + said(claim.interfaces) + " (by " + claim.by() + ")", aim,
       "printf '[Match]\\n" + match_of(claim.interfaces, "OriginalName") + "\\n[Link]\\n' >/etc/systemd/network/" + cause.file("00-topo", ".link")});
}

bool says(const std::string& path, const std::string& words) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str().find(words) != std::string::npos;
}

/// NetworkManager leaves bridges alone that others have made. Cables it takes for network cards, unless a rule of udev's, which most
/// distributions have, or a file of its own tells it not to.
Interfaces managed(const Interfaces& interfaces) {
  for (const char* folder : {"/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"}) {
    if (says(std::string(folder) + "/85-nm-unmanaged.rules", "ID_NET_DRIVER}==\"veth\"")) return {};
  }
  const UnmanagedDevices unmanaged = read_unmanaged_devices();
  Interfaces cables;
  std::copy_if(interfaces.begin(), interfaces.end(), std::back_inserter(cables),
               [&](const Interface& interface) { return interface.kind == "veth" && !unmanaged.has(interface); });
  return cables;
}

void add_network_manager(const Cause& cause, const Interfaces& interfaces, std::vector<Warning>& found) {
  const Interfaces cables = managed(interfaces);
  if (cables.empty()) return;
  const std::string which = have_names(cables) ? joined(cables, ";", "interface-name:=") : "driver:veth";
  found.push_back({"NetworkManager may configure " + said(cables) + " in its own way", aim,
                   "printf '[keyfile]\\nunmanaged-devices+=" + which + "\\n' >/etc/NetworkManager/conf.d/" + cause.file("zz-topo", ".conf") +
                       " && nmcli general reload conf"});
}

struct Meddler {
  const char* folder;   ///< that there is where it runs, or has run
  const char* program;  ///< as /proc/PID/comm has it
  void (*add)(const Cause&, const Interfaces&, std::vector<Warning>&);
};
constexpr std::array known{Meddler{"/run/systemd/netif", "systemd-network", add_networkd},
                           Meddler{"/run/NetworkManager", "NetworkManager", add_network_manager}, Meddler{"/run/udev", "systemd-udevd", add_udev}};

}  // namespace

std::vector<Warning> meddlers(const std::string& topology, const Interfaces& interfaces) {
  std::vector<Warning> found;
  if (interfaces.empty()) return found;
  std::optional<std::set<std::string>> running;
  for (const auto& meddler : known) {
    struct stat there {};
    if (::stat(meddler.folder, &there) != 0) continue;
    if (!running) running = programs_here();
    if (running->contains(meddler.program)) meddler.add({topology}, interfaces, found);
  }
  for (auto& warning : found) warning.may_go_well = true;
  return found;
}

}  // namespace topo::surroundings
