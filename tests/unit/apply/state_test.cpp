#include "apply/state.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "fake_kernel.hpp"

using namespace topo;
using topo::test::Folder;

namespace {

Applied some() {
  Applied applied;
  applied.sources = {{"lab.yaml", "topology: lab\ninclude: [other.yaml]\n"}, {"other\xff.yaml", std::string("a\0b:12:c\n", 9)}};
  applied.set = {{"mtu", "9000"}, {"empty", ""}};
  return applied;
}

unsigned mode_of(const std::string& path) {
  struct stat found {};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  return found.st_mode & 0777U;
}

}  // namespace

TEST_CASE("what is recorded comes back, whatever bytes it holds") {
  const Folder folder;
  REQUIRE(record("lab", some(), folder.path()));
  const auto back = recall("lab", folder.path());
  REQUIRE(back);
  CHECK(*back == some());
  CHECK(recorded(folder.path()) == std::vector<std::string>{"lab"});
  CHECK(mode_of(folder.path()) == 0700U);
  CHECK(mode_of(folder.path() + "/lab") == 0700U);
  CHECK(mode_of(folder.path() + "/lab/applied") == 0600U);
}

TEST_CASE("equality sees every part") {
  const auto differs = [](auto change) {
    Applied other = some();
    change(other);
    return !(other == some());
  };
  CHECK(some() == some());
  CHECK(differs([](Applied& a) { a.set["mtu"] = "1"; }));
  CHECK(differs([](Applied& a) { a.set["more"] = "1"; }));
  CHECK(differs([](Applied& a) { a.sources[1].text += ' '; }));
  CHECK(differs([](Applied& a) { a.sources[0].name = "x"; }));
  CHECK(differs([](Applied& a) { a.sources.pop_back(); }));
}

TEST_CASE("nothing recorded, or something unreadable, is nothing") {
  const Folder folder;
  CHECK_FALSE(recall("lab", folder.path()));
  CHECK(recorded(folder.path()).empty());
  REQUIRE(record("lab", some(), folder.path()));
  const std::string path = folder.path() + "/lab/applied";
  std::string text;
  {
    std::ifstream in(path);
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  for (std::size_t length = 0; length < text.size(); ++length) {
    std::ofstream(path) << text.substr(0, length);
    const auto back = recall("lab", folder.path());
    INFO(length);
    CHECK((!back || back->sources.size() < some().sources.size()));
  }
  std::ofstream(path) << "14:topo.applied/1\n99999999999999999999:";
  CHECK_FALSE(recall("lab", folder.path()));
}

TEST_CASE("links are not followed, and names lead nowhere else") {
  const Folder folder;
  REQUIRE(record("lab", some(), folder.path()));
  std::filesystem::rename(folder.path() + "/lab/applied", folder.path() + "/elsewhere");
  std::filesystem::create_symlink(folder.path() + "/elsewhere", folder.path() + "/lab/applied");
  CHECK_FALSE(recall("lab", folder.path()));
  std::filesystem::create_directory_symlink(folder.path() + "/lab", folder.path() + "/alias");
  CHECK_FALSE(recall("alias", folder.path()));
  CHECK_FALSE(record("alias", some(), folder.path()));
  CHECK_FALSE(recall("../lab", folder.path() + "/lab"));
  // Writing puts a new file in place of the link.
  REQUIRE(record("lab", some(), folder.path()));
  CHECK(recall("lab", folder.path()));
  CHECK_FALSE(std::filesystem::is_symlink(folder.path() + "/lab/applied"));
}

TEST_CASE("forgetting leaves nothing of the topology, and all of the others") {
  const Folder folder;
  REQUIRE(record("lab", some(), folder.path()));
  REQUIRE(record("other", some(), folder.path()));
  { REQUIRE(Locks::take(folder.path(), "lab", std::chrono::milliseconds(0), {})); }
  CHECK(forget("lab", folder.path()));
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/lab"));
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/lab.lock"));
  CHECK(recall("other", folder.path()));
  CHECK(forget("lab", folder.path()));
  std::filesystem::create_directory(folder.path() + "/other/somebody-elses");
  CHECK_FALSE(forget("other", folder.path()));
}
