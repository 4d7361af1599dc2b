// Changing tables that belong to others as well.
#include <sys/file.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "firewall_scratch.hpp"

namespace topo::firewall {
namespace {

using netfilter::ChainId;
using netfilter::Rule;
using netfilter::Target;

constexpr auto filter = netfilter::Table::filter;

const ChainId forward_chain(const std::string& topology) { return {Family::v4, filter, chain_prefix(topology) + "-f"}; }

constexpr const char* strangers = R"(*filter
:INPUT ACCEPT [7:700]
:FORWARD DROP [8:800]
:DOCKER - [0:0]
:TOPO-like - [0:0]
:A-CHAIN - [0:0]
[1:60] -A INPUT -s 10.9.0.0/16 -m limit --limit 5/min -j DROP
[2:120] -A FORWARD -j DOCKER
[3:180] -A FORWARD -m comment --comment "topo:v1:other" -j TOPO-like
[4:240] -A DOCKER -i docker0 ! -o docker0 -j ACCEPT
[5:300] -A A-CHAIN -j RETURN
COMMIT
*nat
[9:90] -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
)";

/// iptables-save with counters, without what is topology t's.
std::string others() { return shell("iptables-legacy-save -c | grep -v '^#' | grep -v " + chain_prefix("t") + " || true"); }

}  // namespace

TEST_CASE("rules, counters, policies and chains of others stay what they are") {
  const Scratch scratch;
  shell(std::string("iptables-legacy-restore -c <<'END'\n") + strangers + "END\n");
  const std::string before = others();
  REQUIRE(before.find("[4:240] -A DOCKER") != std::string::npos);
  const Firewall first = small_firewall("t", 8080), second = small_firewall("t", 9090);
  must(replace(scratch.place(), "t", &first));
  CHECK(others() == before);
  CHECK(must(observe(scratch.place(), "t")) == first);
  must(replace(scratch.place(), "t", &second));
  CHECK(others() == before);
  CHECK(must(observe(scratch.place(), "t")) == second);
  must(replace(scratch.place(), "t", nullptr));
  CHECK(others() == before);
  CHECK(shell("iptables-legacy-save -c | grep -v '^#'") == before);
  CHECK(!must(observe(scratch.place(), "t")));
}

TEST_CASE("to look makes no table") {
  const Scratch scratch;
  CHECK(!must(observe(scratch.place(), "t")));
  must(replace(scratch.place(), "t", nullptr));
  CHECK(read_file("/proc/net/ip_tables_names").empty());
  CHECK(read_file("/proc/net/ip6_tables_names").empty());
}

TEST_CASE("a firewall of IPv4 makes no IPv6 table") {
  const Scratch scratch;
  const Firewall wanted = small_firewall("t");
  must(replace(scratch.place(), "t", &wanted));
  CHECK(read_file("/proc/net/ip6_tables_names").empty());
}

TEST_CASE("a table that does not change is not committed: counters of topo's own rules live on") {
  const Scratch scratch;
  Firewall wanted = small_firewall("t");
  must(replace(scratch.place(), "t", &wanted));
  const std::string chain = forward_chain("t").name;
  shell("iptables-legacy-save -c | sed 's/^\\[0:0\\] -A " + chain + "/[77:7700] -A " + chain + "/' | iptables-legacy-restore -c");
  // Only nat changes.
  const Firewall changed = small_firewall("t", 9090);
  must(replace(scratch.place(), "t", &changed));
  CHECK(shell("iptables-legacy-save -c").find("[77:7700] -A " + chain) != std::string::npos);
  CHECK(must(observe(scratch.place(), "t")) == changed);
}

TEST_CASE("a jump that is missing, doubled or altered is a difference, and is put right in front") {
  const Scratch scratch;
  const Firewall wanted = small_firewall("t");
  must(replace(scratch.place(), "t", &wanted));
  const std::string chain = forward_chain("t").name, mark = " -m comment --comment topo:v1:t";
  const auto disturb =
      GENERATE_COPY(as<std::string>(), "iptables-legacy -F FORWARD && iptables-legacy -A FORWARD -i eth7 -j ACCEPT",
                    "iptables-legacy -A FORWARD -i eth7 -j ACCEPT && iptables-legacy -A FORWARD" + mark + " -j " + chain,
                    "iptables-legacy -R FORWARD 1 -i eth9" + mark + " -j " + chain + " && iptables-legacy -A FORWARD -i eth7 -j ACCEPT");
  shell(disturb);
  const auto live = must(observe(scratch.place(), "t"));
  CHECK(live != wanted);
  must(replace(scratch.place(), "t", &wanted));
  CHECK(must(observe(scratch.place(), "t")) == wanted);
  CHECK(shell("iptables-legacy -S FORWARD") ==
        "-P FORWARD ACCEPT\n-A FORWARD -m comment --comment \"topo:v1:t\" -j " + chain + "\n-A FORWARD -i eth7 -j ACCEPT\n");
}

