#include "topo/diagnostic.hpp"

#include <catch2/catch.hpp>

#include "topo/error.hpp"

using namespace topo;

namespace {

Diagnostic at(std::uint32_t line, std::uint16_t column, std::uint16_t length = 1) { return {{line, column, 0}, "wrong", "", length}; }

}  // namespace

TEST_CASE("a mistake is shown in its line") {
  const Sources sources{{"lab.yaml", "one\n  two: 5\r\nlast"}};
  Diagnostic diagnostic = at(2, 3, 3);
  diagnostic.hint = "write three";
  CHECK(render(diagnostic, sources) == "lab.yaml:2:3: wrong\n      two: 5\n      ^~~\n    write three");
  CHECK(render(at(3, 4), sources) == "lab.yaml:3:4: wrong\n    last\n       ^");
  CHECK(render(at(3, 1, 100), sources) == "lab.yaml:3:1: wrong\n    last\n    ^~~~");
}

TEST_CASE("a mistake whose place is not there is told all the same") {
  const Sources sources{{"lab.yaml", "one\n"}};
  CHECK(render(at(0, 0), sources) == "lab.yaml: wrong");
  CHECK(render(at(9, 1), sources) == "lab.yaml:9:1: wrong");
  CHECK(render(at(1, 9), sources) == "lab.yaml:1:9: wrong");
  CHECK(render(at(1, 1), {}) == ":1:1: wrong");
}

TEST_CASE("the caret stands under the word whatever comes before it") {
  const Sources sources{{"lab.yaml", "\xc3\xa9\xc3\xa9: x\n\tb: \x1b\n\"\xc3\xbc\": y"}};
  CHECK(render(at(1, 7), sources) == "lab.yaml:1:7: wrong\n    \xc3\xa9\xc3\xa9: x\n        ^");
  CHECK(render(at(2, 5), sources) == "lab.yaml:2:5: wrong\n    \\x09b: \\x1b\n           ^~~~");
  CHECK(render(at(3, 1, 4), sources) == "lab.yaml:3:1: wrong\n    \"\xc3\xbc\": y\n    ^~~");
}

TEST_CASE("of a long line the part around the mistake is shown") {
  const Sources sources{{"lab.yaml", std::string(500, 'a') + "X" + std::string(500, 'b')}};
  const std::string text = render(at(1, 501), sources);
  CHECK(text.size() < 400);
  CHECK(text == "lab.yaml:1:501: wrong\n    ..." + std::string(40, 'a') + "X" + std::string(119, 'b') + "...\n    " + std::string(43, ' ') + "^");
}

TEST_CASE("names and messages cannot play with the terminal") {
  const Sources sources{{"a\nb", "x"}};
  Diagnostic diagnostic = at(1, 1);
  diagnostic.message = "bad \x1b[2J";
  diagnostic.hint = "\x07";
  CHECK(render(diagnostic, sources) == "a\\x0ab:1:1: bad \\x1b[2J\n    x\n    ^\n    \\x07");
}

TEST_CASE("mistakes are put in order and told once") {
  std::vector<Diagnostic> diagnostics{at(2, 1), at(1, 9), at(1, 2), at(2, 1)};
  tidy(diagnostics);
  REQUIRE(diagnostics.size() == 3);
  CHECK(diagnostics[0].at.column == 2);
  CHECK(diagnostics[1].at.column == 9);
  CHECK(diagnostics[2].at.line == 2);
}

TEST_CASE("an error is told with all that it knows") {
  Error error;
  error.what = "cannot create bridge lan";
  error.kernel = "File exists";
  error.where = "lab.yaml:3";
  error.details = {"veth a", "bad \x1b"};
  error.remedy = "remove it";
  CHECK(error.to_string() == "cannot create bridge lan: File exists\n  at lab.yaml:3\n  veth a\n  bad \\x1b\n  remove it");
  Error bare;
  bare.what = "no";
  CHECK(bare.to_string() == "no");
}
