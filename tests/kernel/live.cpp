#include "live.hpp"

#include <array>
#include <cstdio>
#include <memory>

namespace live {

std::string shell(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((command + " 2>&1").c_str(), "r"), ::pclose);
  REQUIRE(pipe);
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) text.append(buffer.data(), size);
  return text;
}

std::string plan_text(const Plan& plan) {
  std::string text;
  for (const Change& change : plan.changes) {
    const Resource& resource = change.after ? *change.after : *change.before;
    text += (change.action == Change::Action::add ? "+ " : change.action == Change::Action::remove ? "- " : "~ ") + id_of(resource);
    for (const auto& difference : change.differences)
      text += " (" + difference.attribute + ": " + difference.before + " -> " + difference.after + ")";
    text += "\n";
  }
  return text;
}

Observed look(const Graph& desired) {
  LinuxKernel kernel;
  auto live = kernel.observe(desired);
  if (!live) FAIL(live.error().to_string());
  auto hindrances = kernel.find_hindrances(desired);
  if (!hindrances) FAIL(hindrances.error().to_string());
  return {std::move(*hindrances), std::move(*live)};
}

Plan plan_to(const Graph& desired) { return diff(look(desired).live, desired); }

Result<void> perform(const Graph& desired) {
  LinuxKernel kernel;
  auto live = kernel.observe(desired);
  if (!live) return std::move(live).error();
  return kernel.perform(diff(*live, desired), {});
}

void bring(const Graph& desired) {
  auto performed = perform(desired);
  if (!performed) FAIL(performed.error().to_string());
  REQUIRE(plan_text(plan_to(desired)) == "");
}

Veth attachment(const std::string& ns, const std::string& bridge) {
  Veth cable;
  cable.ends[0].name = host_end_name(ns, "eth0");
  cable.ends[0].mac = Mac::derived_from(ns + " port");
  cable.ends[0].bridge = bridge;
  cable.ends[1].ns = ns;
  cable.ends[1].name = "eth0";
  cable.ends[1].mac = Mac::derived_from(ns);
  return cable;
}

Graph small() {
  Graph graph("lab");
  graph.put(Namespace{"web", false, {}});
  Bridge bridge;
  bridge.name = "br0";
  bridge.mac = Mac::derived_from("br0");
  bridge.gateway_v4 = true;
  graph.put(bridge);
  graph.put(attachment("web", "br0"));
  graph.put(Address{"", "br0", cidr("10.9.0.1/24")});
  graph.put(Address{"web", "eth0", cidr("10.9.0.2/24")});
  Route route;
  route.ns = "web";
  route.destination = cidr("0.0.0.0/0");
  route.next_hops = {{ip("10.9.0.1"), "eth0", 1}};
  graph.put(route);
  return graph;
}

Lab::~Lab() {
  const auto destroyed = perform(Graph("lab"));
  CHECK(static_cast<bool>(destroyed));
  CHECK(look(Graph("lab")).live.empty());
}

}  // namespace live