TEST_CASE("a stranger's rule that jumps to topo's chain is in the way of its removal and is named") {
  const Scratch scratch;
  const Firewall wanted = small_firewall("t");
  must(replace(scratch.place(), "t", &wanted));
  shell("iptables-legacy -A INPUT -j " + forward_chain("t").name);
  const auto removed = replace(scratch.place(), "t", nullptr);
  REQUIRE(!removed);
  CHECK(removed.error().exit == Exit::conflict);
  CHECK(removed.error().what.find(forward_chain("t").name) != std::string::npos);
  CHECK(shell("iptables-legacy -S INPUT").find(forward_chain("t").name) != std::string::npos);
}

TEST_CASE("chains that jump to one another come, change and go in one commit") {
  const Scratch scratch;
  Firewall wanted = small_firewall("t");
  const std::string a = chain_prefix("t") + "-a", b = chain_prefix("t") + "-b";
  const auto jump_to = [](const std::string& chain) {
    Rule rule;
    rule.target.kind = Target::Kind::jump;
    rule.target.chain = chain;
    return rule;
  };
  wanted.rules.chains[forward_chain("t")].insert(wanted.rules.chains[forward_chain("t")].begin(), jump_to(a));
  wanted.rules.chains[{Family::v4, filter, a}] = {jump_to(b)};
  wanted.rules.chains[{Family::v4, filter, b}] = {accept_rule()};
  must(replace(scratch.place(), "t", &wanted));
  CHECK(must(observe(scratch.place(), "t")) == wanted);
  // The order turns round.
  Firewall turned = wanted;
  turned.rules.chains[forward_chain("t")][0] = jump_to(b);
  turned.rules.chains[{Family::v4, filter, b}] = {jump_to(a)};
  turned.rules.chains[{Family::v4, filter, a}] = {};
  must(replace(scratch.place(), "t", &turned));
  CHECK(must(observe(scratch.place(), "t")) == turned);
  Firewall small = small_firewall("t");
  must(replace(scratch.place(), "t", &small));
  CHECK(must(observe(scratch.place(), "t")) == small);
}

TEST_CASE("the tables of another namespace are changed from outside it, and those here are not") {
  const Scratch here;
  const kernel::FileDescriptor home = must(kernel::own_namespace());
  REQUIRE(::unshare(CLONE_NEWNET) == 0);
  const kernel::FileDescriptor other = must(kernel::own_namespace());
  REQUIRE(::setns(home.get(), CLONE_NEWNET) == 0);
  const Place place{"router", other.get(), home.get()};
  Firewall wanted = small_firewall("t");
  wanted.ns = "router";
  must(replace(place, "t", &wanted));
  CHECK(must(observe(place, "t")) == wanted);
  CHECK(!must(observe(here.place(), "t")));
  CHECK(read_file("/proc/net/ip_tables_names").empty());
}

TEST_CASE("two topologies in one namespace do not see one another's rules") {
  const Scratch scratch;
  const Firewall one = small_firewall("one"), two = small_firewall("two", 9090);
  must(replace(scratch.place(), "one", &one));
  must(replace(scratch.place(), "two", &two));
  CHECK(must(observe(scratch.place(), "one")) == one);
  CHECK(must(observe(scratch.place(), "two")) == two);
  must(replace(scratch.place(), "one", nullptr));
  CHECK(must(observe(scratch.place(), "two")) == two);
}

