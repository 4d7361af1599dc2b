// The JSON Schema says what the loader reads: the same keys at the same places, each described, and every good file fits.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "load/keys.hpp"
#include "topo/load.hpp"

using nlohmann::json;

namespace {

const std::string root = TOPO_SOURCE_DIR;

json schema() {
  std::ifstream stream(root + "/schemas/topology.schema.json");
  return json::parse(stream);
}

/// What a "$ref" leads to.
const json& resolved(const json& whole, const json& part) {
  const json* found = &part;
  while (found->contains("$ref")) found = &whole.at(json::json_pointer((*found)["$ref"].get<std::string>().substr(1)));
  return *found;
}

std::set<std::string> keys_of(const json& object) {
  std::set<std::string> keys;
  for (const auto& item : object.items()) keys.insert(item.key());
  return keys;
}

}  // namespace

TEST_CASE("the schema knows the keys that the loader reads, and no others") {
  const json whole = schema();
  std::set<std::string> known;
  for (const auto& place : topo::reading::known_places()) {
    INFO(place.name);
    known.insert(place.name);
    const json& definition = place.name == "topology" ? whole : whole["definitions"].at(place.name);
    CHECK(keys_of(definition.at("properties")) == std::set<std::string>(place.keys.begin(), place.keys.end()));
    CHECK(definition.at("additionalProperties") == false);
  }
  for (const auto& [name, definition] : whole["definitions"].items()) {
    INFO(name);
    CHECK(definition.contains("properties") == (known.count(name) != 0));
  }
}

TEST_CASE("every key of the schema is described") {
  const json whole = schema();
  const auto check = [&](const json& definition) {
    CHECK_FALSE(definition.at("description").get<std::string>().empty());
    const json properties = definition.value("properties", json::object());
    for (const auto& [key, property] : properties.items()) {
      INFO(key);
      CHECK_FALSE(resolved(whole, property).value("description", "").empty());
    }
  };
  check(whole);
  for (const auto& [name, definition] : whole["definitions"].items()) {
    INFO(name);
    check(definition);
  }
}

TEST_CASE("every good file and example fits the schema") {
  const std::string command = "python3 " + root + "/tests/unit/load/fits_schema.py " + root + "/schemas/topology.schema.json " + root +
                              "/tests/corpus/good " + root + "/examples";
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("the loader and the schema think alike") {
  const std::string cases = root + "/tests/corpus/schema.txt";
  const std::string command = "python3 " + root + "/tests/unit/load/fits_schema.py " + root + "/schemas/topology.schema.json " + cases;
  CHECK(std::system(command.c_str()) == 0);
  std::ifstream stream(cases);
  std::string head;
  std::string text;
  std::size_t count = 0;
  const auto check = [&] {
    if (head.empty()) return;
    ++count;
    const auto loaded = topo::load_text(text, "case.yaml");
    INFO(head);
    for (const auto& diagnostic : loaded.diagnostics) UNSCOPED_INFO(topo::render(diagnostic, loaded.topology.sources));
    CHECK(loaded.diagnostics.empty() == (head.rfind("=== ok", 0) == 0));
  };
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind("=== ", 0) == 0) {
      check();
      head = line;
      text.clear();
    } else {
      text += line + "\n";
    }
  }
  check();
  CHECK(count >= 25);
}
