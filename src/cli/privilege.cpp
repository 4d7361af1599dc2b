#include "cli/privilege.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace topo::cli {
namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

constexpr std::uint32_t bit(int capability) { return 1U << static_cast<unsigned>(capability); }
static_assert(CAP_NET_ADMIN < 32 && CAP_SYS_ADMIN < 32 && CAP_NET_RAW < 32 && CAP_SYS_MODULE < 32, "all in the first word");

bool read_sets(Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(SYS_capget, &header, sets.data()) == 0;
}

}  // namespace

Result<void> need_privilege(const std::string& purpose) {
  Sets sets{};
  constexpr std::uint32_t needed = bit(CAP_NET_ADMIN) | bit(CAP_SYS_ADMIN);
  if (read_sets(sets) && (sets[0].effective & needed) == needed) return {};
  std::string missing;
  if ((sets[0].effective & bit(CAP_NET_ADMIN)) == 0) missing = "CAP_NET_ADMIN";
  if ((sets[0].effective & bit(CAP_SYS_ADMIN)) == 0) missing += missing.empty() ? "CAP_SYS_ADMIN" : " and CAP_SYS_ADMIN";
  return Error{Exit::unsupported, "no privilege to " + purpose + " (" + missing + " missing)", {}, {}, "run topo as root, with sudo for example", {}};
}

void drop_privileges() {
  Sets sets{};
  if (!read_sets(sets)) return;
  constexpr std::uint32_t kept = bit(CAP_NET_ADMIN) | bit(CAP_SYS_ADMIN) | bit(CAP_NET_RAW) | bit(CAP_SYS_MODULE);
  for (auto& set : sets) {
    const std::uint32_t keep = &set == sets.data() ? kept : 0;
    set.effective &= keep;
    set.permitted &= keep;
    set.inheritable &= keep;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  ::syscall(SYS_capset, &header, sets.data());
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

}  // namespace topo::cli
