#include "policy/compile.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "golden.hpp"
#include "intents.hpp"
#include "topo/names.hpp"

namespace {

using namespace topo;
using namespace topo::policy;
using namespace topo::policy::test;
using netfilter::ChainId;
using netfilter::Rule;
using netfilter::Table;
using netfilter::Target;

std::string text_of(const Firewall& firewall) {
  return "# IPv4\n" + to_restore_text(firewall.rules, Family::v4) + "# IPv6\n" + to_restore_text(firewall.rules, Family::v6) + "# forwards " +
         (firewall.forwards_v4 ? "IPv4 " : "") + (firewall.forwards_v6 ? "IPv6 " : "") + "\n";
}

const std::vector<Rule>& chain(const Firewall& firewall, Table table, const std::string& topology, const std::string& role,
                               Family family = Family::v4) {
  static const std::vector<Rule> none;
  const auto found = firewall.rules.chains.find({family, table, chain_prefix(topology) + "-" + role});
  return found == firewall.rules.chains.end() ? none : found->second;
}

std::vector<std::string> lines(const std::vector<Rule>& rules, Family family = Family::v4) {
  std::vector<std::string> texts;
  for (const Rule& rule : rules) texts.push_back(to_string(rule, family));
  return texts;
}

bool contains(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

std::size_t chains_changed(const Firewall& a, const Firewall& b) {
  std::set<ChainId> changed;
  for (const auto& [id, list] : a.rules.chains) {
    const auto other = b.rules.chains.find(id);
    if (other == b.rules.chains.end() || other->second != list) changed.insert(id);
  }
  for (const auto& [id, list] : b.rules.chains) {
    if (!a.rules.chains.contains(id)) changed.insert(id);
  }
  return changed.size();
}

std::size_t rule_count(const Firewall& firewall) {
  std::size_t count = 0;
  for (const auto& [id, list] : firewall.rules.chains) count += list.size();
  return count;
}

}  // namespace

TEST_CASE("the tutorial's networks compile to these rules") {
  check_golden("three-tier", text_of(compile(three_tier(), "")));
  check_golden("apps", text_of(compile(apps(), "")));
  check_golden("zones", text_of(compile(zones(), "")));
  check_golden("database", text_of(compile(database(), "")));
  check_golden("home-router", text_of(compile(home_router(), "home")));
}

TEST_CASE("every chain that is spoken of is there, and is spoken of") {
  for (const Intent& intent : {three_tier(), apps(), zones(), database(), home_router(), laboratory(600)})
    CHECK(form_problem(compile(intent, "").rules).empty());
}

TEST_CASE("a large intent compiles to few rules for each member, and a packet meets few of them") {
  const Intent intent = laboratory(1000);
  const Firewall firewall = compile(intent, "");
  CHECK(rule_count(firewall) < 5 * 1000);
  std::size_t longest = 0;
  for (const auto& [id, list] : firewall.rules.chains) longest = std::max(longest, list.size());
  CHECK(longest < 64);
}

TEST_CASE("one more member, port or flow leaves most chains as they are") {
  Intent before = laboratory(600);
  Intent after = before;
  const auto added = add_member(after, "one-more", 0, {"10.50.0.254"});
  CHECK(chains_changed(compile(before, ""), compile(after, "")) <= 2);
  before = after;
  add_port(after, 30000, 30000, added, 80);
  CHECK(chains_changed(compile(before, ""), compile(after, "")) <= 6);
  before = after;
  after.allow.push_back({bridge_ends(0), bridge_ends(1), {}, "br0 -> br1"});
  CHECK(chains_changed(compile(before, ""), compile(after, "")) == 1);
}

TEST_CASE("each plain switch has a conntrack zone of its own, in both families that it carries") {
  Intent intent = zones();
  CHECK(chain(compile(intent, ""), Table::raw, intent.topology, "zone").empty());
  add_bridge(intent, "one", {});
  add_bridge(intent, "two", {});
  for (Segment& segment : intent.segments) segment.plain = segment.gateway.empty();
  const Firewall firewall = compile(intent, "");
  for (const Family family : {Family::v4, Family::v6}) {
    const std::vector<Rule>& rules = chain(firewall, Table::raw, intent.topology, "zone", family);
    REQUIRE(rules.size() == 2);
    CHECK(rules[0].in->value == "one");
    CHECK(rules[0].target.zone != 0);
    CHECK(rules[1].target.zone != 0);
    CHECK(rules[0].target.zone != rules[1].target.zone);
    CHECK(firewall.rules.jumps.contains({family, Table::raw, "PREROUTING"}));
  }
  std::swap(*(intent.segments.end() - 1), *(intent.segments.end() - 2));
  CHECK(chain(compile(intent, ""), Table::raw, intent.topology, "zone").front() == chain(firewall, Table::raw, intent.topology, "zone").back());
  intent = {};
  intent.topology = "many";
  for (int i = 0; i < 2000; ++i) {
    const std::size_t added = add_bridge(intent, "sw" + std::to_string(i), {});
    intent.segments[added].plain = true;
  }
  std::set<std::uint16_t> taken;
  const Firewall many = compile(intent, "");
  for (const Rule& rule : chain(many, Table::raw, intent.topology, "zone")) taken.insert(rule.target.zone);
  CHECK(taken.size() == 2000);
}

TEST_CASE("equal intents compile to equal rules") { CHECK(compile(laboratory(300), "") == compile(laboratory(300), "")); }

TEST_CASE("a bridge is filtered where something inside it is forbidden") {
  CHECK(!apps().segments[0].filtered);
  CHECK(zones().segments[0].filtered);
  Intent intent = apps();
  intent.segments[0].isolated = true;
  needs_bridge_filter(intent);
  CHECK(intent.segments[0].filtered);
  intent = database();
  intent.deny = {{bridge_ends(0), bridge_ends(1), {}, "cloud -> secure"}};
  needs_bridge_filter(intent);
  CHECK(!intent.segments[0].filtered);
  CHECK(!intent.segments[1].filtered);
}

TEST_CASE("a bridge is filtered where only the port tells who speaks") {
  Intent intent = database();
  intent.members[0].router = true;
  needs_bridge_filter(intent);
  CHECK(intent.segments[0].filtered);
  CHECK(!intent.segments[1].filtered);
  intent.segments[0].plain = true;  // nothing of it crosses the gateway
  needs_bridge_filter(intent);
  CHECK(!intent.segments[0].filtered);
  intent = database();
  intent.members[2].router = true;  // alone: whatever comes from there is its own
  needs_bridge_filter(intent);
  CHECK(!intent.segments[1].filtered);
  CHECK(!contains(lines(chain(compile(intent, ""), Table::filter, "database", "in")), "-i secure-bridge -g"));
}

TEST_CASE("inside a filtered bridge routers alone, and cables to other bridges, advertise a way") {
  Intent intent = zones();
  const auto ports = [&] {
    std::string text;
    for (const auto& [id, rules] : compile(intent, "").rules.chains) {
      for (const Rule& rule : rules) {
        if (id.family != Family::v6 || id.name.ends_with("-in") || rule.icmp_type != 134) continue;
        text += rule.physical_in.value_or("any") + (rule.target.kind == Target::Kind::accept ? " passes, " : " does not, ");
      }
    }
    return text;
  };
  CHECK(ports() == "any does not, ");
  intent.members[1].router = true;
  needs_bridge_filter(intent);
  CHECK(ports() == "app2.eth0 passes, any does not, ");
}

TEST_CASE("a range that is moved keeps its order, one that is not keeps its ports") {
  Intent intent = apps();
  intent.ports.clear();
  add_port(intent, 8000, 8010, 0, 9000);
  add_port(intent, 7000, 7005, 0, 7000);
  add_port(intent, 53, 53, 0, 53, {}, Protocol::udp);
  const Firewall firewall = compile(intent, "");
  const auto tcp = lines(chain(firewall, Table::nat, "apps", "tcp"));
  CHECK(contains(tcp, "--dport 8000:8010 -m comment --comment \"port 8000/tcp -> app1:9000\" -j DNAT --to-destination 172.20.0.11:9000-9010/8000"));
  CHECK(contains(tcp, "--dport 7000:7005 -m comment --comment \"port 7000/tcp -> app1:7000\" -j DNAT --to-destination 172.20.0.11"));
  CHECK(tcp.size() == 2);
  CHECK(contains(lines(chain(firewall, Table::nat, "apps", "udp")), "-p udp -m udp --dport 53"));
  CHECK(contains(lines(chain(firewall, Table::filter, "apps", "ports")), "-d 172.20.0.11/32 -p tcp -m tcp --dport 9000:9010"));
}

TEST_CASE("a port map of 127.0.0.1 is the host's alone") {
  Intent intent = apps();
  intent.ports.clear();
  add_port(intent, 8080, 8080, 0, 80, "127.0.0.1");
  intent.segments[0].nat = {};
  const Firewall firewall = compile(intent, "");
  CHECK(chain(firewall, Table::nat, "apps", "pre").empty());
  CHECK(contains(lines(chain(firewall, Table::nat, "apps", "out")), "-d 127.0.0.1/32 -p tcp -m tcp --dport 8080"));
  CHECK(chain(firewall, Table::filter, "apps", "ports").empty());
  CHECK(!firewall.forwards_v4);
  CHECK(form_problem(firewall.rules).empty());
}

TEST_CASE("a port map of one address is for that address") {
  Intent intent = apps();
  add_port(intent, 80, 80, 0, 80, "198.51.100.2");
  const auto rules = lines(chain(compile(intent, ""), Table::nat, "apps", "map"));
  CHECK(contains(rules, "-d 198.51.100.2/32 -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL"));
  CHECK(!contains(rules, "--dport 8081"));
}

TEST_CASE("the gateway asks in its own name for a target that would answer another way") {
  Intent intent = apps();
  CHECK(!contains(lines(chain(compile(intent, ""), Table::nat, "apps", "back")), "-d 172.20.0.11/32"));
  intent.members[0].near = {cidr("10.9.0.0/24"), cidr("fd00::/64")};
  auto back = lines(chain(compile(intent, ""), Table::nat, "apps", "back"));
  CHECK(contains(back, "-s 10.9.0.0/24 -d 172.20.0.11/32 -o cloud-bridge -j MASQUERADE"));
  CHECK(!contains(back, "fd00"));
  intent.members[0].answers_by_gateway = false;
  back = lines(chain(compile(intent, ""), Table::nat, "apps", "back"));
  CHECK(contains(back, "-d 172.20.0.11/32 -o cloud-bridge -j MASQUERADE"));
  CHECK(!contains(back, "-s 10.9.0.0/24"));
}

TEST_CASE("tables are made for families that occur") {
  const auto has_v6 = [](const Intent& intent) { return !to_restore_text(compile(intent, "").rules, Family::v6).empty(); };
  CHECK(!has_v6(three_tier()));
  CHECK(has_v6(zones()));  // link-local traffic is in every switch
  Intent intent = apps();
  intent.segments[0].gateway.push_back(cidr("fd00::1/64"));
  CHECK(has_v6(intent));
  CHECK(!has_v6(home_router()));
  CHECK(compile(Intent{}, "").rules.empty());
}

TEST_CASE("forwarding at the outside is turned on only where something goes there") {
  CHECK(compile(three_tier(), "").forwards_v4);
  CHECK(!compile(three_tier(), "").forwards_v6);
  CHECK(!compile(zones(), "").forwards_v4);
  Intent intent = zones();
  intent.allow = {{member_ends(0), internet_ends(), {}, "app1 -> internet"}};
  CHECK(compile(intent, "").forwards_v4);
  intent.allow = {{member_ends(0), host_ends(), {}, "app1 -> host"}};
  CHECK(!compile(intent, "").forwards_v4);
}

TEST_CASE("statements are kept whole in comments") {
  Intent intent = apps();
  const std::string lengthy = "zone dmz " + std::string(600, 'x');
  intent.statements = {"isolated cloud-bridge", lengthy};
  const Firewall firewall = compile(intent, "");
  const auto& kept = chain(firewall, Table::filter, "apps", "spec");
  REQUIRE(kept.size() == 4);
  CHECK(kept[0].comment == "isolated cloud-bridge");
  std::string joined = kept[1].comment;
  for (const std::size_t i : {2U, 3U}) {
    CHECK(kept[i].comment.front() == '+');
    joined += kept[i].comment.substr(1);
  }
  CHECK(joined == lengthy);
}

TEST_CASE("many members named together are listed once, not once a flow") {
  Intent intent = laboratory(500);
  intent.ports.clear();
  Ends first, second;
  for (std::size_t i = 0; i < 200; ++i) first.members.push_back(i);
  for (std::size_t i = 250; i < 450; ++i) second.members.push_back(i);
  std::vector<Flow> flows;
  for (std::uint16_t port = 1; port <= 50; ++port) flows.push_back({first, second, {{Protocol::tcp, port, port}}, "first -> second"});
  intent.allow = flows;
  needs_bridge_filter(intent);
  CHECK(rule_count(compile(intent, "")) < 3000);
  for (Flow& flow : flows) flow.to = first;
  intent.deny = flows;
  needs_bridge_filter(intent);
  CHECK(rule_count(compile(intent, "")) < 6000);
}
