// What others have in nftables, by netlink (linux/netfilter/nf_tables.h): no library and no program of nft's is needed.
#pragma once

#include <string>
#include <vector>

#include "firewall/backend.hpp"

namespace topo::firewall {

/// A base chain that packets pass which are forwarded, or which are for the host itself, and that in the end drops or rejects them.
struct NftChain {
  bool is_input = false;  ///< it is about those for the host itself
  std::string family;     ///< "ip", "ip6", "inet"
  std::string table, name;
  std::string why;                  ///< "its policy is drop", "its rule 4 rejects all that comes to it"
  std::vector<std::string> beside;  ///< the names of all chains of its table
  bool bears_mark = false;          ///< a rule of it, or of a chain of its table that is none of these, has one of the marks as its comment
  [[nodiscard]] std::string title() const { return family + " " + table + " " + name; }
};

/// Those of `place`; none where the kernel has no nftables.
[[nodiscard]] Result<std::vector<NftChain>> dropping_nft_chains(const Place& place, const std::vector<std::string>& marks);

/// "inet firewalld", "ip filter": every table there; none where the kernel has no nftables.
[[nodiscard]] std::vector<std::string> nft_tables(const Place& place);

}  // namespace topo::firewall
