// What is written to nft(8), and how two rulesets differ.
#include "resources/firewall/nftables.hpp"

#include <catch2/catch.hpp>

#include "resources/firewall/firewall.hpp"
#include "resources/firewall/meaning.hpp"

namespace topo::nftables {
namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
Cidr cidr(const char* text) { return Cidr::parse(text).value(); }

Action action(Action::Kind kind, std::string target = {}, Fields fields = {}) {
  Action made;
  made.kind = kind;
  made.target = std::move(target);
  made.fields = std::move(fields);
  return made;
}

Rule rule(std::vector<Match> matches, Action does, std::string comment = {}) { return {std::move(matches), std::move(does), std::move(comment), {}}; }

/// A chain at a hook that looks senders up in a map, a chain that this leads to, and a set with ranges.
Table small() {
  Table table;
  table.chains["forward"].base = Base{"filter", "forward", -1};
  table.chains["forward"].rules = {rule({}, action(Action::Kind::vmap, "senders", {Field::iifname}))};
  table.chains["from/a"].rules = {rule({{{Field::ip_saddr, Field::th_dport}, true, "known", {}}}, action(Action::Kind::drop), "deny a -> b")};
  Set& senders = table.sets["senders"];
  senders.key = {Type::ifname};
  senders.data = {Type::verdict};
  senders.elements[name_value("a")] = {"goto from/a", {}};
  Set& known = table.sets["known"];
  known.key = {Type::ipv4_addr, Type::inet_service};
  known.interval = true;
  known.elements[value(cidr("10.0.0.0/24")) + range_value(Type::inet_service, 80, 90)] = {{}, "allow a -> b:80-90"};
  return table;
}

std::string text_of(const Match& match) { return to_string(rule({match}, action(Action::Kind::accept))); }

std::string from_to(const Table& before, const Table& after) { return changes({before, {}}, {after, {}}, "topo_t", "topo:v1:t"); }

}  // namespace

TEST_CASE("rules of nftables are written as nft has them") {
  CHECK(text_of({{Field::iifname}, true, {}, {name_value("eth0")}}) == "iifname != \"eth0\" accept");
  CHECK(text_of({{Field::iifgroup}, false, {}, {number_value(Type::devgroup, 0x74000001)}}) == "iifgroup 0x74000001 accept");
  CHECK(text_of({{Field::oifgroup}, true, {}, {range_value(Type::devgroup, 0x74000000, 0x74ffffff)}}) ==
        "oifgroup & 0xff000000 != 0x74000000 accept");
  CHECK(text_of({{Field::mark}, false, {}, {range_value(Type::mark, 0x74000000, 0x7400ffff)}}) == "meta mark & 0xffff0000 == 0x74000000 accept");
  CHECK(text_of({{Field::ct_state}, false, {}, {number_value(Type::ct_state, state_established), number_value(Type::ct_state, state_related)}}) ==
        "ct state established,related accept");
  CHECK(text_of({{Field::icmpv6_type}, false, {}, {number_value(Type::icmpv6_type, 133), number_value(Type::icmpv6_type, 134)}}) ==
        "icmpv6 type { 133, 134 } accept");
  CHECK(text_of({{Field::ip6_saddr}, false, {}, {value(cidr("fe80::/10"))}}) == "ip6 saddr fe80::/10 accept");
  CHECK(text_of({{Field::ip_saddr, Field::oifname, Field::l4proto}, false, "s", {}}) == "ip saddr . oifname . meta l4proto @s accept");
  CHECK(text_of({{Field::nfproto}, false, {}, {value(Family::v6)}}) == "meta nfproto ipv6 accept");
  CHECK(text_of({{Field::fib_daddr_type}, true, {}, {number_value(Type::fib_addrtype, type_local)}}) == "fib daddr type != local accept");

  Action dnat = action(Action::Kind::dnat, "ports6", {Field::l4proto, Field::th_dport});
  dnat.family = Family::v6;
  CHECK(to_string(rule({}, dnat)) == "dnat ip6 to meta l4proto . th dport map @ports6");
  Action snat = action(Action::Kind::snat);
  snat.address = ip("192.0.2.1");
  CHECK(to_string(rule({}, snat)) == "snat ip to 192.0.2.1");
  Action mark = action(Action::Kind::set_mark);
  mark.mark = 0x74000001;
  CHECK(to_string(rule({}, mark)) == "meta mark set 0x74000001");
  CHECK(to_string(rule({}, action(Action::Kind::set_zone, "zones", {Field::iifname}))) == "ct zone set iifname map @zones");
}

