// The settings of namespaces and their interfaces, which write one another (Documentation/networking/ip-sysctl.rst, devinet.c, addrconf.c).
#include <optional>

#include "simulation/machine.hpp"

namespace topo::test {
namespace {

/// "net/ipv4/conf/eth0/rp_filter" in its parts.
struct SettingName {
  std::string family, interface, setting;
};

std::optional<SettingName> by_interface(const std::string& name) {
  for (const std::string family : {"ipv4", "ipv6"}) {
    const std::string folder = "net/" + family + "/conf/";
    const auto slash = name.rfind('/');
    if (name.starts_with(folder) && slash > folder.size())
      return SettingName{family, name.substr(folder.size(), slash - folder.size()), name.substr(slash + 1)};
  }
  return {};
}

std::string conf(const std::string& family, const std::string& interface, const std::string& setting) {
  return "net/" + family + "/conf/" + interface + "/" + setting;
}

/// Not one that stands for others, and not one that topo chooses.
bool follows_default(const SettingName& parts) {
  const bool is_own = parts.interface != "all" && parts.interface != "default" && parts.interface != "lo";
  return is_own && parts.family == "ipv4" && parts.setting != "forwarding" && parts.setting != "rp_filter";
}

bool is_all_forwarding(const std::string& name) { return name == "net/ipv4/ip_forward" || name == conf("ipv4", "all", "forwarding"); }

}  // namespace

std::string Machine::setting(const std::string& ns, const std::string& name) const {
  if (is_all_forwarding(name) && name != "net/ipv4/ip_forward") return setting(ns, "net/ipv4/ip_forward");
  if (const auto space = settings_.find(ns); space != settings_.end()) {
    if (const auto found = space->second.find(name); found != space->second.end()) return found->second;
  }
  const auto parts = by_interface(name);
  if (parts && parts->interface != "all" && parts->interface != "default") {
    if (parts->family == "ipv4" && parts->interface != "lo") return setting(ns, conf("ipv4", "default", parts->setting));  // devinet_copy_dflt_conf
    return setting({}, conf(parts->family, "default", parts->setting));                                                    // fixed when it was made
  }
  if (name == "net/ipv4/ip_local_port_range") return "32768\t60999";
  const bool is_on = name == conf("ipv4", "all", "accept_redirects") || name == "net/ipv4/tcp_syncookies" || name.ends_with("/accept_ra");
  return is_on ? "1" : "0";
}

void Machine::set(const std::string& ns, const std::string& name, const std::string& value) {
  if (is_all_forwarding(name)) return set_forwarding(ns, "ipv4", value != "0");
  if (name == conf("ipv6", "all", "forwarding")) return set_forwarding(ns, "ipv6", value != "0");
  auto& settings = settings_[ns];
  settings[name] = value;
  const auto parts = by_interface(name);
  if (!parts || parts->family != "ipv4" || parts->interface != "default" || parts->setting == "forwarding") return;
  // As the kernel half does it, whether or not the kernel itself would.
  std::erase_if(settings, [&](const auto& entry) {
    const auto other = by_interface(entry.first);
    return other && other->family == "ipv4" && other->setting == parts->setting && follows_default(*other) && !is_decided(ns, entry.first);
  });
}

/// inet_forward_change and addrconf_forward_change: nothing happens where it was so before.
void Machine::set_forwarding(const std::string& ns, const std::string& family, bool on) {
  const std::string name = family == "ipv4" ? "net/ipv4/ip_forward" : conf("ipv6", "all", "forwarding");
  const std::string value = on ? "1" : "0";
  if (setting(ns, name) == value) return;
  auto& settings = settings_[ns];
  settings[name] = value;
  settings[conf(family, "default", "forwarding")] = value;
  if (family == "ipv4") settings[conf("ipv4", "all", "accept_redirects")] = on ? "0" : "1";
  for (auto& [other, is] : settings) {
    const auto parts = by_interface(other);
    if (parts && parts->family == family && parts->setting == "forwarding") is = value;
  }
}

/// What topo writes for every cable's end, unless a sysctl of the file decides it.
void Machine::prepare_interface(const std::string& ns, const std::string& interface, bool is_new) {
  if (ns.empty()) return;
  if (is_new) {
    std::map<std::string, std::string> made{{conf("ipv6", interface, "forwarding"), setting(ns, conf("ipv6", "default", "forwarding"))}};
    for (const auto& [name, value] : settings_[ns]) {
      const auto parts = by_interface(name);
      if (parts && parts->family == "ipv6" && parts->interface == "default") made[conf("ipv6", interface, parts->setting)] = value;
    }
    settings_[ns].merge(made);
  }
  for (const std::string& name : {conf("ipv4", interface, "forwarding"), conf("ipv4", interface, "rp_filter")}) {
    if (is_decided(ns, name)) continue;
    settings_[ns][name] = name.ends_with("rp_filter") ? "0" : setting(ns, "net/ipv4/ip_forward");
  }
}

void Machine::forget_settings(const std::string& ns, const std::string& below) {
  const auto space = settings_.find(ns);
  if (space == settings_.end()) return;
  std::erase_if(space->second, [&](const auto& entry) {
    const auto parts = by_interface(entry.first);
    return parts && parts->interface == below;
  });
}

/// What the kernel half writes where the file has the setting no more: as in a namespace just made, a router where this is one.
std::string Machine::setting_of_fresh(const std::string& ns, const std::string& name) const {
  const auto parts = by_interface(name);
  const bool is_forwarding = name == "net/ipv4/ip_forward" || (parts && parts->setting == "forwarding");
  const std::string family = parts ? parts->family : "ipv4";
  if (is_forwarding) return setting(ns, conf(family, "all", "forwarding"));
  if (name == conf("ipv4", "all", "accept_redirects")) return setting(ns, "net/ipv4/ip_forward") == "1" ? "0" : "1";
  if (parts && follows_default(*parts)) return setting(ns, conf("ipv4", "default", parts->setting));
  return setting({}, name);
}

bool Machine::is_decided(const std::string& ns, const std::string& setting) const { return things_.contains("sysctl " + ns + ":" + setting); }

}  // namespace topo::test