TEST_CASE("programs that change the tables all the while lose no rule and cause no failure") {
  const Scratch scratch;
  std::atomic<bool> stop{false};
  std::atomic<int> rounds{0};
  // With -w: under the lock; the loop ends with the test, and in any case after 500 rounds.
  std::thread stranger([&] {
    for (int i = 0; i < 500 && !stop; ++i) {
      if (std::system("iptables-legacy -w -A FORWARD -i eth7 -j ACCEPT && iptables-legacy -w -I INPUT -s 10.0.0.1 -j DROP") == 0) ++rounds;
    }
  });
  const auto began = std::chrono::steady_clock::now();
  const Firewall first = small_firewall("t", 8080), second = small_firewall("t", 9090);
  bool failed = false;
  for (int i = 0; (i < 100 || rounds < 10) && i < 20000 && !failed; ++i) {
    failed = !replace(scratch.place(), "t", i % 2 == 0 ? &first : &second) || !replace(scratch.place(), "t", nullptr);
  }
  stop = true;
  stranger.join();
  CHECK(!failed);
  CHECK(rounds >= 10);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(60));
  CHECK(shell("iptables-legacy -S FORWARD | grep -c eth7") == std::to_string(rounds) + "\n");
  CHECK(shell("iptables-legacy -S INPUT | grep -c 10.0.0.1") == std::to_string(rounds) + "\n");
}

TEST_CASE("while another program holds the lock nothing is read or changed") {
  const Scratch scratch;
  const kernel::FileDescriptor lock(::open("/run/xtables.lock", O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
  std::atomic<bool> released{false};
  std::thread holder([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    released = true;
    ::flock(lock.get(), LOCK_UN);
  });
  const Firewall wanted = small_firewall("t");
  const auto done = replace(scratch.place(), "t", &wanted);
  const bool waited = released;
  holder.join();
  CHECK(waited);
  CHECK(done);
}

TEST_CASE("a change by somebody who takes no lock is noticed, and met by another try") {
  const Scratch scratch;
  const TableId id{Family::v4, filter};
  const Entry entry = must(encode(accept_rule(), Family::v4));
  {
    auto table = must(Table::open(scratch.place(), id));
    must(table.append("FORWARD", entry));
    shell("iptables-legacy -A FORWARD -i eth7 -j ACCEPT");
    CHECK(must(table.commit()) == Table::Outcome::overtaken);
  }
  std::atomic<bool> stop{false};
  std::atomic<int> changes{0};
  std::thread stranger([&] {
    for (int i = 0; i < 100000 && !stop; ++i) {
      auto table = Table::open(scratch.place(), id);
      if (!table || !table->append("INPUT", entry)) continue;
      if (i % 2 == 1 && !table->flush("INPUT")) continue;
      if (const auto outcome = table->commit(); outcome && *outcome == Table::Outcome::done) ++changes;
    }
  });
  const Firewall wanted = small_firewall("t");
  std::string failure;
  for (int i = 0; (i < 200 || changes < 200) && i < 20000 && failure.empty(); ++i) {
    if (auto done = replace(scratch.place(), "t", i % 2 == 0 ? &wanted : nullptr); !done) failure = done.error().to_string();
  }
  stop = true;
  stranger.join();
  CHECK(failure == "");
  CHECK(changes >= 200);
}

TEST_CASE("ten thousand rules are one commit, and to find them unchanged is quick") {
  const Scratch scratch;
  Firewall wanted = small_firewall("t");
  auto& rules = wanted.rules.chains[forward_chain("t")];
  for (std::uint32_t i = 0; i < 10000; ++i) {
    Rule rule = accept_rule("rule " + std::to_string(i));
    const std::uint8_t bytes[4] = {10, static_cast<std::uint8_t>(i >> 16U), static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)};
    rule.source = netfilter::Maybe<Cidr>{Cidr(IpAddress::from_bytes(Family::v4, bytes), 32), false};
    rules.push_back(rule);
  }
  using namespace std::chrono;
  const auto began = steady_clock::now();
  must(replace(scratch.place(), "t", &wanted));
  const auto written = steady_clock::now();
  const auto live = must(observe(scratch.place(), "t"));
  const auto read = steady_clock::now();
  CHECK(live == wanted);
  WARN("10,000 rules: written in " << duration_cast<milliseconds>(written - began).count() << " ms, read in "
                                   << duration_cast<milliseconds>(read - written).count() << " ms");
  CHECK(written - began < seconds(5));
  CHECK(read - written < seconds(5));
}

}  // namespace topo::firewall
