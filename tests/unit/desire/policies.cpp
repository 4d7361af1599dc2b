// Zones, flows, port maps and the checks of what a policy cannot keep.
#include "wanted.hpp"

using namespace topo;
using namespace topo::test;

namespace {

const std::string house = R"(
bridges:
  front: { subnet: 10.1.0.0/24, nat: masquerade }
  back: { subnet: 10.2.0.0/24, isolated: true }
  sw: { address: none, subnet: 10.3.0.0/24 }
  sw2: { address: none, subnet: 10.4.0.0/24 }
  six: { subnet: "fd00::/64" }
namespaces:
  web: { replicas: 2, attach: { front: 10.1.0.10 } }
  api: { attach: [front, back] }
  db: { attach: back }
  s1: { attach: sw }
  s2: { attach: sw }
  s3: { attach: sw2 }
  v6: { attach: six }
  far: {}
  mgmt: {}
links:
  - { between: [far, "api:far"], subnet: 10.8.0.0/31 }
  - { between: [mgmt, host], subnet: 10.9.0.0/31 }
zones:
  dmz: ["web[*]", api]
  office: [203.0.113.0/24, "2001:db8::/32"]
  mixed: [db, far]
)";

std::string with(const std::string& policy) { return house + "policy: " + policy + "\n"; }

}  // namespace

TEST_CASE("names in a rule stand for end points") {
  const Desired d = wanted(with(
      R"({ default: allow, reject: true, allow: ["web[*] -> db:80", "any -> back", "office -> dmz:443"], deny: ["host -> api:icmp", "mgmt -> host"] })"));
  CHECK(d.intent.default_allow);
  CHECK(d.intent.reject);
  const auto member = [&](const std::string& ns, const std::string& interface) {
    for (std::size_t i = 0; i < d.intent.members.size(); ++i) {
      if (d.intent.members[i].ns == ns && d.intent.members[i].interface == interface) return i;
    }
    FAIL("no member " << ns);
    return std::size_t{0};
  };
  REQUIRE(d.intent.allow.size() == 3);
  CHECK(d.intent.allow[0].from.any);
  CHECK(d.intent.allow[0].to.segments == std::vector<std::size_t>{0});
  CHECK(d.intent.segments[0].interface == "back");
  CHECK(d.intent.segments[0].isolated);
  CHECK(d.intent.allow[1].text == "office -> dmz:443");
  CHECK(d.intent.allow[1].from.outside == std::vector{*Cidr::parse("203.0.113.0/24"), *Cidr::parse("2001:db8::/32")});
  // A namespace is all its attachments; its links to other namespaces are none.
  CHECK(d.intent.allow[1].to.members == std::vector{member("api", "eth1"), member("api", "eth0"), member("web1", "eth0"), member("web2", "eth0")});
  CHECK(d.intent.allow[2].from.members == std::vector{member("web1", "eth0"), member("web2", "eth0")});
  CHECK(d.intent.allow[2].to.members == std::vector{member("db", "eth0")});
  REQUIRE(d.intent.deny.size() == 2);
  CHECK(d.intent.deny[0].from.host);
  CHECK(d.intent.deny[0].ports == std::vector{PortRange{Protocol::icmp, 0, 65535}});
  CHECK(d.intent.deny[1].from.members == std::vector{member("mgmt", "eth0")});
  CHECK(d.intent.members[member("mgmt", "eth0")].port.empty());
  CHECK_FALSE(d.intent.segments[d.intent.members[member("mgmt", "eth0")].segment].bridge);
}

TEST_CASE("rules that can be kept") {
  for (const std::string rule :
       {"front -> back", "web1 <-> web2", "back -> back", "s1 -> s2", "sw -> sw", "v6 -> internet", "host -> mgmt", "mgmt -> web1"}) {
    INFO(rule);
    wanted(with("{ allow: [\"" + rule + "\"] }"));
  }
}

TEST_CASE("rules that no filter sees") {
  refuses(with("{ allow: [@far -> db] }"), "\"far\" is on no bridge");
  refuses(with("{ deny: [db -> @far:22] }"), "\"far\" is on no bridge");
  refuses(with("{ deny: [@far -> any] }"), "\"far\" is on no bridge");
  refuses(with("{ allow: [db -> @mixed] }"), "\"far\" of \"mixed\"");
  refuses(with("{ allow: [@s1 -> s3] }"),
          "topo cannot filter \"s1 -> s3\": it passes neither the gateway nor one bridge | policy holds across the gateway");
  refuses(with("{ allow: [@sw -> front] }"), "passes neither the gateway nor one bridge");
  refuses(with("{ allow: [@front -> sw] }"), "passes neither the gateway nor one bridge");
  refuses(with("{ deny: [@sw -> host] }"), "passes neither the gateway nor one bridge");
  refuses(with("{ deny: [internet -> @sw] }"), "passes neither the gateway nor one bridge");
  refuses(with("{ allow: [@s1 -> office] }"), "passes neither the gateway nor one bridge");
  refuses(with("{ allow: [@front -> six] }"), "passes neither the gateway nor one bridge");
  refuses(with("{ allow: [@web1 -> web1] }"), "what it sends to itself never leaves it");
  refuses(R"(
bridges: { one: { subnet: 10.1.0.0/24 }, two: { subnet: 10.2.0.0/24 } }
links: [{ between: [one, two] }]
policy: { allow: [@one -> two] }
)",
          "passes neither the gateway nor one bridge | it passes a cable between the two");
  const std::string chain = R"(
