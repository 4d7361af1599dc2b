#include "resources/firewall/ways.hpp"

#include <catch2/catch.hpp>

using namespace topo;

namespace {

constexpr std::uint32_t group = 0x74000001;

IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }
Cidr cidr(const std::string& text) { return Cidr::parse(text).value(); }

struct Network : Layout {
  void attach(const std::string& bridge, const std::string& ns, const std::string& interface, const std::vector<std::string>& with) {
    Veth cable;
    cable.ends[0].name = ns + "." + interface;
    cable.ends[0].bridge = bridge;
    cable.ends[1].ns = ns;
    cable.ends[1].name = interface;
    cables.push_back(cable);
    give(ns, interface, with);
  }
  void give(const std::string& ns, const std::string& interface, const std::vector<std::string>& with) {
    for (const auto& address : with) addresses.push_back({ns, interface, cidr(address)});
  }
  void route(const std::string& ns, const std::string& destination, const std::string& via, const std::string& interface) {
    Route made;
    made.ns = ns;
    made.destination = cidr(destination);
    made.next_hops = {{ip(via), interface, 1}};
    routes.push_back(made);
  }
};

/// Bridges lan and dmz; a and b on lan, c on dmz; router r on lan with 10.9.0.0/24 behind it; switch sw with lan's own addresses.
Network network() {
  Network made;
  made.give("", "lan", {"10.1.0.1/24", "fe80::1/64"});
  made.give("", "dmz", {"10.2.0.1/24"});
  made.give("", "eth0", {"198.51.100.2/24"});
  made.attach("lan", "a", "eth0", {"10.1.0.10/24", "fe80::a/64"});
  made.attach("lan", "b", "eth0", {"10.1.0.11/24"});
  made.attach("lan", "r", "eth0", {"10.1.0.5/24"});
  made.attach("dmz", "c", "eth0", {"10.2.0.10/24"});
  made.attach("sw", "p", "eth0", {"10.1.0.10/24"});
  made.attach("sw", "q", "eth0", {"10.1.0.12/24"});
  made.give("r", "in", {"10.9.0.1/24"});
  for (const std::string ns : {"a", "b", "r"}) made.route(ns, "0.0.0.0/0", "10.1.0.1", "eth0");
  made.route("", "0.0.0.0/0", "198.51.100.1", "eth0");
  made.routers = {"r"};
  made.foreign = {{"eth0", 0}};
  made.switches = {{7, "sw"}};
  return made;
}

std::string text(const Way& way) { return way.interface + (way.port.empty() ? "" : ":" + way.port); }

std::string between(const Network& of, const std::string& source, const std::string& destination, std::uint16_t zone = 0) {
  std::string found;
  for (const Crossing& crossing : Ways("", group, of).between(ip(source), ip(destination), zone)) {
    found += (found.empty() ? "" : ", ") + text(crossing.in) + " > " + text(crossing.out);
  }
  return found;
}

}  // namespace

TEST_CASE("members are behind their ports, the rest where routes lead") {
  const Network made = network();
  CHECK(between(made, "10.1.0.10", "10.1.0.11") == "lan:a.eth0 > lan:b.eth0");
  CHECK(between(made, "10.1.0.10", "10.2.0.10") == "lan:a.eth0 > dmz:c.eth0");
  CHECK(between(made, "10.1.0.10", "10.1.0.1") == "lan:a.eth0 > ");
  CHECK(between(made, "fe80::a", "fe80::1") == "lan:a.eth0 > ");
  CHECK(between(made, "10.1.0.10", "203.0.113.9") == "lan:a.eth0 > eth0");
  CHECK(between(made, "203.0.113.9", "198.51.100.2") == "eth0 > ");
  CHECK(between(made, "10.1.0.10", "2001:db8::9") == "lan:a.eth0 > ?");
}

TEST_CASE("what is behind a router comes by its port") {
  Network made = network();
  CHECK(between(made, "10.9.0.2", "10.1.0.11") == "lan:r.eth0 > lan:b.eth0");
  CHECK(between(made, "10.1.0.11", "10.9.0.2") == "lan:b.eth0 > lan:r.eth0");
  SECTION("also where only the receiver's route or the gateway's says so") {
    made.route("b", "10.7.0.0/24", "10.1.0.5", "eth0");
    CHECK(between(made, "10.1.0.11", "10.7.0.2") == "lan:b.eth0 > lan:r.eth0");
    CHECK(between(made, "10.7.0.2", "10.1.0.11") == "eth0 > lan:b.eth0, lan:r.eth0 > lan:b.eth0");
    made.route("", "10.6.0.0/24", "10.1.0.5", "lan");
    CHECK(between(made, "10.6.0.2", "10.2.0.10") == "lan:r.eth0 > dmz:c.eth0");
  }
  SECTION("a router between two bridges carries only what is handed to it") {
    made.attach("dmz", "r", "eth1", {"10.2.0.5/24"});
    CHECK(between(made, "10.1.0.10", "10.2.0.10") == "lan:a.eth0 > dmz:c.eth0");
    made.route("a", "10.2.0.0/24", "10.1.0.5", "eth0");
    CHECK(between(made, "10.1.0.10", "10.2.0.10") == "lan:a.eth0 > lan:r.eth0");
  }
}

TEST_CASE("an address that nobody on the bridge is known by may be at any port that shows none") {
  Network made = network();
  made.attach("lan", "d", "eth0", {});
  CHECK(between(made, "10.1.0.77", "10.1.0.10") == "lan > lan:a.eth0, lan:r.eth0 > lan:a.eth0, lan:d.eth0 > lan:a.eth0");
}

TEST_CASE("a plain switch is a world of its own") {
  Network made = network();
  CHECK(between(made, "10.1.0.10", "10.1.0.12", 7) == "sw:p.eth0 > sw:q.eth0");
  CHECK(between(made, "10.1.0.10", "203.0.113.9", 7) == "sw:p.eth0 > sw");
  made.attach("sw", "r", "eth1", {"10.1.0.9/24"});
  CHECK(between(made, "203.0.113.9", "10.1.0.10", 7) == "sw:r.eth1 > sw:p.eth0");
  const Ways ways("", group, made);
  CHECK(ways.is_own_zone(7));
  CHECK(!ways.is_own_zone(8));
}

TEST_CASE("an address is own by its member, its network or a route by own interfaces") {
  Network made = network();
  made.route("", "10.6.0.0/24", "10.1.0.5", "lan");
  const Ways ways("", group, made);
  for (const char* own : {"10.1.0.1", "10.1.0.10", "10.1.0.200", "10.6.0.1", "fe80::a", "fe80::1"}) CHECK(ways.is_own(ip(own)));
  for (const char* foreign : {"198.51.100.2", "198.51.100.7", "203.0.113.9", "127.0.0.1", "10.9.0.2", "fe80::2"}) CHECK(!ways.is_own(ip(foreign)));
  CHECK(ways.is_behind_router(ip("10.9.0.2")));
  CHECK(!ways.is_behind_router(ip("10.1.0.10")));
  CHECK(!ways.is_behind_router(ip("203.0.113.9")));
}
