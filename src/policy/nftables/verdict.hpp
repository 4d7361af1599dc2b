// Which rule of nf_tables it was.
#pragma once

#include "policy/verdict.hpp"

namespace topo::policy::nft {

/// Ruling::decisive of a path that ends in tables of nf_tables.
[[nodiscard]] const Step* decisive(const Ruling& ruling);

}  // namespace topo::policy::nft
