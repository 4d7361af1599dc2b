// What somebody else does to a live topology is seen and repaired; what is somebody else's is left alone.
#include "apply/presence.hpp"
#include "live.hpp"
#include "resources/link/kernel.hpp"

using namespace live;

namespace {

/// `command` must show in the plan with `words`, and be repaired.
void spoil(const std::string& command, const std::string& words) {
  const Lab lab;
  const Graph graph = small();
  bring(graph);
  INFO(command);
  CHECK(shell(command) == "");
  const std::string plan = plan_text(plan_to(graph));
  INFO(plan);
  CHECK(plan.find(words) != std::string::npos);
  bring(graph);
  CHECK(shell("ip netns exec web ping -c1 -W1 10.9.0.1 | grep -c 'bytes from'") == "1\n");
}

}  // namespace

TEST_CASE("drift of every attribute is seen and repaired") {
  spoil("ip link set br0 down", "~ bridge :br0 (state: down -> )");
  spoil("ip link set br0 mtu 1400", "(mtu: 1400 -> 1500)");
  spoil("ip link set br0 address 02:00:00:00:00:01", "(mac: 02:00:00:00:00:01 ->");
  spoil("ip link set br0 alias ''", "(state: alias lost -> )");
  spoil("ip link set br0 group 0", "(state: group lost -> )");
  spoil("ip link set br0 type bridge stp_state 1", "(stp: on -> off)");
  spoil("ip link set br0 type bridge ageing_time 100", "(ageing_time: 1 -> 300)");
  spoil("ip link set br0 type bridge nf_call_iptables 1", "filters one family");
  spoil("sysctl -qw net.ipv4.conf.br0.forwarding=0", "~ bridge :br0 (gateway for IPv4");
  spoil("sysctl -qw net.ipv4.conf.br0.rp_filter=1", "rp_filter is 1");
  spoil("sysctl -qw net.ipv4.conf.br0.rp_filter=0", "rp_filter is 0");
  spoil("sysctl -qw net.ipv4.conf.br0.route_localnet=1", "(route_localnet: on -> off)");
  spoil("sysctl -qw net.ipv6.conf.br0.disable_ipv6=0", "(gateway for IPv6: on -> off)");
  spoil("ip link del br0", "+ bridge :br0");
  spoil("ip link set web.eth0 down", "(state of");
  spoil("ip link set web.eth0 nomaster", "(bridge:  -> br0)");
  spoil("bridge link set dev web.eth0 hairpin on", "(hairpin");
  spoil("ip link set web.eth0 alias ''", "alias lost");
  spoil("ip link set web.eth0 group 7", "group lost");
  spoil("ip link set web.eth0 down; ip link set web.eth0 name other; ip link set other up", "- veth :other=web:eth0");
  spoil("ip link del web.eth0", "+ veth :web.eth0=web:eth0");
  spoil("ip -n web link set eth0 down", "(state of");
  spoil("ip -n web link set eth0 mtu 1400", "(mtu of web:eth0: 1400 -> 1500)");
  spoil("ip -n web link set eth0 address 02:00:00:00:00:01", "(mac of web:eth0");
  spoil("ip -n web link set eth0 alias ''; ip link set web.eth0 alias ''", "alias lost");
  spoil("ip -n web link set eth0 addrgenmode eui64", "addr_gen_mode");
  spoil("ip netns exec web sysctl -qw net.ipv4.conf.eth0.rp_filter=1", "rp_filter is 1");
  spoil("ip -n web link set lo down", "~ namespace web (state: lo is down -> )");
  spoil("ip -n web link set lo alias ''", "mark lost");
  spoil("ip -n web link set lo group 0", "mark lost");
  spoil("ip netns exec web sysctl -qw net.ipv4.ip_forward=1", "~ namespace web (forwarding: on -> off)");
  spoil("ip netns exec web sysctl -qw net.ipv6.conf.all.forwarding=1", "forwards IPv6");
  spoil("ip netns exec web sysctl -qw net.ipv4.conf.all.rp_filter=1", "rp_filter is 1");
  spoil("ip netns del web", "+ namespace web");
  spoil("ip -n web addr del 10.9.0.2/24 dev eth0", "+ address web:eth0 10.9.0.2/24");
  spoil("ip -n web addr add 10.9.0.77/24 dev eth0", "- address web:eth0 10.9.0.77/24");
  spoil("ip -n web addr add 192.0.2.1/32 dev lo", "- address web:lo 192.0.2.1/32");
  spoil("ip addr del 10.9.0.1/24 dev br0", "+ address :br0 10.9.0.1/24");
  spoil("ip -n web route del default", "+ route web 0.0.0.0/0");
  spoil("ip -n web route add 192.0.2.0/24 via 10.9.0.7", "- route web 192.0.2.0/24");
  spoil("ip -n web route add unreachable 192.0.2.0/24", "- route web 192.0.2.0/24");
  spoil("ip -n web route replace default via 10.9.0.7", "~ route web 0.0.0.0/0");
  spoil("ip -n web route append default via 10.9.0.7", "~ route web 0.0.0.0/0");
  spoil("ip -n web rule add from 10.9.0.0/24 table 7", "- rule web");
}

