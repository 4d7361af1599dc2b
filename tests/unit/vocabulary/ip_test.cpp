#include "topo/ip.hpp"

#include <catch2/catch.hpp>

#include "topo/mac.hpp"

using topo::Cidr;
using topo::Family;
using topo::IpAddress;
using topo::Mac;

namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
Cidr cidr(const char* text) { return Cidr::parse(text).value(); }

}  // namespace

TEST_CASE("addresses are read strictly and written canonically") {
  CHECK(ip("192.168.10.1").to_string() == "192.168.10.1");
  CHECK(ip("FD00:0:0:0::1").to_string() == "fd00::1");
  CHECK(ip("::").to_string() == "::");
  CHECK(ip("::ffff:1.2.3.4").family() == Family::v6);
  for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "0x1.2.3.4", "1.2.3.4/24", ":",
                          ":::", "fd00::1::2", "fd00::g", "fe80::1%eth0", "[::1]", "12345::", "1:2:3:4:5:6:7:8:9"}) {
    INFO(bad);
    CHECK_FALSE(IpAddress::parse(bad));
  }
  CHECK_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0.5", 10)));
  CHECK_FALSE(IpAddress::parse(std::string(100, '1')));
}

TEST_CASE("addresses are ordered by family, then as numbers") {
  CHECK(ip("9.0.0.0") < ip("10.0.0.0"));
  CHECK(ip("255.255.255.255") < ip("::"));
  CHECK(ip("fd00::9") < ip("fd00::10"));
  CHECK(ip("0.0.0.0") != ip("::"));
  const std::uint8_t bytes[]{10, 0, 0, 1, 77};
  CHECK(IpAddress::from_bytes(Family::v4, bytes) == ip("10.0.0.1"));
  CHECK(IpAddress::any(Family::v6) == ip("::"));
}

TEST_CASE("kinds of addresses, at their borders") {
  CHECK(ip("127.255.255.255").is_loopback());
  CHECK_FALSE(ip("128.0.0.0").is_loopback());
  CHECK(ip("::1").is_loopback());
  CHECK_FALSE(ip("::2").is_loopback());
  CHECK_FALSE(ip("1::1").is_loopback());
  CHECK(ip("0.0.0.0").is_unspecified());
  CHECK(ip("::").is_unspecified());
  CHECK_FALSE(ip("0.0.0.1").is_unspecified());
  CHECK_FALSE(ip("223.255.255.255").is_multicast());
  CHECK(ip("224.0.0.0").is_multicast());
  CHECK(ip("239.255.255.255").is_multicast());
  CHECK_FALSE(ip("240.0.0.0").is_multicast());
  CHECK(ip("ff02::1").is_multicast());
  CHECK_FALSE(ip("fe00::").is_multicast());
  CHECK(ip("169.254.0.1").is_link_local());
  CHECK_FALSE(ip("169.253.0.1").is_link_local());
  CHECK(ip("fe80::1").is_link_local());
  CHECK(ip("febf::1").is_link_local());
  CHECK_FALSE(ip("fec0::1").is_link_local());
  CHECK(ip("::ffff:0.0.0.0").is_v4_mapped());
  CHECK_FALSE(ip("::fffe:0.0.0.0").is_v4_mapped());
  CHECK_FALSE(ip("1.2.3.4").is_v4_mapped());
}

