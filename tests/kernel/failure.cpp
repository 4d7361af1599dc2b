// Refusals, interrupts and failures halfway: said in the kernel's words, and nothing left.
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <filesystem>

#include "kernel/channel.hpp"
#include "kernel/dump.hpp"
#include "kernel/netns.hpp"
#include "live.hpp"

using namespace live;

namespace {

kernel::Message bridge_message(const std::string& name) {
  const ifinfomsg fixed{};
  kernel::Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, fixed);
  message.put_text(IFLA_IFNAME, name);
  message.nest(IFLA_LINKINFO, [&] { message.put(IFLA_INFO_KIND, "bridge", 6); });
  return message;
}

}  // namespace

TEST_CASE("a refusal names the request and carries the kernel's words") {
  auto home = kernel::own_namespace();
  REQUIRE(home);
  kernel::Channel channel(home->get(), home->get());
  kernel::Batch batch;
  ifinfomsg fixed{};
  fixed.ifi_index = 1;
  kernel::Message wrong(RTM_NEWLINK, 0, fixed);
  wrong.put_u32(IFLA_MASTER, 424242);
  batch.add(bridge_message("one"), "cannot create one");
  batch.add(bridge_message("one"), "cannot create one again");
  batch.add(std::move(wrong), "cannot enslave");
  batch.add(bridge_message("two"), "cannot create two");
  auto performed = channel.perform(batch);
  REQUIRE(!performed);
  CHECK(performed.error().what == "cannot create one again");
  CHECK(performed.error().kernel == "File exists");
  REQUIRE(performed.error().details.size() == 1);
  CHECK(performed.error().details[0].starts_with("cannot enslave: "));
  CHECK(shell("ip -o link show two | wc -l; ip link del one; ip link del two") == "1\n");

  kernel::Batch tolerant;
  tolerant.add(bridge_message("one"), "one");
  tolerant.add(bridge_message("one"), "one", {EEXIST});
  CHECK(channel.perform(tolerant));
  CHECK(shell("ip link del one") == "");

  kernel::Batch explained;
  ifinfomsg loopback{};
  loopback.ifi_index = 1;
  kernel::Message mtu(RTM_NEWLINK, 0, loopback);
  mtu.put_text(IFLA_IFALIAS, std::string(255, 'x'));
  explained.add(std::move(mtu), "cannot name lo");
  auto refused = channel.perform(explained);
  REQUIRE(!refused);
  CHECK(refused.error().kernel == "Numerical result out of range: Attribute failed policy validation");
}

TEST_CASE("thousands of requests, and thousands of refusals, fit the buffers") {
  auto home = kernel::own_namespace();
  REQUIRE(home);
  kernel::Channel channel(home->get(), home->get());
  kernel::Batch batch;
  for (int i = 0; i < 3000; ++i) {
    ifinfomsg fixed{};
    fixed.ifi_index = 500000 + i;
    batch.add(kernel::Message(RTM_DELLINK, 0, fixed, 64), "cannot delete", {ENODEV});
  }
  CHECK(channel.perform(batch));
}

TEST_CASE("a failure halfway leaves nothing of new namespaces, not even for a moment") {
  Graph graph = small();
  Route bad;
  bad.ns = "web";
  bad.destination = cidr("192.0.2.0/24");
  bad.next_hops = {{ip("172.31.0.1"), "eth0", 1}};  // no way there
  graph.put(bad);
  const std::string before = shell("ls /run/netns");
  auto performed = perform(graph);
  REQUIRE(!performed);
  CHECK(performed.error().what.starts_with("cannot add route web"));
  CHECK(shell("ls /run/netns") == before);
  CHECK(shell("ip -o link show web.eth0").find("does not exist") != std::string::npos);
  REQUIRE(static_cast<bool>(perform(Graph("lab"))));
  CHECK(look(Graph("lab")).live.empty());
}

TEST_CASE("a name that somebody takes after the look stays theirs, as it was") {
  const Graph graph = small();
  const std::string name = GENERATE(std::string("br0"), host_end_name("web", "eth0"));
  const std::string kind = GENERATE(std::string("bridge"), std::string("veth peer name theirs"));
  LinuxKernel kernel;
  const auto live = kernel.observe(graph);
  REQUIRE(live);
  REQUIRE(shell("ip link add " + name + " type " + kind) == "");
  const std::string before = shell("ip -o link show " + name);
  const auto performed = kernel.perform(diff(*live, graph), {});
  REQUIRE(!performed);
  CHECK(performed.error().kernel == "File exists");
  CHECK(shell("ip -o link show " + name) == before);
  REQUIRE(static_cast<bool>(perform(Graph("lab"))));
  CHECK(shell("ip -o link show " + name) == before);
  REQUIRE(shell("ip link del " + name) == "");
}

TEST_CASE("asked to stop, it stops, and nothing without a name remains") {
  for (int limit = 0; limit < 12; ++limit) {
    LinuxKernel kernel;
    const Graph graph = small();
    auto live = kernel.observe(graph);
    REQUIRE(live);
    int asked = 0;
    auto performed = kernel.perform(diff(*live, graph), [&] { return asked++ >= limit; });
    if (!performed) CHECK(performed.error().exit == Exit::interrupted);
    bring(graph);
    REQUIRE(static_cast<bool>(perform(Graph("lab"))));
  }
}

TEST_CASE("descriptors do not leak") {
  bring(small());
  const auto count = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()); };
  const auto before = count();
  for (int i = 0; i < 5; ++i) look(small());
  REQUIRE(static_cast<bool>(perform(Graph("lab"))));
  bring(small());
  CHECK(count() == before);
  REQUIRE(static_cast<bool>(perform(Graph("lab"))));
}
