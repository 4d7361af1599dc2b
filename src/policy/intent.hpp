// What the filter and the NAT of one namespace shall mean. The input of every firewall backend's compiler and of the verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "topo/diagnostic.hpp"
#include "topo/ip.hpp"
#include "topo/topology.hpp"

namespace topo::policy {

/// A cable from one bridge to another.
struct SegmentCable {
  std::string port;                 ///< this bridge's end
  std::size_t to = 0;               ///< the other bridge's segment
};

/// A network the gateway is on: a bridge, or the host's end of a link ("as if alone on a bridge of its own").
struct Segment {
  std::string interface;            ///< the bridge's name, or the end's
  bool bridge = true;
  /// Of the host's, where the gateway is a namespace: the end of the cable to that, in the bridge's place. What is answered from one such segment to
  /// another goes through that namespace and past the host, which must have asked in its own name where it has translated the question.
  bool uplink = false;
  bool plain = false;               ///< `address: none`: the gateway has no part in it
  bool isolated = false;
  std::vector<Cidr> gateway;        ///< the gateway's own addresses on it, with the subnets' prefixes
  Nat nat;
  std::vector<SegmentCable> cables; ///< to other bridges, each named at both; what passes there keeps to no policy between bridges
  bool filtered = false;            ///< bridged packets reach the filter (Bridge::filtered); set by needs_bridge_filter
  Position at{};                    ///< where the file says it
};

/// One attachment of a namespace to a segment.
struct Member {
  std::string ns;
  std::string interface;            ///< inside the namespace
  std::size_t segment = 0;
  std::string port;                 ///< the bridge port in the gateway; empty where the segment is no bridge
  std::vector<IpAddress> addresses; ///< both families, without link-local
  bool router = false;              ///< what it forwards is its own: any source address passes from its port
  bool answers_by_gateway = true;   ///< its replies to strangers come back this way (its default route leads here)
  std::vector<Cidr> near;           ///< the networks that its replies reach by another way all the same; not the gateway's own here
};

/// One side of a flow: a set of end points. Members of a bridge named as a whole are in `segments`, not in `members`.
struct Ends {
  bool any = false;                 ///< everything: every member, internet and host
  bool internet = false;
  bool host = false;
  std::vector<std::size_t> segments;
  std::vector<std::size_t> members;
  std::vector<Cidr> outside;        ///< CIDR zones

  [[nodiscard]] bool names_nothing() const { return !any && !internet && !host && segments.empty() && members.empty() && outside.empty(); }
};

struct Flow {
  Ends from, to;
  std::vector<PortRange> ports;     ///< empty: everything
  std::string text;                 ///< in the file's words, one direction: "backend -> data:3306"
  Position at{};                    ///< where the file says it
};

struct PortMap {
  std::optional<IpAddress> address; ///< the outside address; nullopt: every local one
  std::uint16_t first = 0, last = 0;
  Protocol protocol = Protocol::tcp;
  std::size_t member = 0;           ///< the target's attachment
  std::vector<IpAddress> targets;   ///< at most one a family
  std::uint16_t target_first = 0, target_last = 0;
  std::string text;
  Position at{};                    ///< where the file says it
};

/// NAT by outgoing interface, in a router namespace.
struct InterfaceNat {
  std::string interface;
  Nat nat;
  bool v4 = true, v6 = true;        ///< masquerade: the families that the namespace has addresses of
};

/// The whole meaning, for one namespace. `<->` is already two flows; deny beats allow; the order is of no account.
struct Intent {
  std::string topology;
  bool default_allow = false;       ///< between two bridges
  Position default_at{};            ///< where the file says that; nowhere: it does not
  bool reject = false;
  std::vector<Segment> segments;
  std::vector<Member> members;
  std::vector<Flow> allow, deny;
  std::vector<PortMap> ports;
  std::vector<InterfaceNat> interface_nat;
  /// The policy in the language's own words, "KEY VALUE" each: "nat frontend masquerade", "isolated backend", "plain switch",
  /// "zone dmz frontend web2" (a long zone in several), "replicas leaf 4" (whom "leaf[*]" names in the others),
  /// "default allow", "reject true", "allow a -> b:80", "deny x <-> y", "port 8080/tcp web:80". Kept in the kernel as comments of a chain
  /// that nothing jumps to, so that `export` can give back what rules alone cannot tell.
  std::vector<std::string> statements;

  [[nodiscard]] bool empty() const { return segments.empty() && interface_nat.empty(); }
};

}  // namespace topo::policy
