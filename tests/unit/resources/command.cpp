// What a keeper holds of a command, and what topo reads in files that it wrote itself.
#include <catch2/catch.hpp>

#include "resources/command/command.hpp"
#include "resources/etc/etc.hpp"

using namespace topo;

TEST_CASE("a command is the same again from its text") {
  Command command;
  command.ns = "web";
  command.name = "app";
  command.words = {"sh", "-c", "echo 'a\nb'", ""};
  command.after = {"db/server"};
  command.ready = Readiness{80, 7};
  command.files = "4711";
  command.turn = 3;
  command.amiss = std::string(not_ready);
  const auto again = command_from(to_text(command));
  REQUIRE(again);
  CHECK(*again == command);
  CHECK(again->turn == 3);
  const std::string text = to_text(command);
  for (std::size_t size = 0; size < text.size(); ++size) CHECK_FALSE(command_from(std::string_view(text).substr(0, size)));
}

TEST_CASE("what a command was started with makes it another one, what it waits for does not") {
  Command one;
  one.words = {"a"};
  Command other = one;
  other.words = {"b"};
  CHECK(differences(one, other).front().recreate);
  other = one;
  other.files = "1";
  CHECK(differences(one, other).front().recreate);
  other = one;
  other.ready = Readiness{80, 10};
  REQUIRE(differences(one, other).size() == 1);
  CHECK_FALSE(differences(one, other).front().recreate);
  other = one;
  other.amiss = std::string(being_stopped);
  CHECK(differences(other, one).front().recreate);
  other.amiss = std::string(not_ready);
  CHECK_FALSE(differences(other, one).front().recreate);
}

TEST_CASE("files that topo wrote say what they mean, and nobody else's do") {
  const std::vector<IpAddress> servers{*IpAddress::parse("10.0.0.1"), *IpAddress::parse("fd00::1")};
  CHECK(servers_in(resolver_text("lab", servers)) == servers);
  CHECK_FALSE(servers_in("nameserver 10.0.0.1\n"));
  CHECK_FALSE(servers_in(resolver_text("lab", servers) + "search example.com\n"));
  const HostNames names{{"a", {servers[0]}}, {"b", servers}};
  const auto hosts = hosts_in(hosts_text("lab", names, false));
  REQUIRE(hosts);
  CHECK_FALSE(hosts->all);
  CHECK(hosts->names == names);
  CHECK(hosts_in(hosts_text("lab", names, true))->all);
  CHECK_FALSE(hosts_in("127.0.0.1\tlocalhost\n"));
}