TEST_CASE("adding to an address carries, and stops at the end") {
  CHECK(ip("10.0.0.255").plus(1) == ip("10.0.1.0"));
  CHECK(ip("10.0.0.0").plus(0) == ip("10.0.0.0"));
  CHECK(ip("255.255.255.255").plus(0) == ip("255.255.255.255"));
  CHECK_FALSE(ip("255.255.255.255").plus(1));
  CHECK_FALSE(ip("10.0.0.0").plus(std::uint64_t{1} << 32));
  CHECK(ip("fd00::ffff:ffff:ffff:ffff").plus(1) == ip("fd00:0:0:1::"));
  CHECK(ip("::").plus(~std::uint64_t{0}) == ip("::ffff:ffff:ffff:ffff"));
  CHECK_FALSE(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").plus(1));
}

TEST_CASE("networks are read strictly") {
  CHECK(cidr("10.0.0.1/24").to_string() == "10.0.0.1/24");
  CHECK(cidr("fd00::/0").prefix() == 0);
  for (const char* bad : {"10.0.0.0", "10.0.0.0/", "/24", "10.0.0.0/33", "fd00::/129", "10.0.0.0/024", "10.0.0.0/+4", "10.0.0.0/-1", "10.0.0.0/ 8",
                          "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/255", "10.0.0.0/256", "10.0.0.0/4294967304"}) {
    INFO(bad);
    CHECK_FALSE(Cidr::parse(bad));
  }
}

TEST_CASE("what a network holds") {
  CHECK(cidr("10.0.0.77/24").network() == cidr("10.0.0.0/24"));
  CHECK(cidr("10.0.7.77/21").network() == cidr("10.0.0.0/21"));
  CHECK(cidr("fd00::ff/121").network() == cidr("fd00::80/121"));
  CHECK(cidr("10.0.0.0/24").is_network());
  CHECK_FALSE(cidr("10.0.0.1/24").is_network());
  CHECK(cidr("10.0.0.0/21").last() == ip("10.0.7.255"));
  CHECK(cidr("fd00::/64").last() == ip("fd00::ffff:ffff:ffff:ffff"));
  CHECK(cidr("10.0.0.0/32").last() == ip("10.0.0.0"));
  CHECK(cidr("10.0.0.9/24").contains(ip("10.0.0.255")));
  CHECK_FALSE(cidr("10.0.0.0/24").contains(ip("10.0.1.0")));
  CHECK_FALSE(cidr("0.0.0.0/0").contains(ip("::")));
  CHECK(cidr("10.0.0.0/8").contains(cidr("10.1.0.0/16")));
  CHECK_FALSE(cidr("10.1.0.0/16").contains(cidr("10.0.0.0/8")));
  CHECK(cidr("10.1.0.0/16").overlaps(cidr("10.0.0.0/8")));
  CHECK_FALSE(cidr("10.1.0.0/16").overlaps(cidr("10.2.0.0/16")));
}

TEST_CASE("which addresses a host can have") {
  CHECK_FALSE(cidr("10.0.0.0/24").usable_by_host(ip("10.0.0.0")));
  CHECK_FALSE(cidr("10.0.0.0/24").usable_by_host(ip("10.0.0.255")));
  CHECK(cidr("10.0.0.0/24").usable_by_host(ip("10.0.0.254")));
  CHECK_FALSE(cidr("10.0.0.0/24").usable_by_host(ip("10.0.1.1")));
  CHECK(cidr("10.0.0.0/31").usable_by_host(ip("10.0.0.0")));
  CHECK(cidr("10.0.0.0/31").usable_by_host(ip("10.0.0.1")));
  CHECK(cidr("10.0.0.7/32").usable_by_host(ip("10.0.0.7")));
  CHECK_FALSE(cidr("fd00::/64").usable_by_host(ip("fd00::")));
  CHECK(cidr("fd00::/64").usable_by_host(ip("fd00::ffff:ffff:ffff:ffff")));
  CHECK(cidr("fd00::/127").usable_by_host(ip("fd00::")));
}

TEST_CASE("Ethernet addresses") {
  CHECK(Mac::parse("02:AB:cd:00:00:01")->to_string() == "02:ab:cd:00:00:01");
  for (const char* bad : {"", "02:00:00:00:00", "02:00:00:00:00:0", "02:00:00:00:00:001", "02-00-00-00-00-01",
                          "0200:00:00:00:01:", "0g:00:00:00:00:01", "02:00:00:00:00:01:"}) {
    INFO(bad);
    CHECK_FALSE(Mac::parse(bad));
  }
  CHECK(Mac::parse("01:00:00:00:00:00")->is_multicast());
  CHECK(Mac::parse("00:00:00:00:00:00")->is_zero());
  CHECK_FALSE(Mac::parse("00:00:00:00:00:01")->is_zero());
  for (const char* seed : {"", "a", "lab/web/eth0"}) {
    const Mac mac = Mac::derived_from(seed);
    CHECK((mac.bytes()[0] & 3U) == 2);
    CHECK(mac == Mac::derived_from(seed));
  }
  CHECK(Mac::derived_from("a") != Mac::derived_from("b"));
  CHECK(Mac::parse("00:11:22:33:44:55")->link_local().to_string() == "fe80::211:22ff:fe33:4455/64");
}