TEST_CASE("what the kernel, a daemon or a stranger puts into an own namespace is no drift") {
  const Lab lab;
  const Graph graph = small();
  bring(graph);
  CHECK(shell("ip -n web route add 192.0.2.0/24 via 10.9.0.7 proto bird; ip -n web route add 192.0.3.0/24 via 10.9.0.7 proto ra;"
              "ip -n web addr add 10.9.0.78/24 dev eth0 valid_lft 1000 preferred_lft 1000;"
              "ip -n web link add strange type bridge; ip -n web link set strange up; ip -n web addr add 192.0.9.1/24 dev strange;"
              "ip -n web route add 192.0.10.0/24 via 192.0.9.2") == "");
  CHECK(plan_text(plan_to(graph)) == "");
}

TEST_CASE("strangers' objects are in the way where they hold a name, and are never touched") {
  const Lab lab;
  const Graph graph = small();
  const auto obstacle = [&](const std::string& make, const std::string& undo, const std::string& what, const std::string& why) {
    CHECK(shell(make) == "");
    const std::string before = shell("ip -d link; ip addr; ls -la /run/netns | wc -l");
    const Observed observed = look(graph);
    INFO(make);
    CHECK(observed.live.empty());
    REQUIRE(observed.obstacles.size() == 1);
    CHECK(observed.obstacles[0].what == what);
    CHECK(observed.obstacles[0].why == why);
    REQUIRE(static_cast<bool>(perform(Graph("lab"))));
    CHECK(shell("ip -d link; ip addr; ls -la /run/netns | wc -l") == before);
    CHECK(shell(undo) == "");
  };
  obstacle("ip link add br0 type bridge", "ip link del br0", "interface br0", "is not made by topo");
  obstacle("ip link add br0 type bridge", "ip link del br0", "interface br0", "is not made by topo");
  obstacle("ip link add other type bridge; ip link property add dev other altname br0", "ip link del other", "interface br0",
           "is another name of other, which is not made by topo");
  obstacle("ip link add br0 type bridge; ip link set br0 group 0x74123456 alias topo:v1:rival::br0", "ip link del br0", "interface br0",
           "belongs to topology rival");
  obstacle("ip link add web.eth0 type bridge", "ip link del web.eth0", "interface web.eth0", "is not made by topo");
  obstacle("ip netns add web", "ip netns del web", "namespace web", "is not made by topo");
  obstacle("ip netns add web; ip -n web link set lo group 0x74123456 alias topo:v1:rival", "ip netns del web", "namespace web",
           "belongs to topology rival");
  obstacle("echo text > /run/netns/web", "rm /run/netns/web", "namespace web", "is no network namespace");
  obstacle("ln -s /proc/self/ns/net /run/netns/web", "rm /run/netns/web", "namespace web", "is no network namespace");
  obstacle("ip link add other type bridge; ip addr add 10.9.0.200/16 dev other", "ip link del other", "subnet 10.9.0.0/24 of br0",
           "overlaps 10.9.0.200/16 on other, which is not made by topo");
}

