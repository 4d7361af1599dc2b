// A kernel that lacks something: said by its name, after modprobe has been asked.
#include <sys/mount.h>
#include <sys/stat.h>

#include "firewall_scratch.hpp"

namespace topo::firewall {
namespace {

/// A firewall with a rule whose match no kernel has.
Firewall impossible() {
  Firewall firewall = small_firewall("t");
  netfilter::Rule rule;
  rule.opaque = must(encode(accept_rule("x"), Family::v4));
  rule.opaque.replace(rule.opaque.find("comment"), 7, "nosuchm");
  firewall.rules.chains.begin()->second.push_back(rule);
  return firewall;
}

/// Puts a modprobe into this test's /usr/sbin that notes how it was called, and refuses.
bool fake_modprobe() {
  ::mkdir("/run/upper", 0700);
  ::mkdir("/run/work", 0700);
  if (::mount("overlay", "/usr/sbin", "overlay", 0, "lowerdir=/usr/sbin,upperdir=/run/upper,workdir=/run/work") != 0) return false;
  write_file(
      "/usr/sbin/modprobe",
      "#!/bin/sh\necho \"$@\" >>/run/modprobe.log; env | cut -d= -f1 | sort >/run/modprobe.env; ls /proc/self/fd >/run/modprobe.fds\nexit 1\n");
  return ::chmod("/usr/sbin/modprobe", 0755) == 0;
}

}  // namespace

TEST_CASE("a match that the kernel lacks is named, and nothing is changed") {
  const Scratch scratch;
  const bool faked = fake_modprobe();
  const kernel::FileDescriptor inherited(::open("/dev/null", O_RDONLY));  // not close-on-exec: must not reach modprobe all the same
  const Firewall wanted = impossible();
  const auto replaced = replace(scratch.place(), "t", &wanted);
  REQUIRE(!replaced);
  CHECK(replaced.error().exit == Exit::unsupported);
  CHECK(replaced.error().kernel == "the kernel lacks the match nosuchm");
  CHECK(replaced.error().remedy.find("modprobe xt_nosuchm") != std::string::npos);
  CHECK(!must(observe(scratch.place(), "t")));
  if (!faked) {
    WARN("no overlay file system here: how modprobe is called was not looked at");
    return;
  }
  CHECK(read_file("/run/modprobe.log") == "-q -- xt_nosuchm\n");
  CHECK(read_file("/run/modprobe.env") == "PATH\nPWD\n");                  // PWD is the shell's own
  CHECK(shell("grep -vc '^[0123]$' /run/modprobe.fds || true") == "0\n");  // 3: the listing itself
  REQUIRE(::umount2("/usr/sbin", MNT_DETACH) == 0);
}

TEST_CASE("a rule that no table can hold is refused before anything is changed") {
  const Scratch scratch;
  Firewall wanted = small_firewall("t");
  auto& rule = wanted.rules.chains.begin()->second.front();
  SECTION("interface") { rule.in = netfilter::Maybe<std::string>{"a-name-of-16-xxx", false}; }
  SECTION("comment") { rule.comment = std::string(256, 'x'); }
  SECTION("family") { rule.source = netfilter::Maybe<Cidr>{*Cidr::parse("2001:db8::/64"), false}; }
  SECTION("ports without a protocol") { rule.destination_ports = netfilter::Ports{1, 1}; }
  SECTION("chain") { rule.target = {netfilter::Target::Kind::jump, std::string(29, 'x'), {}, {}, {}, {}}; }
  const auto replaced = replace(scratch.place(), "t", &wanted);
  REQUIRE(!replaced);
  CHECK(replaced.error().what == "a firewall rule cannot be written");
  CHECK(!must(observe(scratch.place(), "t")));
}

}  // namespace topo::firewall
