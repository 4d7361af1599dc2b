// NAT and sysctls.
#include "wanted.hpp"

using namespace topo;
using namespace topo::test;

TEST_CASE("nat needs an address of its family") {
  refuses_each(R"(
bridges: { lan: { subnet: "fd00::/64", nat: { snat: @198.51.100.2 } }, bare: { nat: @masquerade } }
)",
               {"snat to 198.51.100.2, but bridge \"lan\" has no IPv4 address", "nat on bridge \"bare\", which has no subnet"});
  refuses_each(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { r: { router: true, attach: lan, nat: { eth0: { snat: @"fd00::1" }, @eth1: masquerade } } }
)",
               {"snat to fd00::1, but r:eth0 has no IPv6 address", "namespace \"r\" has no interface \"eth1\""});
}

TEST_CASE("snat in a namespace takes an address that it has") {
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { r: { router: true, attach: { lan: 10.0.0.5 }, devices: { lo: 10.7.0.1/32 }, nat: { eth0: { snat: @10.0.0.6 } } } }
)",
          "snat to 10.0.0.6, which namespace \"r\" does not have | its addresses: 10.0.0.5, 10.7.0.1");
  (void)wanted(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces: { r: { router: true, attach: lan, devices: { lo: 10.7.0.1/32 }, nat: { eth0: { snat: 10.7.0.1 } } } }
)");
}

TEST_CASE("sysctls are written as the kernel prints them") {
  const Desired d = wanted(R"(
namespaces: { a: { sysctl: { net.ipv4.tcp_rmem: "4096  131072	6291456 ", net/ipv4/conf/lo/rp_filter: 2, net.ipv4.ip_forward: 0, net.ipv4.x: "0x40 0xg 0x1F", net.ipv4.ip_local_reserved_ports: "9,5,7-8,6,20-30,25,65535", net.ipv6.conf.lo.stable_secret: "2001:db8::1" } }, r: { router: true, sysctl: { net.ipv4.ip_forward: 1 } } }
)");
  CHECK(the<Sysctl>(d, "sysctl a:net/ipv4/tcp_rmem").value == "4096\t131072\t6291456");
  CHECK(the<Sysctl>(d, "sysctl a:net/ipv4/conf/lo/rp_filter").value == "2");
  CHECK(the<Sysctl>(d, "sysctl a:net/ipv4/x").value == "64\t0xg\t31");
  CHECK(the<Sysctl>(d, "sysctl a:net/ipv4/ip_local_reserved_ports").value == "5-9,20-30,65535");
  CHECK(the<Sysctl>(d, "sysctl a:net/ipv6/conf/lo/stable_secret").value == "2001:0db8:0000:0000:0000:0000:0000:0001");
}

TEST_CASE("sysctls that contradict the rest") {
  refuses_each(R"(
namespaces: { a: { sysctl: { @net.ipv4.ip_forward: 1 } }, r: { router: true, sysctl: { @net.ipv6.conf.all.forwarding: 0 } } }
)",
               {"contradicts `router: false` of namespace \"a\" | say `router: true` instead", "contradicts `router: true`"});
  refuses(R"(
namespaces: { a: { sysctl: { @net.ipv4.conf.eth4.rp_filter: 1, net.ipv4.conf.all.rp_filter: 1 } } }
)",
          "namespace \"a\" has no interface \"eth4\" | it has none but lo");
  refuses_each(R"(
bridges: { lan: { subnet: 10.0.0.0/24 } }
namespaces:
  a: { attach: [{ lan: { name: eth0.5 } }, lan], sysctl: { @net.ipv4.conf.eth0.5.rp_filter: 1, net/ipv4/conf/eth0.5/rp_filter: 0, @net.ipv4.conf.eth1.rp_filter: 1 } }
)",
               {"the dots of \"eth0.5\" are taken for those of the sysctl | with dots in a name use slashes: net/ipv4/conf/eth0.5/rp_filter",
                "has no interface \"eth1\" | it has eth0.5, eth0"});
  refuses(R"(
bridges: { lan: { subnet: "fd00::/64" }, old: { subnet: 10.0.0.0/24 } }
namespaces: { a: { attach: [lan, old], sysctl: { @net.ipv6.conf.eth0.disable_ipv6: 1, net.ipv6.conf.eth1.disable_ipv6: 1, net.ipv6.conf.default.disable_ipv6: 1 } } }
)",
          "this takes away the IPv6 addresses of namespace \"a\"");
  refuses(R"(
bridges: { lan: { subnet: 10.0.0.0/24, mtu: 1000 } }
namespaces: { a: { attach: lan, sysctl: { @net.ipv6.conf.eth0.accept_ra: 0, net.ipv4.conf.eth0.rp_filter: 1, net.ipv6.conf.all.accept_ra: 0 } } }
)",
          "an MTU of 1000 is too small for IPv6, so that \"eth0\" has no such sysctl | IPv6 needs 1280 at least");
}

TEST_CASE("a bridge's own settings") {
  const Desired d = wanted(R"(
bridges: { lan: { stp: true, ageing_time: 20, mtu: 9000 } }
)");
  const auto& bridge = the<Bridge>(d, "bridge :lan");
  CHECK(bridge.stp);
  CHECK(bridge.ageing_time_s == 20);
  CHECK(bridge.mtu == 9000);
  CHECK_FALSE(bridge.gateway_v4);
}
