#include "core/io/json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace automodel::io {
namespace {

std::string refusal(const std::string& text) {
  try {
    parse_json(text, "config.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kFormat);
    return error.message();
  }
  return "";
}

TEST(Json, GoodTextIsParsed) {
  const nlohmann::json value = parse_json(R"({"a": [1, {"a": 2.5}], "b": {"a": null}})", "x");
  EXPECT_EQ(value["a"][1]["a"], 2.5);
  EXPECT_TRUE(value["b"]["a"].is_null());
}

TEST(Json, RowsOfWholeNumbers) {
  const auto rows = [](const std::string& text) { return whole_number_rows(parse_json(text, "ids"), "ids"); };
  EXPECT_EQ(rows("[[1, -2], [9223372036854775807]]"),
            (std::vector<std::vector<int64_t>>{{1, -2}, {INT64_MAX}}));
  for (const auto& [text, says] :
       {std::pair{"[[1, 2.5]]", "ids: row 0: 2.5 is no whole number"},
        {"[[1], [1e30]]", "ids: row 1: 1e+30 is no whole number"},
        {"[[9223372036854775808]]", "row 0: 9223372036854775808 is no whole number"},
        {"[[\"a\"]]", "row 0: \"a\" is no whole number"},
        {"[1, 2]", "row 0: expected a list of numbers, not number"},
        {"[[]]", "row 0: expected a list of numbers, not an empty one"},
        {"[]", "expected a list of lists"},
        {"{}", "expected a list of lists"}}) {
    try {
      rows(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kData);
      EXPECT_NE(error.message().find(says), std::string::npos) << error.message();
    }
  }
}

TEST(Json, ErrorsNameLineAndColumn) {
  EXPECT_EQ(refusal("{\n  \"a\": 1,\n  b\n}").rfind("config.json:3:3: not JSON: ", 0), 0u)
      << refusal("{\n  \"a\": 1,\n  b\n}");
  EXPECT_NE(refusal("").find("config.json:1:1"), std::string::npos);
  EXPECT_NE(refusal("{} x"), "");
  EXPECT_NE(refusal("\"\xff\""), "");
}

TEST(Json, DuplicateKeysAreRefusedButOnlyWithinOneObject) {
  EXPECT_NE(refusal(R"({"a": 1, "b": {"a": 1, "a": 2}})").find("\"a\" stands twice"), std::string::npos);
  EXPECT_NE(refusal(R"({"a": {"x": 1}, "b": 1, "a": 2})").find("\"a\" stands twice"), std::string::npos);
  EXPECT_EQ(refusal(R"([{"a": 1}, {"a": 2}, {"a": {"a": 1}}])"), "");
}

TEST(Json, DepthIsBounded) {
  EXPECT_NE(refusal(std::string(1'000'000, '[')).find("nested more than"), std::string::npos);
  EXPECT_EQ(refusal(std::string(200, '[') + std::string(200, ']')), "");
}

TEST(Json, InfinitiesOfPythonAreTaggedOutsideStrings) {
  EXPECT_NE(refusal(R"([Infinity])"), "");
  const std::string text = R"({"Infinity": ["-Infinity \"Infinity", "\\", Infinity, -Infinity, -1]})";
  const nlohmann::json value = parse_json(with_tagged_infinities(text), "x");
  const nlohmann::json expected = {
      "-Infinity \"Infinity", "\\", {{"__float__", "Infinity"}}, {{"__float__", "-Infinity"}}, -1};
  EXPECT_EQ(value["Infinity"], expected);
  EXPECT_NE(refusal(with_tagged_infinities("[Infinit]")), "");
}

}  // namespace
}  // namespace automodel::io
