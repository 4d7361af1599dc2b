// The files of tests/corpus: what is good loads, what is bad is refused in exactly the words beside it.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "topo/load.hpp"

namespace fs = std::filesystem;

namespace {

/// Messages name files as the user gave them, so the tests stand where the files are.
class InFolder {
 public:
  explicit InFolder(const fs::path& folder) : before_(fs::current_path()) { fs::current_path(folder); }
  ~InFolder() { fs::current_path(before_); }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;

 private:
  fs::path before_;
};

const fs::path corpus = fs::path(TOPO_SOURCE_DIR) / "tests/corpus";

std::vector<std::string> files(const std::string& extension) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(".")) {
    if (entry.path().extension() == extension) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string rendered(const topo::Loaded& loaded) {
  std::string text;
  for (const auto& diagnostic : loaded.diagnostics) text += topo::render(diagnostic, loaded.topology.sources) + "\n";
  return text;
}

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("every good file loads") {
  const InFolder here(corpus / "good");
  REQUIRE(files(".yaml").size() >= 9);
  for (const auto& name : files(".yaml")) {
    const auto loaded = topo::load(name);
    INFO(rendered(loaded));
    CHECK(loaded.diagnostics.empty());
    CHECK_FALSE(loaded.unreadable);
    CHECK_FALSE(loaded.topology.name.value.empty());
  }
}

TEST_CASE("every bad file is refused in the words beside it") {
  const InFolder here(corpus / "bad");
  const bool update = std::getenv("TOPO_UPDATE_GOLDEN") != nullptr;
  REQUIRE(files(".yaml").size() >= 140);
  for (const auto& name : files(".yaml")) {
    const auto begin = std::chrono::steady_clock::now();
    const auto loaded = topo::load(name);
    const auto took = std::chrono::steady_clock::now() - begin;
    const fs::path golden = fs::path(name).replace_extension(".txt");
    const std::string text = rendered(loaded);
    if (update) std::ofstream(golden, std::ios::binary) << text;
    INFO(name);
    REQUIRE_FALSE(loaded.diagnostics.empty());
    CHECK(text == content(golden));
    CHECK(loaded.diagnostics.front().at.line > 0);
    CHECK(took < std::chrono::seconds(2));
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n') FAIL("a control character in the message: " << static_cast<int>(c));
    }
    // Later rooms see what was understood; a second load says the same.
    CHECK(rendered(topo::load(name)) == text);
  }
  for (const auto& golden : files(".txt")) {
    INFO(golden);
    CHECK(fs::exists(fs::path(golden).replace_extension(".yaml")));
  }
}
