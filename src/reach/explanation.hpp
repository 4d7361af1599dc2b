// Why one can or cannot reach another, hop by hop.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reach/meetings.hpp"
#include "reach/ruling.hpp"

namespace topo::reach {

/// What one end of a question means: a name of the file, `internet`, `host`, or an address.
struct Subject {
  NamedSet set;
  std::optional<IpAddress> address;
};
/// nullopt: it is no name here and no address.
[[nodiscard]] std::optional<Subject> subject_of(const Names& names, const std::string& text);

/// A rule that a packet met in the gateway's filter, and that decided there.
struct Filtering {
  std::string ns;  ///< where the filter is; empty: on the host
  std::string chain;
  std::size_t index = 0;  ///< in the chain, from 0
  std::string rule;       ///< as iptables-save(8) or nft(8) prints it
  bool blocks = false;
};

/// What one station does with the packet.
struct Hop {
  std::string node;     ///< with `gateway: own` the gateway's namespace is one of its own, and the host another
  std::string in, out;  ///< interfaces; empty: the station itself sends, or takes it
  std::string route;    ///< "default via 10.1.0.1"; empty: none is needed, or it is none of the file's
  Position at{};        ///< where the file says the route
  IpAddress source, destination;
  std::string mapped;  ///< the port map that turns it
  Position mapped_at{};
  std::string masked;  ///< the source from here on
  bool back = false;   ///< it is the answer
  std::vector<Filtering> filters;
};

struct Explanation {
  std::string from, to;
  std::size_t equal_senders = 0, equal_receivers = 0;  ///< how many there are besides of whom the same holds
  IpAddress source, destination;                       ///< source unspecified: the sender has none
  PortRange service;                                   ///< as it is sent; `any`: no port was asked for
  Verdict verdict = Verdict::allowed;
  std::string why;
  Position at{};
  Spans others;           ///< without a port: what becomes of every service
  std::vector<Hop> hops;  ///< to where it is stopped
};

/// Everybody that `from` means to everybody that `to` means, by classes of equals and families. `service`: nullopt is whatever there is. `firewall`
/// is the gateway's. `live`: the rules decide, and not the meaning of the policy: it may be that somebody changed them.
[[nodiscard]] std::vector<Explanation> explain(const Names& names, const Firewalls& firewalls, const Subject& from, const Subject& to,
                                               const std::optional<PortRange>& service, bool live);

}  // namespace topo::reach
