#include "vocabulary/fields.hpp"

#include <catch2/catch.hpp>

using namespace topo;

TEST_CASE("fields come back, whatever bytes they hold") {
  const std::string odd("a\0b:12:c\n", 9);
  std::string text;
  append_field(text, odd);
  append_field(text, "");
  append_field(text, "-42");
  std::string_view rest = text;
  CHECK(take_field(rest) == odd);
  CHECK(take_field(rest) == "");
  CHECK(take_number(rest) == -42);
  CHECK(rest.empty());
  CHECK_FALSE(take_field(rest));
}

TEST_CASE("what is no whole field is left where it is") {
  for (const std::string text : {"", "5", "5:", "5:abcd", "5:abcde", "5:abcdef\n", ":\n", "-1:\n", "x:a\n", "99999999999999999999:a\n"}) {
    CAPTURE(text);
    std::string_view rest = text;
    CHECK_FALSE(take_field(rest));
    CHECK(rest == text);
  }
  std::string_view word = "3:one\n";
  CHECK_FALSE(take_number(word));
}

TEST_CASE("an error comes back with all that it says") {
  const Error error{Exit::left_over, "what\n", "where", "kernel", "remedy", {"one", "", "three"}};
  std::string text;
  append_field(text, error);
  append_field(text, "rest");
  std::string_view rest = text;
  const auto back = take_error(rest);
  REQUIRE(back);
  CHECK(back->exit == Exit::left_over);
  CHECK(back->to_string() == error.to_string());
  CHECK(back->details == error.details);
  CHECK(take_field(rest) == "rest");
  std::string_view none = "4:3:ab\n\n";
  CHECK_FALSE(take_error(none));
}
