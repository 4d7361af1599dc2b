// Each kind of rule: as iptables itself writes it, through the kernel and back.
#include "firewall_scratch.hpp"

namespace topo::firewall {
namespace {

using netfilter::AddressType;
using netfilter::DeviceGroup;
using netfilter::Maybe;
using netfilter::Ports;
using netfilter::Rule;
using netfilter::Target;

/// A rule, and what one types to iptables for the same one.
struct Case {
  const char* text;
  netfilter::Table table;
  Rule rule;
};

template <class F>
Rule rule_of(F&& fill) {
  Rule rule;
  fill(rule);
  return rule;
}

Target nat_target(Target::Kind kind, const char* address, std::optional<Ports> ports = {}, std::optional<std::uint16_t> base = {}) {
  Target target;
  target.kind = kind;
  target.address = IpAddress::parse(address);
  target.ports = ports;
  target.base = base;
  return target;
}

Maybe<Cidr> network(const char* text, bool negated = false) { return {*Cidr::parse(text), negated}; }

constexpr auto filter = netfilter::Table::filter;
constexpr auto nat = netfilter::Table::nat;
constexpr auto raw = netfilter::Table::raw;

std::vector<Case> common_cases() {
  return {
      {"-j ACCEPT", filter, rule_of([](Rule&) {})},
      {"-j DROP", filter, rule_of([](Rule& r) { r.target.kind = Target::Kind::drop; })},
      {"-j RETURN", filter, rule_of([](Rule& r) { r.target.kind = Target::Kind::return_; })},
      {"-j TOPO-other", filter, rule_of([](Rule& r) { r.target = {Target::Kind::jump, "TOPO-other", {}, {}, {}, {}}; })},
      {"-g TOPO-other", filter, rule_of([](Rule& r) { r.target = {Target::Kind::go_to, "TOPO-other", {}, {}, {}, {}}; })},
      {"-i eth0 -o a-name-of-15-xx -j ACCEPT", filter, rule_of([](Rule& r) {
         r.in = Maybe<std::string>{"eth0", false};
         r.out = Maybe<std::string>{"a-name-of-15-xx", false};
       })},
      {"! -i eth0 ! -o br0 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.in = Maybe<std::string>{"eth0", true};
         r.out = Maybe<std::string>{"br0", true};
       })},
      {"-p tcp -j ACCEPT", filter, rule_of([](Rule& r) { r.protocol = 6; })},
      {"-p tcp -m tcp --dport 80 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.protocol = 6;
         r.destination_ports = Ports{80, 80};
       })},
      {"-p tcp -m tcp --sport 1024:2000 --dport 8000:8010 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.protocol = 6;
         r.source_ports = Ports{1024, 2000};
         r.destination_ports = Ports{8000, 8010};
       })},
      {"-p udp -m udp --dport 53 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.protocol = 17;
         r.destination_ports = Ports{53, 53};
       })},
      {"-m devgroup --src-group 0x74123456 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.in_group = Maybe<DeviceGroup>{{0x74123456, 0xffffffff}, false};
       })},
      {"-m devgroup ! --src-group 0x74000000/0xff000000 --dst-group 0x74123456 -j DROP", filter, rule_of([](Rule& r) {
         r.in_group = Maybe<DeviceGroup>{{0x74000000, 0xff000000}, true};
         r.out_group = Maybe<DeviceGroup>{{0x74123456, 0xffffffff}, false};
         r.target.kind = Target::Kind::drop;
       })},
      {"-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", filter,
       rule_of([](Rule& r) { r.states = netfilter::ct_related | netfilter::ct_established; })},
      {"-m conntrack --ctstate ESTABLISHED --ctdir REPLY -j ACCEPT", filter, rule_of([](Rule& r) {
         r.states = netfilter::ct_established;
         r.reply = true;
       })},
      {"-m conntrack ! --ctstate INVALID,NEW,UNTRACKED,SNAT,DNAT -j ACCEPT", filter, rule_of([](Rule& r) {
         r.states = netfilter::ct_invalid | netfilter::ct_new | netfilter::ct_untracked | netfilter::ct_snat | netfilter::ct_dnat;
         r.states_negated = true;
       })},
      {"-m addrtype --src-type MULTICAST --dst-type LOCAL -j ACCEPT", filter, rule_of([](Rule& r) {
         r.source_type = AddressType::multicast;
         r.destination_type = AddressType::local;
       })},
      {"-m physdev --physdev-in web.eth0 -j ACCEPT", filter, rule_of([](Rule& r) { r.physical_in = "web.eth0"; })},
      {"-m physdev --physdev-in a-name-of-15-xx --physdev-out db.eth0 --physdev-is-bridged -j ACCEPT", filter, rule_of([](Rule& r) {
         r.physical_in = "a-name-of-15-xx";
         r.physical_out = "db.eth0";
         r.bridged = true;
       })},
      {"-m comment --comment \"backend -> data:3306\" -j ACCEPT", filter, rule_of([](Rule& r) { r.comment = "backend -> data:3306"; })},
      {"-p tcp -j REJECT --reject-with tcp-reset", filter, rule_of([](Rule& r) {
         r.protocol = 6;
         r.target.kind = Target::Kind::reject;
         r.target.reject = Target::Reject::tcp_reset;
       })},
      {"-o eth0 -j MASQUERADE", nat, rule_of([](Rule& r) {
         r.out = Maybe<std::string>{"eth0", false};
         r.target.kind = Target::Kind::masquerade;
       })},
      {"-i br0 -j CT --zone 65535", raw, rule_of([](Rule& r) {
         r.in = Maybe<std::string>{"br0", false};
         r.target.kind = Target::Kind::zone;
         r.target.zone = 65535;
       })},
  };
}

