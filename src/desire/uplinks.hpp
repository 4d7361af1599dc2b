// A gateway of the topology's own.
#pragma once

#include "desire/network.hpp"
#include "graph/graph.hpp"

namespace topo::network {

/// What a gateway namespace (`gateway: own`) is besides its bridges: the namespace, a cable to the host for each bridge that the gateway has a part in,
/// and its routing.
///
/// The host's end of such an uplink bears the bridge's name and addresses: members see the host there, and the host's rules, routes and port maps see an
/// interface, as if the bridge were on the host. The gateway answers for these addresses (Neighbour) and sends on by the bridge's own uplink whatever is
/// for none of the bridges, so that the host can tell by the interface which bridge a packet is from. Its other settings follow from that:
/// - a bridge's subnet leads to the bridge, but the host's addresses in it are thrown to the rules that follow;
/// - for what comes in by a bridge, a rule behind the main table chooses a table with a default route by its uplink;
/// - the host's ARP for members is answered by the uplink (proxy_arp); over IPv6 the host has a route by it;
/// - the next hop of IPv4 is an address that only the gateway's own neighbour table knows, so that the host needs no further one.
void put_gateway(Graph& graph, const Network& network);

/// Of each segment: the name of its uplink in the gateway namespace; empty where it has none.
[[nodiscard]] std::vector<std::string> uplinks_of(const Network& network);

}  // namespace topo::network