bridges: { lan: { subnet: 10.1.0.0/24 }, inner: { address: none } }
namespaces:
  pc: { attach: { inner: 10.2.0.5/24 } }
  other: { attach: { lan: 10.1.0.7, inner: 10.2.0.7/24 } }
  r: { router: true, attach: { lan: 10.1.0.9, inner: 10.2.0.9/24 } }
  far: {}
links: [{ between: [r, far], subnet: 10.3.0.0/31 }]
)";
  refuses(chain + "policy: { allow: [@pc -> lan] }\n", "passes neither the gateway nor one bridge | it passes router \"r\"");
  refuses(chain + "policy: { deny: [lan -> @far] }\n", "| it passes router \"r\"");
  refuses(chain + "policy: { deny: [r -> @far] }\n", "| it passes a cable between the two");
  refuses(chain + "policy: { deny: [@far -> host] }\n", "| \"far\" is on no bridge");
}

TEST_CASE("rules about the host's own business") {
  for (const std::string rule : {"internet -> host", "host <-> internet", "host -> office", "office -> internet", "host -> host"}) {
    INFO(rule);
    refuses(with("{ allow: [@" + rule + "] }"), "names nothing of this topology");
  }
}

TEST_CASE("an allow that a deny cancels whole") {
  const auto cancelled = [](const std::string& allow, const std::string& deny) {
    const Desired d = desired_by(with("{ allow: [\"" + allow + "\"], deny: [\"" + deny + "\"] }"));
    for (const auto& diagnostic : d.diagnostics)
      CHECK_THAT(diagnostic.message, Catch::Contains("\"" + allow + "\" is cancelled whole by the deny \"" + deny + "\""));
    return !d.diagnostics.empty();
  };
  CHECK(cancelled("web1 -> db", "web1 -> db"));
  CHECK(cancelled("web1 -> db:80", "web1 -> db"));
  CHECK(cancelled("web1 -> db:80", "front -> back:1-100"));
  CHECK(cancelled("web1 -> db:80", "dmz -> any"));
  CHECK(cancelled("web[*] -> db:icmp", "any -> db:icmp"));
  CHECK(cancelled("web1 <-> db", "dmz <-> back"));
  CHECK(cancelled("front -> office", "front -> internet"));
  CHECK(cancelled("internet -> front", "any -> any"));
  CHECK_FALSE(cancelled("web1 -> db", "web1 -> db:80"));
  CHECK_FALSE(cancelled("web1 -> db:80", "web1 -> db:80/udp"));
  CHECK_FALSE(cancelled("web1 -> db:80-90", "web1 -> db:81-90"));
  CHECK_FALSE(cancelled("web1 <-> db", "web1 -> db"));
  CHECK_FALSE(cancelled("dmz -> db", "web1 -> db"));
  CHECK_FALSE(cancelled("front -> internet", "front -> office"));
  CHECK_FALSE(cancelled("front -> any", "front -> internet"));
  CHECK_FALSE(cancelled("web1 -> db", "db -> web1"));
  refuses(with("{ allow: [web1 -> db, @web1 -> db:22], deny: [\"web[*] -> db:20-30\"] }"), "is cancelled whole by the deny \"web[*] -> db:20-30\"");
}

TEST_CASE("the policy in the language's own words") {
  const Desired d = wanted(with(R"({ reject: true, allow: [{ from: dmz, to: db, ports: [80, 53/udp, 8000-8010] }], deny: [db <-> web1] })"));
  CHECK(d.intent.allow[0].text == "dmz -> db:80,53/udp,8000-8010");
  CHECK(d.intent.statements == Lines{"allow dmz -> db:53/udp", "allow dmz -> db:80", "allow dmz -> db:8000-8010", "deny db <-> web1", "isolated back",
                                     "nat front masquerade", "plain sw", "plain sw2", "reject true", "replicas web 2", "zone dmz api web[*]",
                                     "zone mixed db far", "zone office 2001:db8::/32 203.0.113.0/24"});
}

TEST_CASE("a long zone is told in pieces that fit a comment") {
  std::string text = "\nbridges: { lan: { subnet: 10.0.0.0/16 } }\nnamespaces: { a: { replicas: 100, attach: lan } }\nzones: { z: [";
  for (int i = 1; i <= 100; ++i) text += (i == 1 ? "a" : ", a") + std::to_string(i);
  const Desired d = wanted(text + "] }\n");
  std::size_t words = 0;
  for (const auto& statement : d.intent.statements) {
    CHECK(statement.size() <= 255);
    if (statement.starts_with("zone z ")) words += static_cast<std::size_t>(std::count(statement.begin(), statement.end(), ' ')) - 1;
  }
  CHECK(words == 100);
}