TEST_CASE("a pipe among the names of namespaces keeps nobody waiting") {
  CHECK(shell("mkfifo /run/netns/web") == "");
  const Observed observed = look(small());
  CHECK(shell("rm /run/netns/web") == "");
  REQUIRE(observed.obstacles.size() == 1);
  CHECK(observed.obstacles[0].why == "is no network namespace");
}

TEST_CASE("an interface of a stranger in an own namespace is in the way of a new one") {
  const Lab lab;
  Graph graph = small();
  bring(graph);
  CHECK(shell("ip -n web link add eth1 type bridge") == "");
  Veth more = attachment("web", "br0");
  more.ends[0].name = "web.eth1";
  more.ends[1].name = "eth1";
  more.ends[1].mac = Mac::derived_from("more");
  graph.put(more);
  const Observed observed = look(graph);
  REQUIRE(observed.obstacles.size() == 1);
  CHECK(observed.obstacles[0].what == "interface web:eth1");
}

TEST_CASE("leftovers of a crash are completed by apply and removed by destroy") {
  const Graph graph = small();
  const std::string before = shell("ip -d link; ls -la /run/netns | wc -l");
  const std::string crash =
      GENERATE(as<std::string>{}, "printf topo:v1:lab > /run/netns/web; chmod 400 /run/netns/web", "touch /run/netns/web; chmod 0 /run/netns/web",
               "ip link add br0 group " + std::to_string(link_group("lab")) + " type bridge",
               "ip link add br0 type bridge; ip link set br0 group " + std::to_string(link::scratch_group("lab")) + " alias topo:v1:lab::br0",
               "ip link add web.eth0 group " + std::to_string(link_group("lab")) + " type veth peer name lost");
  INFO(crash);
  CHECK(shell(crash) == "");
  if (crash.find("lost") != std::string::npos) shell("ip link set lost netns world");
  SECTION("apply") {
    CHECK(look(graph).obstacles.empty());
    bring(graph);
    REQUIRE(static_cast<bool>(perform(Graph("lab"))));
  }
  SECTION("destroy") {
    if (crash.starts_with("touch")) {
      CHECK(look(Graph("lab")).live.empty());  // nobody can say whose it is
      shell("rm -f /run/netns/web");
    }
    REQUIRE(static_cast<bool>(perform(Graph("lab"))));
  }
  CHECK(look(Graph("lab")).live.empty());
  CHECK(shell("ip -d link; ls -la /run/netns | wc -l") == before);
}

TEST_CASE("a namespace of ours under a second name keeps its first") {
  const Lab lab;
  bring(small());
  CHECK(shell("touch /run/netns/again; mount --bind /run/netns/web /run/netns/again") == "");
  CHECK(plan_text(plan_to(small())) == "");
  CHECK(shell("umount /run/netns/again; rm /run/netns/again") == "");
}

TEST_CASE("links that were gathered to be deleted are the topology's still, and none of the host's ways out") {
  const Lab lab;
  Graph graph = small();
  graph.put(Firewall{"", {}, true, false});
  bring(graph);
  const std::string group = std::to_string(link::scratch_group("lab"));
  CHECK(shell("ip link set br0 group " + group + "; ip link set web.eth0 group " + group) == "");
  CHECK(topologies_present().value() == std::vector<std::string>{"lab"});
  graph.put(Firewall{"", {}, true, true});
  bring(graph);
  CHECK(shell("iptables-legacy -S TOPO; ip6tables-legacy -S TOPO").find("br0") == std::string::npos);
}

TEST_CASE("a topology of links alone that were gathered to be deleted is here") {
  Graph graph("lab");
  for (const char* name : {"br0", "br1"}) {
    Bridge bridge;
    bridge.name = name;
    bridge.mac = Mac::derived_from(name);
    graph.put(bridge);
  }
  bring(graph);
  const std::string group = std::to_string(link::scratch_group("lab"));
  CHECK(shell("ip link set br0 group " + group + "; ip link set br1 group " + group) == "");
  CHECK(topologies_present().value() == std::vector<std::string>{"lab"});
  REQUIRE(static_cast<bool>(perform(Graph("lab"))));
  CHECK(topologies_present().value().empty());
}
