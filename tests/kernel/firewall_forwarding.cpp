// The outside interfaces' forwarding and what the shared chain remembers of it.
#include "firewall_scratch.hpp"

namespace topo::firewall {
namespace {

Firewall forwarding_firewall(const std::string& topology, bool v6 = false) {
  Firewall firewall = small_firewall(topology);
  firewall.forwards_v4 = true;
  firewall.forwards_v6 = v6;
  return firewall;
}

std::string path(const std::string& interface) { return "/proc/sys/net/ipv4/conf/" + interface + "/forwarding"; }
std::string path_v6(const std::string& interface) { return "/proc/sys/net/ipv6/conf/" + interface + "/force_forwarding"; }

/// eth0 and eth1 are the outside; lan is a link of topology t, member a port of a stranger's bridge.
void add_links() {
  shell("ip link add eth0 type bridge && ip link add eth1.100 type bridge && ip link add lan type bridge && ip link set lan group " +
        std::to_string(link_group("t")) +
        " && ip link add br-stranger type bridge && ip link add member type veth peer name far && ip link set member master br-stranger && ip link "
        "set far master br-stranger");
  for (const char* name : {"eth0", "eth1.100", "br-stranger", "lan", "member", "far"}) {
    write_file(path(name), "0");
    write_file(path_v6(name), "0");
  }
}

std::string shared_rules(const char* tool = "iptables-legacy") { return shell(std::string(tool) + " -S TOPO 2>/dev/null || true"); }

constexpr const char* guard_front =
    "-m devgroup ! --dst-group 0x74000000/0xff000000 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -m comment --comment "
    "\"topo:v1:sysctl:net.ipv4.conf.";

}  // namespace

TEST_CASE("forwarding of the outside interfaces is turned on, remembered, guarded and put back") {
  const Scratch scratch;
  add_links();
  write_file(path("br-stranger"), "1");  // the host's own doing
  const Firewall wanted = forwarding_firewall("t");
  must(replace(scratch.place(), "t", &wanted));
  CHECK(must(observe(scratch.place(), "t")) == wanted);
  CHECK(read_file(path("eth0")) == "1\n");
  CHECK(read_file(path("eth1.100")) == "1\n");
  CHECK(read_file(path("lan")) == "0\n");
  CHECK(read_file(path("lo")) == "0\n");
  CHECK(read_file(path("member")) == "0\n");
  CHECK(read_file("/proc/sys/net/ipv4/ip_forward") == "0\n");
  CHECK(shared_rules() == "-N TOPO\n-A TOPO -i eth0 " + std::string(guard_front) + "eth0.forwarding=0\" -j DROP\n-A TOPO -i eth1.100 " + guard_front +
                              "eth1.100.forwarding=0\" -j DROP\n-A TOPO -m comment --comment \"topo:v1:t:forwards\" -j RETURN\n");
  CHECK(shell("iptables-legacy -S FORWARD").find("-A FORWARD -m comment --comment \"topo:v1\" -j TOPO\n") != std::string::npos);
  must(replace(scratch.place(), "t", nullptr));
  CHECK(read_file(path("eth0")) == "0\n");
  CHECK(read_file(path("eth1.100")) == "0\n");
  CHECK(read_file(path("br-stranger")) == "1\n");
  CHECK(shared_rules().empty());
  CHECK(shell("iptables-legacy -S FORWARD") == "-P FORWARD ACCEPT\n");
}

TEST_CASE("what somebody else set meanwhile is left alone") {
  const Scratch scratch;
  add_links();
  const Firewall wanted = forwarding_firewall("t");
  must(replace(scratch.place(), "t", &wanted));
  SECTION("an interface turned off") {
    write_file(path("eth0"), "0");
    write_file(path("eth0"), "0");
    const auto live = must(observe(scratch.place(), "t"));
    REQUIRE(live);
    CHECK(!live->forwards_v4);
    must(replace(scratch.place(), "t", nullptr));
    CHECK(read_file(path("eth0")) == "0\n");
    CHECK(read_file(path("eth1.100")) == "0\n");
  }
  SECTION("the whole host turned on") {
    write_file("/proc/sys/net/ipv4/ip_forward", "1");
    must(replace(scratch.place(), "t", nullptr));
    CHECK(read_file(path("eth0")) == "1\n");
    CHECK(shared_rules().empty());
  }
  SECTION("the whole host turned on, and applied again: the guards fall") {
    write_file("/proc/sys/net/ipv4/ip_forward", "1");
    must(replace(scratch.place(), "t", &wanted));
    CHECK(shared_rules() == "-N TOPO\n-A TOPO -m comment --comment \"topo:v1:t:forwards\" -j RETURN\n");
  }
  SECTION("an interface gone") {
    shell("ip link del eth0");
    must(replace(scratch.place(), "t", nullptr));
    CHECK(shared_rules().empty());
    CHECK(read_file(path("eth1.100")) == "0\n");
  }
}

TEST_CASE("one interface off in a host that forwards goes back to off") {
  const Scratch scratch;
  add_links();
  write_file("/proc/sys/net/ipv4/ip_forward", "1");
  write_file(path("eth0"), "0");
  const Firewall wanted = forwarding_firewall("t");
  must(replace(scratch.place(), "t", &wanted));
  CHECK(read_file(path("eth0")) == "1\n");
  must(replace(scratch.place(), "t", &wanted));
  CHECK(shared_rules().find("eth0.forwarding=0 all=1") != std::string::npos);
  must(replace(scratch.place(), "t", nullptr));
  CHECK(read_file(path("eth0")) == "0\n");
  CHECK(read_file(path("eth1.100")) == "1\n");
}

TEST_CASE("the last topology that needs it puts forwarding back") {
  const Scratch scratch;
  add_links();
  const Firewall one = forwarding_firewall("one"), two = forwarding_firewall("two"), without = small_firewall("three");
  must(replace(scratch.place(), "one", &one));
  must(replace(scratch.place(), "two", &two));
  must(replace(scratch.place(), "three", &without));
  CHECK(must(observe(scratch.place(), "two")) == two);
  CHECK(must(observe(scratch.place(), "three")) == without);
  must(replace(scratch.place(), "one", nullptr));
  CHECK(!must(observe(scratch.place(), "one")));
  CHECK(read_file(path("eth0")) == "1\n");
  CHECK(must(observe(scratch.place(), "two")) == two);
  // The need alone ends; the topology stays.
  const Firewall inward = small_firewall("two");
  must(replace(scratch.place(), "two", &inward));
  CHECK(read_file(path("eth0")) == "0\n");
  CHECK(shared_rules().empty());
  CHECK(must(observe(scratch.place(), "two")) == inward);
}

TEST_CASE("a shared chain without its jump, and an interface that came later, are differences and are put right") {
  const Scratch scratch;
  add_links();
  const Firewall wanted = forwarding_firewall("t");
  must(replace(scratch.place(), "t", &wanted));
  const auto disturb =
      GENERATE(as<std::string>(), "iptables-legacy -D FORWARD -m comment --comment topo:v1 -j TOPO",
               "ip link add eth2 type bridge; echo 0 >/proc/sys/net/ipv4/conf/eth2/forwarding", "echo 0 >/proc/sys/net/ipv4/conf/eth0/forwarding");
  shell(disturb);
  const auto live = must(observe(scratch.place(), "t"));
  REQUIRE(live);
  CHECK(!live->forwards_v4);
  must(replace(scratch.place(), "t", &wanted));
  CHECK(must(observe(scratch.place(), "t")) == wanted);
  must(replace(scratch.place(), "t", nullptr));
  CHECK(shell("cat /proc/sys/net/ipv4/conf/eth*/forwarding | sort -u") == "0\n");
}

TEST_CASE("a chain TOPO that is not topo's is in the way where it is needed, and is left alone") {
  const Scratch scratch;
  add_links();
  const Firewall wanted = forwarding_firewall("t"), inward = small_firewall("t");
  using Found = std::vector<std::pair<std::string, std::string>>;
  const auto foreign = [&](const Firewall* firewall) { return must(foreign_chains(scratch.place(), "t", firewall)); };
  const std::string chain = "chain TOPO of the IPv4 table filter";
  SECTION("a stranger's") {
    const auto rules = GENERATE(as<std::string>(), "", "-A TOPO -p tcp -m tcp --dport 99 -j DROP\n");
    restore(Family::v4, "*filter\n:TOPO -\n" + rules + "COMMIT\n");
    const auto before = shared_rules();
    CHECK(foreign(&wanted) == Found{{chain, "is not made by topo"}});
    CHECK(foreign(&inward).empty());
    CHECK(replace(scratch.place(), "t", &wanted).error().exit == Exit::conflict);
    must(replace(scratch.place(), "t", &inward));
    must(replace(scratch.place(), "t", nullptr));
    CHECK(shared_rules() == before);
  }
  SECTION("topo's, with a stranger's rule in it") {
    must(replace(scratch.place(), "t", &wanted));
    shell("iptables-legacy -A TOPO -p tcp --dport 99 -j DROP");
    const auto rules = shared_rules();
    CHECK(foreign(&wanted) == Found{{chain, "holds rules that are not topo's"}});
    CHECK(foreign(nullptr) == foreign(&wanted));
    CHECK(must(foreign_chains(scratch.place(), "other", nullptr)).empty());
    CHECK(replace(scratch.place(), "t", nullptr).error().exit == Exit::conflict);
    CHECK(shared_rules() == rules);
  }
  SECTION("topo's, emptied together with all others") {
    must(replace(scratch.place(), "t", &wanted));
    shell("iptables-legacy -F");
    CHECK(foreign(&wanted).empty());
    must(replace(scratch.place(), "t", nullptr));
    CHECK(shared_rules().empty());
  }
}

TEST_CASE("a kill between the memory and the setting leaves what the next change completes or takes back") {
  const Scratch scratch;
  add_links();
  const Firewall wanted = forwarding_firewall("t");
  must(replace(scratch.place(), "t", &wanted));
  write_file(path("eth0"), "0");  // as if it had not been written yet
  write_file(path("eth1.100"), "0");
  SECTION("completes") {
    must(replace(scratch.place(), "t", &wanted));
    CHECK(must(observe(scratch.place(), "t")) == wanted);
    must(replace(scratch.place(), "t", nullptr));
  }
  SECTION("takes back") { must(replace(scratch.place(), "t", nullptr)); }
  CHECK(read_file(path("eth0")) == "0\n");
  CHECK(shared_rules().empty());
  CHECK(!must(observe(scratch.place(), "t")));
}

TEST_CASE("who empties the tables or renames an interface opens no way for strangers, and takes no memory away") {
  const Scratch scratch;
  add_links();
  write_file(path("br-stranger"), "1");  // the host's own doing
  const std::string state = shell("mktemp -d");
  Place place = scratch.place();
  place.state = state.substr(0, state.size() - 1);
  const Firewall wanted = forwarding_firewall("t", true);
  must(replace(place, "t", &wanted));
  const auto rules = shared_rules(), rules_v6 = shared_rules("ip6tables-legacy");
  CHECK(shell("stat -c '%a' " + place.state + "/host.forwarding") == "600\n");
  std::string interface = "eth0";
  SECTION("emptied") {
    shell("iptables-legacy -F; iptables-legacy -X; ip6tables-legacy -F; ip6tables-legacy -X");
    const auto live = must(observe(place, "t"));
    REQUIRE(live);
    CHECK(!live->forwards_v4);
    CHECK(!live->forwards_v6);
    SECTION("and applied again") {
      must(replace(place, "t", &wanted));
      CHECK(shared_rules() == rules);
      CHECK(shared_rules("ip6tables-legacy") == rules_v6);
    }
  }
  SECTION("renamed") {
    interface = "wan0";
    shell("ip link set eth0 down; ip link set eth0 name wan0");
    CHECK(!must(observe(place, "t"))->forwards_v4);
    SECTION("and applied again") {
      must(replace(place, "t", &wanted));
      CHECK(must(observe(place, "t")) == wanted);
      CHECK(shared_rules().find("-i wan0 ") != std::string::npos);
      CHECK(shared_rules().find("-i eth0 ") == std::string::npos);
    }
  }
  SECTION("neither, and the host's owner forwards as a whole meanwhile") {
    write_file("/proc/sys/net/ipv4/ip_forward", "1");
    write_file("/proc/sys/net/ipv4/ip_forward", "0");
    CHECK(!must(observe(place, "t"))->forwards_v4);
    must(replace(place, "t", &wanted));
    CHECK(must(observe(place, "t")) == wanted);
  }
  must(replace(place, "t", nullptr));
  CHECK(read_file(path(interface)) == "0\n");
  CHECK(read_file(path_v6(interface)) == "0\n");
  CHECK(read_file(path("eth1.100")) == "0\n");
  CHECK(shared_rules().empty());
  CHECK(!must(observe(place, "t")));
  shell("rmdir " + place.state);  // nothing is left in it
}

TEST_CASE("IPv6 is forwarded interface by interface, and not at all where the host does it as a whole") {
  const Scratch scratch;
  add_links();
  const Firewall wanted = forwarding_firewall("t", true);
  SECTION("interface by interface") {
    must(replace(scratch.place(), "t", &wanted));
    CHECK(must(observe(scratch.place(), "t")) == wanted);
    CHECK(read_file(path_v6("eth0")) == "1\n");
    CHECK(read_file(path_v6("lan")) == "0\n");
    CHECK(read_file("/proc/sys/net/ipv6/conf/all/forwarding") == "0\n");
    CHECK(shared_rules("ip6tables-legacy").find("net.ipv6.conf.eth0.force_forwarding=0") != std::string::npos);
    must(replace(scratch.place(), "t", nullptr));
    CHECK(read_file(path_v6("eth0")) == "0\n");
    CHECK(shared_rules("ip6tables-legacy").empty());
  }
  SECTION("as a whole") {
    write_file("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    must(replace(scratch.place(), "t", &wanted));
    CHECK(must(observe(scratch.place(), "t")) == wanted);
    CHECK(read_file(path_v6("eth0")) == "0\n");
    CHECK(shared_rules("ip6tables-legacy").find("DROP") == std::string::npos);
  }
}

TEST_CASE("a namespace without an outside converges too") {
  const Scratch scratch;
  const Firewall wanted = forwarding_firewall("t", true);
  must(replace(scratch.place(), "t", &wanted));
  CHECK(must(observe(scratch.place(), "t")) == wanted);
  must(replace(scratch.place(), "t", nullptr));
  CHECK(!must(observe(scratch.place(), "t")));
}

}  // namespace topo::firewall