TEST_CASE("a port map leads to the interface of the default route") {
  const auto target = [](const std::string& ns, const std::string& outside) {
    const Desired d = wanted(R"(
bridges:
  sw: { address: none, subnet: 10.0.0.0/24 }
  one: { subnet: [10.1.0.0/24, "fd01::/64"] }
  two: { subnet: [10.2.0.0/24, "fd02::/64"], nat: { snat: 198.51.100.2 } }
namespaces:
  a: { attach: [sw, one, two] }
  b: { attach: [one, two], gateway: none }
  c: { attach: [sw, two], routes: { default: d } }
  d: { attach: [sw] }
  f: {}
links: [{ between: [f, host], subnet: 10.5.0.0/31 }]
ports: { ")" + outside +
                             "\": " + ns + ":80 }\n");
    std::string text;
    for (const auto& map : d.intent.ports) {
      text += (text.empty() ? "" : "; ") + d.intent.members[map.member].interface;
      for (const auto& address : map.targets) text += " " + address.to_string();
    }
    return text;
  };
  // The families' default routes differ: 10.x leaves by the bridge with the snat, fd by the first.
  CHECK(target("a", "80") == "eth1 fd01::2; eth2 10.2.0.2");
  CHECK(target("a", "198.51.100.2:80") == "eth2 10.2.0.2");
  CHECK(target("a", "[2001:db8::1]:80") == "eth1 fd01::2");
  CHECK(target("b", "80") == "eth0 10.1.0.3 fd01::3");
  // Its default leads elsewhere; the gateway still reaches it by the other bridge.
  CHECK(target("c", "80") == "eth1 10.2.0.4 fd02::4");
  CHECK(target("f", "80") == "eth0 10.5.0.0");
}

TEST_CASE("port maps that cannot be") {
  refuses(house + "ports: { 80: @s1:80 }\n", "no way from outside to \"s1\"");
  refuses(house + "ports: { 80: @far:80 }\n", "no way from outside to \"far\"");
  refuses(house + "ports: { \"[2001:db8::1]:80\": @db:80 }\n", "no way from outside to \"db\"");
  refuses(house + "ports: { 80: web1:80, @80/tcp: web2:80 }\n", "is mapped already by \"80/tcp -> web1:80\"");
  refuses(house + "ports: { 8000-8010: web1:8000-8010, @8005: web2:80 }\n", "is mapped already");
  refuses(house + "ports: { 8005: web2:80, @8000-8010: web1:8000-8010 }\n", "is mapped already by \"8005/tcp");
  refuses(house + "ports: { 127.0.0.1:80: web1:80, @80: web2:80 }\n", "is mapped already");
  refuses(house + "ports: { 80: web1:80, @\"[2001:db8::1]:80\": v6:80 }\n", "is mapped already");
  refuses(house + "ports: { 1.2.3.4:80-90: web1:80-90, 1.2.3.5:82: web1:80, @1.2.3.4:85: web1:81 }\n", "is mapped already");
  refuses_each(house + "ports: { 1.2.3.4:8000-8050: web1:8000-8050, @1.2.3.4:8010: web2:80, @1.2.3.4:8020: web2:81 }\n",
               {"by \"1.2.3.4:8000-8050/tcp -> web1", "by \"1.2.3.4:8000-8050/tcp -> web1"});
  wanted(house + "ports: { 80: web1:80, 80/udp: web2:80, 1.2.3.4:81: web1:81, 1.2.3.5:81: web2:81, 82-90: web1:82-90, 91: web2:91 }\n");
}

TEST_CASE("hairpin and the way of 127.0.0.1 only where a port map needs them") {
  const Desired d = wanted(house + "ports: { 80: db:80, 81: v6:81, 82: mgmt:80 }\n");
  CHECK(the<Veth>(d, "veth :db.eth0=db:eth0").ends[0].hairpin);
  CHECK_FALSE(the<Veth>(d, "veth :api.eth1=api:eth1").ends[0].hairpin);
  CHECK(the<Bridge>(d, "bridge :back").route_localnet);
  CHECK_FALSE(the<Bridge>(d, "bridge :front").route_localnet);
  CHECK_FALSE(the<Bridge>(d, "bridge :six").route_localnet);
  const auto& cable = the<Veth>(d, "veth :mgmt.eth0=mgmt:eth0");
  CHECK(cable.ends[0].route_localnet);
  CHECK_FALSE(cable.ends[0].hairpin);
  CHECK_FALSE(the<Veth>(wanted(house), "veth :mgmt.eth0=mgmt:eth0").ends[0].route_localnet);
}