TEST_CASE("a value is found in a set, and in ranges of one") {
  Table table = small();
  const Set& known = table.sets["known"];
  const auto key = [](const char* address, std::uint32_t port) { return (value(ip(address)) + number_value(Type::inet_service, port)).first; };
  CHECK(find(known, key("10.0.0.7", 80)) != nullptr);
  CHECK(find(known, key("10.0.0.7", 90)) != nullptr);
  CHECK(find(known, key("10.0.0.7", 91)) == nullptr);
  CHECK(find(known, key("10.0.1.7", 80)) == nullptr);
  CHECK(find(known, key("9.255.255.255", 80)) == nullptr);
  CHECK(find(table.sets["senders"], name_value("a").first)->data == "goto from/a");
  CHECK(find(table.sets["senders"], name_value("b").first) == nullptr);
}

TEST_CASE("a table of nftables comes as a whole") {
  CHECK(from_to({}, small()) == R"(create table inet topo_t { comment "topo:v1:t"; }
add chain inet topo_t forward { type filter hook forward priority -1; policy accept; }
add chain inet topo_t from/a
add set inet topo_t known { type ipv4_addr . inet_service; flags interval; }
add map inet topo_t senders { type ifname : verdict; }
add element inet topo_t known { 10.0.0.0/24 . 80-90 comment "allow a -> b:80-90" }
add element inet topo_t senders { "a" : goto from/a }
add rule inet topo_t forward iifname vmap @senders
add rule inet topo_t from/a ip saddr . th dport != @known drop comment "deny a -> b"
)");
  CHECK(from_to(small(), {}) == "delete table inet topo_t\n");
  CHECK(from_to(small(), small()).empty());
}

TEST_CASE("elements of nftables come and go alone, and chains before and after what leads to them") {
  Table after = small();
  after.chains["from/b"].rules = {rule({}, action(Action::Kind::accept))};
  after.chains.erase("from/a");
  after.sets["senders"].elements = {{name_value("b"), {"goto from/b", {}}}};
  after.sets["known"].elements[value(ip("10.0.9.9")) + number_value(Type::inet_service, 22)] = {};
  CHECK(from_to(small(), after) == R"(add chain inet topo_t from/b
flush chain inet topo_t from/a
delete element inet topo_t senders { "a" }
add element inet topo_t known { 10.0.9.9 . 22 }
add element inet topo_t senders { "b" : goto from/b }
add rule inet topo_t from/b accept
delete chain inet topo_t from/a
)");
}

TEST_CASE("an element with other data or another comment is another") {
  Table after = small();
  after.sets["senders"].elements[name_value("a")] = {"drop", {}};
  after.sets["known"].elements.begin()->second.comment = "allow c -> b:80-90";
  CHECK(from_to(small(), after) == R"(delete element inet topo_t known { 10.0.0.0/24 . 80-90 }
delete element inet topo_t senders { "a" }
add element inet topo_t known { 10.0.0.0/24 . 80-90 comment "allow c -> b:80-90" }
add element inet topo_t senders { "a" : drop }
)");
}

TEST_CASE("what cannot be changed in place is made anew") {
  Table other_hook = small(), other_set = small(), stranger = small();
  other_hook.chains["forward"].base->policy = "drop";
  other_set.sets["known"].interval = false;
  stranger.strange.insert("counter");
  for (const Table& before : {other_hook, other_set, stranger})
    CHECK(from_to(before, small()) == "delete table inet topo_t\n" + from_to({}, small()));
}

TEST_CASE("both tables of a topology change in one transaction") {
  Ruleset before, after;
  before.inet = small();
  after.bridge = small();
  const std::string commands = changes(before, after, "topo_t", "m");
  CHECK(commands.find("delete table inet topo_t\ncreate table bridge topo_t { comment \"m\"; }\n") == 0);
}

