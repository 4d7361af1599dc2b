#include "kernel/message.hpp"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <catch2/catch.hpp>
#include <cstddef>

#include "kernel/records.hpp"

using namespace topo::kernel;

TEST_CASE("attributes are found again where they were put, nested ones with their fixed part") {
  ifinfomsg fixed{};
  fixed.ifi_index = 7;
  Message message(RTM_NEWLINK, NLM_F_CREATE, fixed);
  message.put_text(IFLA_IFNAME, "eth0").put_u32(IFLA_MTU, 1400);
  ifinfomsg inner{};
  inner.ifi_index = 9;
  message.nest(IFLA_LINKINFO, [&] { message.nest_with(IFLA_INFO_DATA, inner, [&] { message.put_u8(1, 42); }); });
  REQUIRE(message.fits());
  nlmsghdr* const header = message.header();
  CHECK(header->nlmsg_flags == (NLM_F_REQUEST | NLM_F_CREATE));
  CHECK(static_cast<ifinfomsg*>(nlmsg_data(header))->ifi_index == 7);
  CHECK(std::string(nla_get_string(nlmsg_find_attr(header, sizeof fixed, IFLA_IFNAME))) == "eth0");
  CHECK(nla_get_u32(nlmsg_find_attr(header, sizeof fixed, IFLA_MTU)) == 1400);
  nlattr* const info = nlmsg_find_attr(header, sizeof fixed, IFLA_LINKINFO);
  REQUIRE(info != nullptr);
  nlattr* const nested = nla_find(static_cast<nlattr*>(nla_data(info)), nla_len(info), IFLA_INFO_DATA);
  REQUIRE(nested != nullptr);
  CHECK(static_cast<ifinfomsg*>(nla_data(nested))->ifi_index == 9);
  auto* const value = reinterpret_cast<nlattr*>(static_cast<char*>(nla_data(nested)) + sizeof inner);
  CHECK(nla_get_u8(value) == 42);
}

TEST_CASE("each record of a multipath route says its own length") {
  const rtmsg fixed{};
  Message message(RTM_NEWROUTE, 0, fixed);
  rtnexthop hop{};
  message.nest(RTA_MULTIPATH, [&] {
    message.record(hop, offsetof(rtnexthop, rtnh_len), [&] { message.put_u32(RTA_GATEWAY, 1); });
    message.record(hop, offsetof(rtnexthop, rtnh_len), [] {});
  });
  nlattr* const list = nlmsg_find_attr(message.header(), sizeof fixed, RTA_MULTIPATH);
  REQUIRE(list != nullptr);
  REQUIRE(nla_len(list) == 16 + 8);
  CHECK(static_cast<rtnexthop*>(nla_data(list))->rtnh_len == 16);
  CHECK(reinterpret_cast<rtnexthop*>(static_cast<char*>(nla_data(list)) + 16)->rtnh_len == 8);
}

TEST_CASE("what does not fit makes the message unusable, for good") {
  const rtmsg fixed{};
  Message message(RTM_NEWROUTE, 0, fixed, 64);
  message.put_text(1, std::string(100, 'x'));
  CHECK_FALSE(message.fits());
  message.nest(2, [&] { message.put_u8(3, 1); });
  CHECK_FALSE(message.fits());
}

TEST_CASE("links are found by index, name and alternative name") {
  Snapshot snapshot;
  for (const int index : {5, 1, 3}) {
    LinkRecord link;
    link.index = index;
    link.name = "n" + std::to_string(index);
    if (index == 3) link.alternative_names = {"other"};
    snapshot.links.push_back(link);
  }
  snapshot.index_links();
  REQUIRE(snapshot.link(3) != nullptr);
  CHECK(snapshot.link(3)->name == "n3");
  CHECK(snapshot.link(4) == nullptr);
  CHECK(snapshot.link("other") == snapshot.link(3));
  CHECK(snapshot.link("n5")->index == 5);
  CHECK(snapshot.link("none") == nullptr);
  LinkRecord settings;
  settings.ipv4 = {1, 2};
  CHECK(settings.ipv4_setting(2) == 2);
  CHECK(settings.ipv4_setting(3) == 0);
}