std::vector<Case> v4_cases() {
  auto cases = common_cases();
  const std::vector<Case> more{
      {"-s 192.168.10.0/24 -d 10.1.2.3/32 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.source = network("192.168.10.0/24");
         r.destination = network("10.1.2.3/32");
       })},
      {"! -s 10.0.0.0/9 ! -d 10.0.0.0/31 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.source = network("10.0.0.0/9", true);
         r.destination = network("10.0.0.0/31", true);
       })},
      {"-p icmp -m icmp --icmp-type 8 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.protocol = 1;
         r.icmp_type = 8;
       })},
      {"-m addrtype --dst-type BROADCAST -j ACCEPT", filter, rule_of([](Rule& r) { r.destination_type = AddressType::broadcast; })},
      {"-j REJECT --reject-with icmp-admin-prohibited", filter, rule_of([](Rule& r) { r.target.kind = Target::Kind::reject; })},
      {"-p tcp -m tcp --dport 8081 -m addrtype --dst-type LOCAL -j DNAT --to-destination 192.168.10.10:80", nat, rule_of([](Rule& r) {
         r.protocol = 6;
         r.destination_ports = Ports{8081, 8081};
         r.destination_type = AddressType::local;
         r.target = nat_target(Target::Kind::dnat, "192.168.10.10", Ports{80, 80});
       })},
      {"-p udp -m udp --dport 8000:8010 -j DNAT --to-destination 192.168.10.10:9000-9010/8000", nat, rule_of([](Rule& r) {
         r.protocol = 17;
         r.destination_ports = Ports{8000, 8010};
         r.target = nat_target(Target::Kind::dnat, "192.168.10.10", Ports{9000, 9010}, 8000);
       })},
      {"-j DNAT --to-destination 192.168.10.10", nat, rule_of([](Rule& r) { r.target = nat_target(Target::Kind::dnat, "192.168.10.10"); })},
      {"-s 10.0.0.0/8 -j SNAT --to-source 198.51.100.2", nat, rule_of([](Rule& r) {
         r.source = network("10.0.0.0/8");
         r.target = nat_target(Target::Kind::snat, "198.51.100.2");
       })},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

std::vector<Case> v6_cases() {
  auto cases = common_cases();
  const std::vector<Case> more{
      {"-s 2001:db8::/61 -d 2001:db8::1/128 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.source = network("2001:db8::/61");
         r.destination = network("2001:db8::1/128");
       })},
      {"-p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT", filter, rule_of([](Rule& r) {
         r.protocol = 58;
         r.icmp_type = 135;
       })},
      {"-j REJECT --reject-with icmp6-adm-prohibited", filter, rule_of([](Rule& r) { r.target.kind = Target::Kind::reject; })},
      {"-p tcp -m tcp --dport 8081 -j DNAT --to-destination [2001:db8::10]:80", nat, rule_of([](Rule& r) {
         r.protocol = 6;
         r.destination_ports = Ports{8081, 8081};
         r.target = nat_target(Target::Kind::dnat, "2001:db8::10", Ports{80, 80});
       })},
      {"-p tcp -m tcp --dport 8000:8010 -j DNAT --to-destination [2001:db8::10]:9000-9010/8000", nat, rule_of([](Rule& r) {
         r.protocol = 6;
         r.destination_ports = Ports{8000, 8010};
         r.target = nat_target(Target::Kind::dnat, "2001:db8::10", Ports{9000, 9010}, 8000);
       })},
      {"-j SNAT --to-source 2001:db8:51::2", nat, rule_of([](Rule& r) { r.target = nat_target(Target::Kind::snat, "2001:db8:51::2"); })},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

Rule keep(Rule rule) { return rule; }

/// `cases` in chains of topology t, as topo shall write them.
Firewall firewall_of(const std::vector<Case>& cases, Family family) {
  Firewall firewall;
  const std::string prefix = chain_prefix("t");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Rule rule = keep(cases[i].rule);
    if (!rule.target.chain.empty()) rule.target.chain = prefix + "-other";
    firewall.rules.chains[{family, cases[i].table, prefix + "-" + std::to_string(i)}] = {rule};
  }
  firewall.rules.chains[{family, filter, prefix + "-other"}] = {};
  firewall.rules.jumps[{family, filter, "FORWARD"}] = {jump_rule("t", prefix + "-0")};
  return firewall;
}

