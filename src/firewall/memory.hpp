// A second copy, in a file, of what the shared chain remembers: for when somebody empties the tables or renames an interface.
#pragma once

#include "firewall/forwarding.hpp"

namespace topo::firewall {

/// `chain`, set right by the copy: guards bear the names that their interfaces have now, and what is missing while topo's setting is still in
/// force is there again. Without a copy, `chain` as it is: the kernel is the record.
[[nodiscard]] Result<SharedChain> recalled(const Place& place, Family family, SharedChain chain);

/// Makes the copy say `chain` for `family`; where it cannot be written, it is removed.
void remember(const Place& place, Family family, const SharedChain& chain);

}  // namespace topo::firewall
