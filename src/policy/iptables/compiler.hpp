// An intent in the terms of iptables(8).
#pragma once

#include "policy/relations.hpp"
#include "resources/firewall/rule.hpp"

namespace topo::policy {

[[nodiscard]] netfilter::Ruleset compile_for_iptables(const Intent& intent, const Relations& relations);

}  // namespace topo::policy
