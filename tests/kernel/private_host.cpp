#include "kernel/private_host.hpp"

#include <catch2/catch.hpp>

#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "kernel/sysctl.hpp"

namespace topo::kernel {
namespace {

std::string value_of(const std::string& name) { return read_sysctl(name).value().value_or(""); }

TEST_CASE("a network is settled as a fresh Linux has it, whatever it inherited") {
  const auto home = own_namespace();
  REQUIRE(home);
  const auto inside = Inside::enter_new(home->get());
  REQUIRE(inside);
  const std::string names[] = {"net/ipv4/ip_forward",
                               "net/ipv4/conf/all/rp_filter",
                               "net/ipv4/conf/default/rp_filter",
                               "net/ipv4/conf/default/forwarding",
                               "net/ipv4/conf/all/arp_ignore",
                               "net/ipv4/conf/default/route_localnet",
                               "net/ipv6/conf/all/forwarding"};
  for (const auto& name : names) REQUIRE(write_sysctl(name, "1"));
  REQUIRE(settle_network());
  for (const auto& name : names) {
    INFO(name);
    CHECK(value_of(name) == "0");
  }
  const auto here = own_namespace();
  REQUIRE(here);
  Channel channel(here->get(), here->get());
  const auto loopback = read_link(channel, "lo");
  REQUIRE(loopback);
  CHECK(loopback.value()->is_up());
}

}  // namespace
}  // namespace topo::kernel
