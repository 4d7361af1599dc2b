// One reader a section of the file, and the parts that several sections share.
#pragma once

#include <vector>

#include "load/keys.hpp"

namespace topo::reading {

/// The whole file: every section into `reading.topology`.
void read_topology(Reading& reading, const Node& root);
/// `topology:` alone.
void read_name(Reading& reading, const Node& value, Topology& topology);

void read_defaults(Reading& reading, const Node& root);
void read_bridges(Reading& reading, const Node& value, Topology& topology);
void read_namespaces(Reading& reading, const Node& value, Topology& topology);
void read_links(Reading& reading, const Node& value, Topology& topology);
void read_ports(Reading& reading, const Node& value, Topology& topology);
void read_zones(Reading& reading, const Node& value, Topology& topology);
void read_policy(Reading& reading, const Node& value, Topology& topology);
void read_expect(Reading& reading, const Node& value, Topology& topology);

/// One bridge, namespace, attachment or link from the map of its keys.
void read_bridge(Reading& reading, const Node& map, const Node* defaults, BridgeSpec& bridge);
void read_namespace(Reading& reading, const Node& map, const Node* defaults, NamespaceSpec& ns);
void read_attachment(Reading& reading, const Node& map, const Node* defaults, AttachmentSpec& attachment);
void read_link(Reading& reading, const Node& map, const Node* defaults, LinkSpec& link);

/// `attach`, `routes` and `rules` of a namespace.
void read_attach(Reading& reading, const Node& value, NamespaceSpec& ns);
void read_routes(Reading& reading, const Node& value, NamespaceSpec& ns);
void read_rules(Reading& reading, const Node& value, NamespaceSpec& ns);

/// What a namespace has in its /etc.
void read_dns(Reading& reading, const Node& value, NamespaceSpec& ns);
void read_hosts(Reading& reading, const Node& value, NamespaceSpec& ns);
void read_etc(Reading& reading, const Node& value, NamespaceSpec& ns);
/// What runs in it.
void read_run(Reading& reading, const Node& value, NamespaceSpec& ns);

/// `masquerade`, or `{snat: ADDRESS}`, as the value of `key`.
void read_nat(Reading& reading, const Node& value, std::string_view key, Nat& nat);

/// "PORT[-PORT]" at the front of `text`, which it is taken from.
struct Ports {
  std::uint16_t first = 0, last = 0;
};
/// The problem in words, or empty.
[[nodiscard]] std::string parse_ports(std::string_view text, Ports& ports);
/// `/tcp`, `/udp` or nothing behind `text`, which loses it. The problem in words, or empty.
[[nodiscard]] std::string take_protocol(std::string_view& text, Protocol& protocol);

/// What only the whole file shows: one space of names, and every name that is used is there. Where not all names could be read, those that
/// may be among the others are let pass.
void check_names(const Topology& topology, bool all_names, Mistakes& mistakes);

/// The tables' keys, for known_places().
void add_bridge_places(std::vector<Place>& places);
void add_namespace_places(std::vector<Place>& places);
void add_attachment_places(std::vector<Place>& places);
void add_route_places(std::vector<Place>& places);
void add_link_places(std::vector<Place>& places);
void add_policy_places(std::vector<Place>& places);
void add_command_places(std::vector<Place>& places);
void add_default_places(std::vector<Place>& places);

/// More namespaces than this, replicas included, are refused.
inline constexpr std::uint32_t namespaces_max = 10000;

}  // namespace topo::reading
