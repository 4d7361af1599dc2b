// Topologies as text, and what desire makes of them.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "desire/desire.hpp"
#include "topo/load.hpp"

namespace topo::test {

/// What desire says of `text`, which load must find nothing wrong with; check must say the same.
inline Desired desired_by(const std::string& text) {
  const Loaded loaded = load_text("topology: t\n" + text, "t.yaml");
  for (const auto& diagnostic : loaded.diagnostics) UNSCOPED_INFO("load: " << render(diagnostic, loaded.topology.sources));
  REQUIRE(loaded.diagnostics.empty());
  Desired desired = desire(loaded.topology);
  const auto checked = check(loaded.topology);
  CHECK(std::equal(checked.begin(), checked.end(), desired.diagnostics.begin(), desired.diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.at == b.at && a.message == b.message && a.hint == b.hint; }));
  return desired;
}

/// The same, where nothing may be wrong.
inline Desired wanted(const std::string& text) {
  Desired desired = desired_by(text);
  const Sources sources{{"t.yaml", "topology: t\n" + text}};
  for (const auto& diagnostic : desired.diagnostics) UNSCOPED_INFO(render(diagnostic, sources));
  REQUIRE(desired.diagnostics.empty());
  return desired;
}

/// `text` has an @ in front of each place at which desire must refuse it: exactly there, in the order of `messages`, each holding that
/// text in its message or hint.
inline void refuses_each(const std::string& text, const std::vector<std::string>& messages) {
  std::vector<Position> places;
  Position at{2, 1, 0};
  std::string clean;
  for (const char c : text) {
    if (c == '@') {
      places.push_back(at);
      continue;
    }
    clean += c;
    ++at.column;
    if (c == '\n') at = {at.line + 1, 1, 0};
  }
  const Desired desired = desired_by(clean);
  for (const auto& diagnostic : desired.diagnostics) UNSCOPED_INFO(render(diagnostic, {{"t.yaml", "topology: t\n" + clean}}));
  REQUIRE(desired.diagnostics.size() == places.size());
  REQUIRE(messages.size() == places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    CHECK(desired.diagnostics[i].at == places[i]);
    CHECK_THAT(desired.diagnostics[i].message + " | " + desired.diagnostics[i].hint, Catch::Contains(messages[i]));
  }
  CHECK(desired.graph.empty());
}
inline void refuses(const std::string& text, const std::string& message) { refuses_each(text, {message}); }

/// All that load and desire together say of `text`, one a line, as "LINE:COLUMN: MESSAGE".
inline std::vector<std::string> mistakes(const std::string& text) {
  const Loaded loaded = load_text(text, "t.yaml");
  auto all = loaded.diagnostics;
  const auto desired = desire(loaded.topology);
  all.insert(all.end(), desired.diagnostics.begin(), desired.diagnostics.end());
  tidy(all);
  std::vector<std::string> lines;
  for (const auto& one : all) lines.push_back(std::to_string(one.at.line) + ":" + std::to_string(one.at.column) + ": " + one.message);
  return lines;
}

/// The resource with that id, or a failure.
template <class T>
const T& the(const Desired& desired, const Id& id) {
  const Node* node = desired.graph.find(id);
  INFO(id);
  REQUIRE(node != nullptr);
  return std::get<T>(node->resource);
}

/// "A/24, B/24": the addresses of an interface, link-local ones of IPv6 left out.
inline std::string addresses(const Desired& desired, const std::string& ns, const std::string& interface) {
  std::string text;
  for (const auto* address : desired.graph.all<Address>()) {
    if (address->ns != ns || address->interface != interface || address->address.to_string().starts_with("fe80:")) continue;
    text += (text.empty() ? "" : ", ") + address->address.to_string();
  }
  return text;
}

/// The routes of a namespace, one a line, as "DESTINATION: WAY".
inline std::vector<std::string> routes(const Desired& desired, const std::string& ns) {
  std::vector<std::string> lines;
  for (const auto* route : desired.graph.all<Route>()) {
    if (route->ns == ns) lines.push_back(route->destination.to_string() + " " + route->summary());
  }
  return lines;
}

/// Ids of all resources of a kind.
template <class T>
std::vector<std::string> keys(const Desired& desired) {
  std::vector<std::string> found;
  for (const auto* resource : desired.graph.all<T>()) found.push_back(resource->key());
  return found;
}

using Lines = std::vector<std::string>;

}  // namespace topo::test
