// `gateway: own`.
#include "policy/gateway.hpp"

#include "graph/gateway.hpp"
#include "policy/compile.hpp"
#include "wanted.hpp"

using namespace topo;
using namespace topo::test;

namespace {

const std::string lab = R"(
bridges: { lan: { subnet: [10.1.0.0/24, "fd00:1::/64"], nat: masquerade }, dmz: { subnet: 10.2.0.0/24 }, quiet: { address: none } }
namespaces: { a: { attach: lan }, b: { attach: dmz }, c: { attach: { quiet: 10.1.0.2/24 } }, d: {} }
links: [{ between: [d, host:d-end], addresses: [10.9.0.2/24, 10.9.0.1/24] }]
ports: { 80: a:80 }
policy: { allow: [a -> b:5432, d -> b], deny: [any -> b:22, b -> host] }
)";

const policy::Intent& meant_in(const Desired& desired, const std::string& ns) {
  const Node* node = desired.graph.find("firewall " + ns);
  REQUIRE(node != nullptr);
  return *std::get<Firewall>(node->resource).meant;
}

bool has(const Desired& desired, const std::string& id) { return desired.graph.find(id) != nullptr; }

}  // namespace

TEST_CASE("a gateway of its own has the bridges, the host an end of each that it has a part in") {
  const Desired own = wanted("gateway: own" + lab);
  CHECK(the<Namespace>(own, "namespace t-gateway").forwards);
  for (const std::string name : {"lan", "dmz", "quiet"}) CHECK(has(own, "bridge t-gateway:" + name));
  const Veth& uplink = the<Veth>(own, "veth :lan=t-gateway:uplink.lan");
  CHECK((uplink.ends[0].gateway_v4 && uplink.ends[0].ipv6 && uplink.ends[0].route_localnet));
  CHECK_FALSE(has(own, "veth :quiet=t-gateway:uplink.quiet"));
  CHECK_FALSE(the<Bridge>(own, "bridge t-gateway:lan").route_localnet);
  CHECK(has(own, "address :lan 10.1.0.1/24"));
  CHECK(has(own, "address :lan fd00:1::1/64"));
  CHECK(has(own, "neighbour t-gateway:lan 10.1.0.1 proxy"));
  CHECK(has(own, "neighbour t-gateway:lan fd00:1::1 proxy"));
  CHECK(the<Route>(own, "route t-gateway 10.1.0.1/32 table 254 metric 0").type == Route::Type::throw_);
  CHECK(has(own, "route  fd00:1::/64 table 254 metric 128"));
  CHECK(has(own, "veth :d-end=d:eth0"));
}

TEST_CASE("the host decides what it alone can tell, the gateway the rest") {
  const Desired own = wanted("gateway: own" + lab);
  const policy::Intent& host = meant_in(own, "");
  const policy::Intent& gateway = meant_in(own, "t-gateway");
  REQUIRE(host.segments.size() == 3);  // d-end, dmz, lan
  CHECK(std::none_of(host.segments.begin(), host.segments.end(), [](const auto& it) { return it.bridge || it.filtered; }));
  CHECK(host.ports.size() == 1);
  CHECK(host.members[host.ports.front().member].ns == "a");
  CHECK(host.allow.size() == 2);  // a port map may lead there
  CHECK(host.deny.size() == 2);
  CHECK_FALSE(host.statements.empty());
  CHECK(gateway.segments.size() == 5);  // three bridges, two uplinks
  CHECK(gateway.ports.empty());
  CHECK(gateway.statements.empty());
  REQUIRE(gateway.deny.size() == 2);
  CHECK(gateway.deny.front().from.segments.size() == 3);  // what comes from the host the host has decided
  CHECK(gateway.deny.back().to.host);  // its own few addresses are the host's too
  CHECK(gateway.allow.size() == 5);  // two ways by each uplink
  for (const auto& segment : gateway.segments) CHECK(segment.nat.kind == Nat::Kind::none);
}

TEST_CASE("without port maps and links to it the host has nothing to say between members") {
  const Desired own = wanted(R"(gateway: own
bridges: { lan: { subnet: 10.1.0.0/24, nat: masquerade }, dmz: { subnet: 10.2.0.0/24 } }
namespaces: { a: { attach: lan }, b: { attach: dmz } }
policy: { allow: [a -> b:5432], deny: [b -> host] }
)");
  CHECK(meant_in(own, "").allow.empty());
  CHECK(meant_in(own, "").deny.size() == 1);
  CHECK(meant_in(own, "t-gateway").allow.size() == 5);
}

TEST_CASE("of plain switches alone the host knows nothing, and the gateway keeps what the file says") {
  const Desired own = wanted("gateway: own\nbridges: { s: { address: none, isolated: true } }\nnamespaces: { a: { attach: { s: 10.1.0.1/24 } } }\n");
  CHECK_FALSE(has(own, "firewall "));
  CHECK(meant_in(own, "t-gateway").statements.size() == 2);
}

TEST_CASE("seen with its bridges on the host it is the same as with gateway: host") {
  const Desired own = wanted("gateway: own" + lab), host = wanted("gateway: host" + lab);
  CHECK_FALSE(with_bridges_on_host(host.graph));
  const auto moved = with_bridges_on_host(own.graph);
  REQUIRE(moved);
  std::vector<Id> ids, wanted_ids;
  for (const auto& [id, node] : moved->nodes()) ids.push_back(id);
  for (const auto& [id, node] : host.graph.nodes()) wanted_ids.push_back(id);
  CHECK(ids == wanted_ids);
}

TEST_CASE("what a gateway of its own cannot do is refused") {
  refuses("gateway: own\nbridges: { lan: {} }\nnamespaces: { @t-gateway: {} }\n", "is the topology's gateway | name this one otherwise");
  refuses("gateway: own\nbridges: { lan: { subnet: @169.254.7.0/24 } }\n", "169.254.0.0/16");
  refuses("gateway: own\nbridges: { @lan: { subnet: 10.1.0.0/24 }, uplink.lan: { subnet: 10.2.0.0/24 } }\n", "is to be \"uplink.lan\", as another interface there is | name them apart");
  refuses("gateway: own\nbridges: { lan: { subnet: 10.1.0.0/24 }, @s: { address: none } }\nlinks: [{ between: [lan, s] }]\n",
          "cannot tell who is on \"s\", which has no address, from who is on \"lan\", which a cable joins it to | attach to one of them alone");
  (void)wanted("gateway: own\nbridges: { lan: { subnet: 10.1.0.0/24 } }\nnamespaces: { a: {} }\nlinks: [{ between: [\"host:uplink.lan\", a] }]\n");
  const std::string shared = R"(gateway: own
bridges: { lan: { subnet: 10.1.0.0/24, nat: masquerade }, dmz: { subnet: 10.2.0.0/24 } }
namespaces: { r: { router: true, attach: lan }, a: { attach: lan }, b: { attach: dmz } }
policy: { PART: [FLOW] }
)";
  const auto with = [&](const std::string& part, const std::string& flow) {
    std::string text = shared;
    text.replace(text.find("PART"), 4, part);
    text.replace(text.find("FLOW"), 4, flow);
    return text;
  };
  refuses(with("deny", "@r -> host"), "cannot tell what is from \"r\", a router, from others on \"lan\" | give it a bridge of its own");
  refuses(with("deny", "@r -> internet"), "a router");
  refuses(with("allow", "@r -> any"), "a router");
  (void)wanted(with("allow", "r -> b"));
  (void)wanted(with("deny", "lan -> host"));
  (void)wanted(with("deny", "a -> host"));
}