TEST_CASE("differences of nftables are told rule by rule and element by element") {
  Firewall before, after;
  before.tables.inet = after.tables.inet = small();
  after.tables.inet.sets["known"].elements.clear();
  after.tables.inet.chains["from/a"].rules.push_back(rule({}, action(Action::Kind::drop)));
  after.tables.inet.chains["forward"].base->priority = 5;
  const Differences found = differences(before, after);
  REQUIRE(found.size() == 4);
  CHECK(found[0] == Difference{"rule", "allow a -> b:80-90", "", false});
  CHECK(found[1] == Difference{"rule", "nftables: inet chain forward as such at forward -1, policy accept", "", false});
  CHECK(found[2] == Difference{"rule", "", "nftables: inet chain forward as such at forward 5, policy accept", false});
  CHECK(found[3] == Difference{"rule", "", "nftables: inet chain from/a drop", false});

  std::swap(before.tables.inet.chains["from/a"].rules, before.tables.inet.chains["forward"].rules);
  CHECK(!differences(before, after).empty());
  Firewall turned = after;
  std::swap(turned.tables.inet.chains["from/a"].rules[0], turned.tables.inet.chains["from/a"].rules[1]);
  CHECK(differences(turned, after) == Differences{{"order of rules", "from/a", "from/a, in another order", false}});
}

TEST_CASE("a firewall of the other backend is one difference") {
  Firewall legacy, tables;
  legacy.rules.chains[{Family::v4, netfilter::Table::filter, "TOPO-1-fwd"}] = {};
  tables.tables.inet = small();
  CHECK(differences(legacy, tables) == Differences{{"backend", "iptables", "nftables", false}});
  CHECK(!(legacy == tables));
}

TEST_CASE("translations are the same whichever backend makes them") {
  Firewall firewall;
  Table& table = firewall.tables.inet;
  Set& ports = table.sets["ports4"];
  ports.key = {Type::inet_proto, Type::inet_service};
  ports.data = {Type::ipv4_addr, Type::inet_service};
  ports.elements[number_value(Type::inet_proto, 6) + number_value(Type::inet_service, 8080)] = {
      (value(ip("10.0.0.2")) + number_value(Type::inet_service, 80)).first, "port 8080/tcp -> web:80"};
  Set& ranges = table.sets["ports_at4/ranges"];
  ranges.key = {Type::ipv4_addr, Type::inet_proto, Type::inet_service};
  ranges.data = {Type::ipv4_addr};
  ranges.interval = true;
  ranges.elements[value(ip("192.0.2.1")) + number_value(Type::inet_proto, 17) + range_value(Type::inet_service, 53, 55)] = {
      value(ip("10.0.0.3")).first, {}};
  table.chains["ports"].rules = {rule({}, action(Action::Kind::dnat, "ports4", {Field::l4proto, Field::th_dport})),
                                 rule({}, action(Action::Kind::dnat, "ports_at4/ranges", {Field::ip_daddr, Field::l4proto, Field::th_dport}))};
  const auto found = address_translations(firewall);
  REQUIRE(found.size() == 2);
  CHECK(to_string(found[0].rule, Family::v4) ==
        "-p tcp -m tcp --dport 8080 -m addrtype --dst-type LOCAL -m comment --comment \"port 8080/tcp -> web:80\" -j DNAT --to-destination "
        "10.0.0.2:80");
  CHECK(to_string(found[1].rule, Family::v4) == "-d 192.0.2.1/32 -p udp -m udp --dport 53:55 -j DNAT --to-destination 10.0.0.3");

  table = {};
  Set& networks = table.sets["masqueraded"];
  networks.key = {Type::ipv4_addr};
  networks.interval = true;
  networks.elements[value(cidr("10.0.0.0/24"))] = {};
  table.chains["postrouting"].rules = {
      rule({{{Field::ip_saddr}, false, "masqueraded", {}}, {{Field::oifgroup}, true, {}, {range_value(Type::devgroup, 0x74000000, 0x74ffffff)}}},
           action(Action::Kind::masquerade)),
      rule({{{Field::nfproto}, false, {}, {value(Family::v6)}}, {{Field::oifname}, false, {}, {name_value("wan")}}},
           action(Action::Kind::masquerade))};
  const auto masks = address_translations(firewall);
  REQUIRE(masks.size() == 2);
  CHECK(to_string(masks[0].rule, Family::v4) == "-s 10.0.0.0/24 -m devgroup ! --dst-group 0x74000000/0xff000000 -j MASQUERADE");
  CHECK(masks[1].family == Family::v6);
  CHECK(to_string(masks[1].rule, Family::v6) == "-o wan -j MASQUERADE");
}

}  // namespace topo::nftables