/// The same, in chains R-0, R-1, ..., as iptables itself writes them.
std::string restore_text(const std::vector<Case>& cases) {
  std::string text;
  for (const auto table : {filter, nat, raw}) {
    text += '*' + netfilter::to_string(table) + '\n';
    if (table == filter) text += ':' + chain_prefix("t") + "-other -\n";
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].table == table) text += ":R-" + std::to_string(i) + " -\n";
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
      std::string rule = cases[i].text;
      if (const auto at = rule.find("TOPO-other"); at != std::string::npos) rule.replace(at, 10, chain_prefix("t") + "-other");
      if (cases[i].table == table) text += "-A R-" + std::to_string(i) + " " + rule + "\n";
    }
    text += "COMMIT\n";
  }
  return text;
}

}  // namespace

TEST_CASE("every rule is written byte for byte as iptables writes it, and read back as it was") {
  const Family family = GENERATE(Family::v4, Family::v6);
  const auto cases = family == Family::v4 ? v4_cases() : v6_cases();
  const Scratch scratch;
  const Firewall wanted = firewall_of(cases, family);
  must(replace(scratch.place(), "t", &wanted));
  const auto live = must(observe(scratch.place(), "t"));
  REQUIRE(live);
  for (const auto& [chain, rules] : wanted.rules.chains) {
    INFO(chain.name);
    CHECK(live->rules.chains.at(chain) == rules);
  }
  CHECK(*live == wanted);
  restore(family, restore_text(cases));
  for (const auto table_of : {filter, nat, raw}) {
    const auto table = must(Table::open(scratch.place(), {family, table_of}));
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].table != table_of) continue;
      INFO(cases[i].text);
      const auto ours = table.rules(chain_prefix("t") + "-" + std::to_string(i));
      REQUIRE(ours.size() == 1);
      CHECK(ours == table.rules("R-" + std::to_string(i)));
    }
  }
}

TEST_CASE("iptables-save of topo's rules, restored, is no drift") {
  const Family family = GENERATE(Family::v4, Family::v6);
  const std::string tool = family == Family::v4 ? "iptables-legacy" : "ip6tables-legacy";
  const Scratch scratch;
  const Firewall wanted = firewall_of(family == Family::v4 ? v4_cases() : v6_cases(), family);
  must(replace(scratch.place(), "t", &wanted));
  const std::string saved = shell(tool + "-save");
  CHECK(saved.find("unsupported") == std::string::npos);
  shell(tool + "-save >/run/saved && " + tool + "-restore </run/saved");
  CHECK(must(observe(scratch.place(), "t")) == wanted);
}

TEST_CASE("the text of topo's rules, restored, is those rules") {
  const Family family = GENERATE(Family::v4, Family::v6);
  const Firewall wanted = firewall_of(family == Family::v4 ? v4_cases() : v6_cases(), family);
  const Scratch scratch;
  restore(family, netfilter::to_restore_text(wanted.rules, family));
  CHECK(must(observe(scratch.place(), "t")) == wanted);
}

TEST_CASE("a live rule that no Rule can say is kept as its bytes and written back exactly") {
  const Family family = GENERATE(Family::v4, Family::v6);
  const std::string chain = chain_prefix("t"), mark = owner_mark("t"), other = chain + "-x";
  const std::string text = "*filter\n:" + chain + " -\n:" + other + " -\n-A FORWARD -m comment --comment " + mark + " -j " + chain + "\n-A " + chain +
                           " -m limit --limit 5/sec -j " + other + "\n-A " + chain + " -p tcp -m multiport --dports 80,443 -j ACCEPT\n-A " + chain +
                           " -m comment --comment second -m conntrack --ctstate NEW -j DROP\n-A " + chain + " -i eth+ -j ACCEPT\n-A " + chain +
                           " -m physdev ! --physdev-in br0 -j ACCEPT\n-A " + chain + " -p tcp -m tcp --syn -j LOG --log-prefix hello\nCOMMIT\n";
  const std::string tool = family == Family::v4 ? "iptables-legacy" : "ip6tables-legacy";
  const Scratch scratch;
  restore(family, text);
  const std::string saved = shell(tool + "-save | grep -v ^#");
  const auto live = must(observe(scratch.place(), "t"));
  REQUIRE(live);
  const auto& rules = live->rules.chains.at({family, filter, chain});
  REQUIRE(rules.size() == 6);
  for (const auto& rule : rules) CHECK(!rule.opaque.empty());
  must(replace(scratch.place(), "t", nullptr));
  CHECK(!must(observe(scratch.place(), "t")));
  must(replace(scratch.place(), "t", &*live));
  CHECK(must(observe(scratch.place(), "t")) == live);
  CHECK(shell(tool + "-save | grep -v ^#") == saved);
}

}  // namespace topo::firewall
