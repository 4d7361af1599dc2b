// A fresh network namespace for one test, and the tools that look at it from outside topo.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "firewall/backend.hpp"
#include "firewall/iptables/table.hpp"
#include "kernel/netns.hpp"
#include "topo/names.hpp"

namespace topo::firewall {

/// What `command` prints. It must succeed.
inline std::string shell(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 65536> buffer{};
  for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), size);
  const int status = ::pclose(pipe);
  INFO(command << "\n" << output);
  REQUIRE(status == 0);
  return output;
}

/// iptables-legacy-restore, or the one of IPv6, of `text`.
inline void restore(Family family, const std::string& text) {
  shell(std::string(family == Family::v4 ? "iptables" : "ip6tables") + "-legacy-restore --noflush <<'END'\n" + text + "END\n");
}

inline void write_file(const std::string& path, const std::string& text) {
  FILE* file = std::fopen(path.c_str(), "w");
  INFO(path);
  REQUIRE(file != nullptr);
  REQUIRE(std::fputs(text.c_str(), file) >= 0);
  REQUIRE(std::fclose(file) == 0);
}

inline std::string read_file(const std::string& path) { return shell("cat " + path); }

template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().to_string());
  return std::move(result).value();
}
inline void must(Result<void> result) {
  if (!result) FAIL(result.error().to_string());
}

/// Moves the test into a namespace of its own, where `lo` is up. All tests of this program run on a private host (tests/host/sandbox).
class Scratch {
 public:
  Scratch() {
    REQUIRE(::unshare(CLONE_NEWNET) == 0);
    fd_ = must(kernel::own_namespace());
    shell("ip link set lo up; for f in all default; do echo 0 >/proc/sys/net/ipv4/conf/$f/forwarding; done");
  }
  [[nodiscard]] Place place() const { return {"", fd_.get(), fd_.get()}; }

 private:
  kernel::FileDescriptor fd_;
};

inline netfilter::Rule accept_rule(const std::string& comment = {}) {
  netfilter::Rule rule;
  rule.comment = comment;
  return rule;
}

inline netfilter::Rule jump_rule(const std::string& topology, const std::string& chain) {
  netfilter::Rule rule;
  rule.comment = owner_mark(topology);
  rule.target.kind = netfilter::Target::Kind::jump;
  rule.target.chain = chain;
  return rule;
}

/// A firewall as the compiler makes them: a chain in filter (and in nat for a port map), a jump to each.
inline Firewall small_firewall(const std::string& topology, std::uint16_t port = 8080) {
  using namespace netfilter;
  Firewall firewall;
  const std::string forward = chain_prefix(topology) + "-f", nat = chain_prefix(topology) + "-p";
  Rule established;
  established.states = ct_established | ct_related;
  Rule drop;
  drop.in_group = Maybe<DeviceGroup>{{link_group(topology), 0xffffffff}, false};
  drop.target.kind = Target::Kind::drop;
  firewall.rules.chains[{Family::v4, netfilter::Table::filter, forward}] = {established, drop};
  firewall.rules.jumps[{Family::v4, netfilter::Table::filter, "FORWARD"}] = {jump_rule(topology, forward)};
  Rule map;
  map.protocol = 6;
  map.destination_ports = Ports{port, port};
  map.destination_type = AddressType::local;
  map.target.kind = Target::Kind::dnat;
  map.target.address = IpAddress::parse("192.168.10.10");
  map.target.ports = Ports{80, 80};
  firewall.rules.chains[{Family::v4, netfilter::Table::nat, nat}] = {map};
  for (const char* builtin : {"PREROUTING", "OUTPUT"})
    firewall.rules.jumps[{Family::v4, netfilter::Table::nat, builtin}] = {jump_rule(topology, nat)};
  return firewall;
}

}  // namespace topo::firewall
