#include "cli/privilege.hpp"

#include <cap-ng.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "firewall/modules.hpp"

namespace topo::cli {
namespace {

bool has(int capability) { return ::capng_have_capability(CAPNG_EFFECTIVE, static_cast<unsigned>(capability)) != 0; }

}  // namespace

Result<void> refuse_borrowed_rights() {
  if (::getuid() == ::geteuid() && ::getgid() == ::getegid()) return {};
  return Error{Exit::unsupported,
               "topo does not run with the rights of another user than the one who started it",
               {},
               {},
               "take the set-user-ID and set-group-ID bits off the program (chmod ug-s), and run it as root, with sudo for example",
               {}};
}

Result<void> need_privilege(const std::string& purpose) {
  std::string missing;
  const bool known = ::capng_get_caps_process() == 0;
  for (const auto& [capability, name] : {std::pair{CAP_NET_ADMIN, "CAP_NET_ADMIN"}, std::pair{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}}) {
    if (!known || !has(capability)) missing += (missing.empty() ? "" : " and ") + std::string(name);
  }
  if (missing.empty()) return {};
  return Error{Exit::unsupported, "no privilege to " + purpose + " (" + missing + " missing)", {}, {}, "run topo as root, with sudo for example", {}};
}

void drop_privileges(bool listens) {
  std::vector<std::pair<int, int>> kept;  // a capability, and the sets that it stays in
  if (::capng_get_caps_process() == 0) {
    for (const int capability : {CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_NET_RAW}) {
      if (has(capability)) kept.emplace_back(capability, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET);
    }
    if (listens && has(CAP_NET_BIND_SERVICE)) kept.emplace_back(CAP_NET_BIND_SERVICE, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET);
    // Not for topo itself: modprobe, being started by root, makes it effective.
    if (has(CAP_SYS_MODULE) && firewall::may_lack_modules()) kept.emplace_back(CAP_SYS_MODULE, CAPNG_PERMITTED | CAPNG_BOUNDING_SET);
    ::capng_clear(CAPNG_SELECT_ALL);
    for (const auto& [capability, sets] : kept) ::capng_update(CAPNG_ADD, static_cast<capng_type_t>(sets), static_cast<unsigned>(capability));
    (void)::capng_apply(CAPNG_SELECT_ALL);
  }
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

}  // namespace topo::cli
